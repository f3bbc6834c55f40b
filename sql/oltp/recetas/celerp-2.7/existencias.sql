-- Celerp's own figure: what its lots hold that its books count as stock, by product and place; goods out on
-- memo and goods on consignment are among them.
SELECT
    coalesce(p.state ->> 'catalog_item_id', p.entity_id) AS id_producto,
    coalesce(nullif(p.state ->> 'location_id', ''), 'sin-lugar') AS id_sucursal,
    sum(round(coalesce((p.state ->> 'quantity')::float8, 0)::numeric, 6)) AS existencias
FROM public.projections AS p
WHERE p.company_id = (SELECT c.id FROM public.companies AS c ORDER BY c.created_at, c.id LIMIT 1)
    AND p.entity_type = 'item'
    AND coalesce(p.state ->> 'inventory_type', 'stocked') IN ('stocked', 'component')
    AND lower(coalesce(p.state ->> 'status', ''))
    NOT IN ('deleted', 'void', 'sold', 'fulfilled', 'merged', 'draft', 'disposed')
    AND (
        lower(coalesce(p.state ->> 'status', '')) NOT IN ('archived', 'expired')
        OR p.state ->> 'inventory_on_books' = 'true'
    )
GROUP BY 1, 2
