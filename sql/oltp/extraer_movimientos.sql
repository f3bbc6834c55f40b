-- The pipeline's read of movimientos.sql: every value cast to the staging
-- table's type. Its two slots are that file, and which of its rows are read.
SELECT
    m.id_movimiento::bigint,
    m.tipo::text,
    m.id_producto::bigint,
    m.id_sucursal::bigint,
    m.cantidad::numeric,
    m.precio_unitario::numeric,
    m.costo_unitario::numeric,
    m.fecha::timestamptz,
    m.anulado::boolean
FROM (
{query}
) AS m
WHERE {condition}
