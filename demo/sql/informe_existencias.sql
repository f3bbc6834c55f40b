-- The products that sell most: what is left of them, at which cost and price.
SELECT
    a.codigo, a.nombre, i.existencias,
    CASE WHEN i.existencias > 0 THEN r.dias_cobertura END,
    i.costo_promedio, i.precio_sugerido
FROM dw.mv_abc AS a
INNER JOIN dw.mv_inventario_valorizado AS i ON i.id_producto = a.id_producto
INNER JOIN dw.mv_reposicion AS r ON r.id_producto = a.id_producto
ORDER BY a.venta_neta_365_dias DESC, a.id_producto
LIMIT 10
