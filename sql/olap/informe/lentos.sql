-- Stock that at its pace lasts more than 180 days, or that nobody bought: most value first. Not what came
-- in this month or the last, nor what the shop has for a month alone.
SELECT
    r.id_producto, r.codigo, r.nombre,
    r.existencias, a.valor, r.dias_cobertura, a.ultima_venta,
    count(*) OVER () AS total,
    sum(a.valor) OVER () AS valor_total
FROM dw.mv_reposicion AS r
INNER JOIN dw.v_antiguedad AS a ON a.id_producto = r.id_producto
WHERE (r.dias_cobertura IS NULL OR r.dias_cobertura > 180) AND r.dias_medidos > 30
    AND NOT a.recibido_hace_poco
ORDER BY a.valor DESC, r.id_producto
LIMIT %(limite)s;
