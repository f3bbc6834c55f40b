-- adapt: the last rows of each type, as the query yields them.
SELECT
    e.tipo, e.id_movimiento, e.id_producto, e.id_sucursal, e.cantidad, e.precio_unitario, e.costo_unitario,
    e.fecha, e.anulado
FROM (
    SELECT
        m.tipo::text AS tipo, m.{movement}::text AS id_movimiento, m.{product}::text AS id_producto,
        m.{branch}::text AS id_sucursal, m.cantidad::numeric AS cantidad,
        m.precio_unitario::numeric AS precio_unitario, m.costo_unitario::numeric AS costo_unitario,
        m.fecha::{type}::text AS fecha, m.anulado::boolean AS anulado,
        row_number() OVER (PARTITION BY m.tipo ORDER BY m.fecha DESC NULLS LAST, m.id_movimiento DESC) AS puesto
    FROM (
{query}
    ) AS m
) AS e
WHERE e.puesto <= {rows}
ORDER BY e.tipo, e.puesto
