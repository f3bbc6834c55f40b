-- Vendure's stock locations.
SELECT
    s.id AS id_sucursal,
    s.name AS nombre,
    s.xmin AS version_1
FROM public.stock_location AS s
