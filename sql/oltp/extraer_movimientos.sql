-- The pipeline's read of movimientos.sql: every value cast to the staging table's type, but for
-- a date without a zone: of that the OLAP makes a moment, by the rules that it cuts days by. Its
-- slots are that file, which of its rows are read, what its dates are, the columns that it may
-- lack, null there, and those that stand beside a movement, where it has them.
SELECT
    m.id_movimiento::bigint,
    m.tipo::text,
    m.id_producto::bigint,
    m.id_sucursal::bigint,
    m.cantidad::numeric,
    m.precio_unitario::numeric,
    m.costo_unitario::numeric,
    m.fecha::{type},
    m.anulado::boolean,
    {id_origen}::bigint,
    {id_sucursal_destino}::bigint,
    {importe}::numeric,
    {impuesto}::numeric,
    {precio_con_impuesto}::boolean{beside}
FROM (
{query}
) AS m
WHERE {condition}
