-- Tryton's warehouses, and the locations of the shop's that are in none: what is on the road.
SELECT
    l.id AS id_sucursal,
    l.name AS nombre,
    l.xmin AS version_1
FROM public.stock_location AS l
WHERE l.type = 'warehouse'
    OR (
        l.type = 'storage'
        AND NOT EXISTS (
            SELECT 1
            FROM public.stock_location AS w
            WHERE w.type = 'warehouse' AND w."left" < l."left" AND w."right" > l."right"
        )
    )
