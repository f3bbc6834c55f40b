-- Movements that cannot be valued, each with its product, its document and the reason; the latest first.
SELECT
    r.id_movimiento, r.motivo, r.fecha, r.cantidad, r.primera_hasta AS desde,
    coalesce(r.documento, r.id_movimiento::text) AS documento,
    r.id_producto, coalesce(i.codigo, r.producto) AS codigo, i.nombre,
    count(*) OVER () AS total
FROM dw.v_rechazos AS r
LEFT JOIN dw.mv_inventario_valorizado AS i ON i.id_producto = r.id_producto
ORDER BY r.primera_hasta DESC, r.fecha DESC NULLS LAST, r.id_movimiento DESC
LIMIT %(limite)s;
