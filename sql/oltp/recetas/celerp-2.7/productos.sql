-- Celerp's products: the items that others are lots of, and those that are lots of none.
SELECT
    p.entity_id AS id_producto,
    nullif(p.state ->> 'sku', '') AS codigo,
    coalesce(nullif(p.state ->> 'name', ''), p.state ->> 'sku') AS nombre,
    nullif(p.state ->> 'category', '') AS categoria,
    coalesce(p.state ->> 'inventory_type', 'stocked') IN ('stocked', 'component') AS inventariable,
    lower(coalesce(p.state ->> 'status', '')) NOT IN ('archived', 'expired', 'deleted', 'void') AS activo,
    p.xmin AS version_1
FROM public.projections AS p
WHERE p.company_id = (SELECT c.id FROM public.companies AS c ORDER BY c.created_at, c.id LIMIT 1)
    AND p.entity_type = 'item'
    AND (
        p.state ->> 'catalog_item_id' IS NULL
        OR EXISTS (
            SELECT 1
            FROM public.projections AS l
            WHERE l.company_id = p.company_id
                AND l.entity_type = 'item'
                AND l.state ->> 'catalog_item_id' = p.entity_id
        )
    )
