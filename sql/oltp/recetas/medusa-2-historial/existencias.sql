-- What is there of each inventory item at each place, what is reserved included. A place that was taken
-- off an item has none; an item that was deleted has no figure at all.
--
-- Medusa knows no costs: what the shop writes into an item's metadata as costo is what enters without
-- one at.
SELECT
    n.inventory_item_id AS id_producto,
    n.location_id AS id_sucursal,
    CASE WHEN n.deleted_at IS NULL THEN n.stocked_quantity ELSE 0 END AS existencias,
    CASE
        WHEN i.metadata ->> 'costo' ~ '^[0-9]{1,9}([.][0-9]{1,6})?$'
            THEN (i.metadata ->> 'costo')::numeric
    END AS costo_referencia,
    n.xmin AS version_1,
    i.xmin AS version_2
FROM public.inventory_level AS n
INNER JOIN public.inventory_item AS i ON i.id = n.inventory_item_id
WHERE i.deleted_at IS NULL
    -- One that was put back is a row of its own.
    AND NOT EXISTS (
        SELECT 1
        FROM public.inventory_level AS otra
        WHERE otra.inventory_item_id = n.inventory_item_id
            AND otra.location_id = n.location_id
            AND n.deleted_at IS NOT NULL
            AND (otra.deleted_at IS NULL OR (otra.deleted_at, otra.id) > (n.deleted_at, n.id))
    )
