-- Whose last price, without tax, does not cover the average cost: what was lost at the
-- pace of 90 days first.
SELECT
    p.id_producto, p.codigo, p.nombre, p.precio_neto, p.costo_promedio, p.ultima_venta,
    p.costo_promedio - p.precio_neto AS perdida,
    count(*) OVER () AS total
FROM dw.mv_precios AS p
LEFT JOIN dw.mv_reposicion AS r ON r.id_producto = p.id_producto
WHERE p.bajo_costo
ORDER BY
    (p.costo_promedio - p.precio_neto) * coalesce(r.unidades_90_dias, 0) DESC,
    p.costo_promedio - p.precio_neto DESC, p.id_producto
LIMIT %(limite)s;
