-- What lasts 15 days or less at the pace of the last 90, the shortest first.
SELECT
    r.id_producto, r.codigo, r.nombre, r.existencias, r.venta_diaria, r.dias_cobertura, r.por_pedir,
    r.proveedor,
    count(*) OVER () AS total
FROM dw.mv_reposicion AS r
WHERE r.reponer
ORDER BY r.dias_cobertura, r.id_producto
LIMIT %(limite)s;
