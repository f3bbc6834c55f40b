-- Vendure's own figure of what is on hand, which goes down when goods are shipped; of what it keeps no
-- stock of, nothing.
SELECT
    n."productVariantId" AS id_producto,
    n."stockLocationId" AS id_sucursal,
    n."stockOnHand" AS existencias,
    n.xmin AS version_1,
    v.xmin AS version_2
FROM public.stock_level AS n
INNER JOIN public.product_variant AS v ON v.id = n."productVariantId"
CROSS JOIN public.global_settings AS todo
WHERE CASE v."trackInventory" WHEN 'TRUE' THEN true WHEN 'FALSE' THEN false ELSE todo."trackInventory" END
