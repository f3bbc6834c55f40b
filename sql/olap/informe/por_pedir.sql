-- Everything that the shop should order: what is out first, then what lasts shortest.
SELECT
    r.id_producto, r.codigo, r.nombre, r.categoria, r.existencias, r.venta_diaria, r.dias_cobertura,
    r.agotado, r.dias_deseados, r.por_pedir, r.proveedor
FROM dw.mv_reposicion AS r
WHERE r.agotado OR r.reponer
ORDER BY r.agotado DESC, r.dias_cobertura, r.venta_diaria DESC, r.id_producto;
