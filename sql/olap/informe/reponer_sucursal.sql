-- What is out or runs out in a branch, what sells fastest there first, with what the other branches
-- have; all of it, and nothing where there is one branch alone.
SELECT
    r.id_producto, r.codigo, r.nombre, r.categoria, r.id_sucursal, r.sucursal, r.existencias, r.venta_diaria,
    greatest(r.dias_cobertura, 0) AS dias_cobertura,
    greatest(r.existencias_producto - r.existencias, 0) AS en_otras,
    r.dias_deseados, r.por_pedir, r.proveedor,
    count(*) OVER () AS total
FROM dw.v_reposicion_sucursal AS r
WHERE (r.agotado OR r.reponer)
    AND 1 < (SELECT count(DISTINCT e.id_sucursal) FROM dw.existencias_sucursal AS e)
ORDER BY r.agotado DESC, r.venta_diaria DESC, r.id_producto, r.id_sucursal;
