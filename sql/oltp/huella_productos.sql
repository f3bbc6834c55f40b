-- A fingerprint of the ids that productos.sql yields: where it is the one of the last
-- window, no product has come or gone since.
SELECT count(m.id_producto) || '-' || coalesce(sum(hashint8extended(m.id_producto::bigint, 0)), 0)
FROM (
{query}
) AS m
