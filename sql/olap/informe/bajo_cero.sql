-- Sold before they were received: their cost is provisional until they are. The lowest first.
SELECT
    i.id_producto, i.codigo, i.nombre, i.existencias_negativas, i.costo_promedio,
    count(*) OVER () AS total
FROM dw.mv_inventario_valorizado AS i
WHERE i.existencias_negativas < 0
ORDER BY i.existencias_negativas, i.id_producto
LIMIT %(limite)s;
