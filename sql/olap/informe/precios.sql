-- Where the suggested price is not the one charged: what matters most at the pace of 90 days first.
SELECT
    p.id_producto, p.codigo, p.nombre, p.precio, p.precio_sugerido, p.diferencia,
    p.diferencia_relativa,
    count(*) OVER () AS total
FROM dw.mv_precios AS p
LEFT JOIN dw.mv_reposicion AS r ON r.id_producto = p.id_producto
-- A price typed without tax in whole cents is never exactly a suggested one with tax.
WHERE abs(p.diferencia) >= 0.01
ORDER BY
    abs(p.diferencia) * coalesce(r.unidades_90_dias, 0) DESC, abs(p.diferencia) DESC, p.id_producto
LIMIT %(limite)s;
