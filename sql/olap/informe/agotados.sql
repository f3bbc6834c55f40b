-- Sold in the last 90 days, and there is none left: what sells fastest first.
SELECT
    r.id_producto, r.codigo, r.nombre, r.existencias, r.venta_diaria, r.dias_cobertura, r.por_pedir,
    r.proveedor,
    count(*) OVER () AS total
FROM dw.mv_reposicion AS r
WHERE r.agotado
ORDER BY r.venta_diaria DESC, r.id_producto
LIMIT %(limite)s;
