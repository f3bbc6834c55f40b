-- Sold before they were received.
SELECT i.codigo, i.nombre, i.existencias, i.costo_promedio, i.valor_negativo
FROM dw.mv_inventario_valorizado AS i
WHERE i.existencias < 0
ORDER BY i.valor_negativo, i.id_producto
LIMIT 10
