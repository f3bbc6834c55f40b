-- Stock that at the pace of 90 days lasts more than 180, or that nobody bought: most value first.
SELECT
    r.id_producto, r.codigo, r.nombre,
    r.existencias, i.valor, r.dias_cobertura, p.ultima_venta,
    count(*) OVER () AS total,
    sum(i.valor) OVER () AS valor_total
FROM dw.mv_reposicion AS r
INNER JOIN dw.mv_inventario_valorizado AS i ON i.id_producto = r.id_producto
LEFT JOIN dw.mv_precios AS p ON p.id_producto = r.id_producto
WHERE r.existencias > 0 AND (r.dias_cobertura IS NULL OR r.dias_cobertura > 180)
ORDER BY i.valor DESC, r.id_producto
LIMIT %(limite)s;
