-- The last price charged, beside the one suggested.

CREATE OR REPLACE VIEW dw.mv_precios AS
SELECT
    i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.costo_promedio,
    (i.ultima_venta AT TIME ZONE c.zona)::date AS ultima_venta,
    i.ultimo_precio AS precio,
    i.precio_sugerido,
    i.ultimo_precio - i.precio_sugerido AS diferencia,
    round((i.ultimo_precio - i.precio_sugerido) * 1.00000000000000000000 / nullif(i.precio_sugerido, 0), 6)
        AS diferencia_relativa,
    i.ultimo_neto AS precio_neto,
    i.ultimo_neto < i.costo_promedio AS bajo_costo
FROM dw.v_corte AS c
CROSS JOIN dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
WHERE i.ultima_venta IS NOT NULL;
COMMENT ON VIEW dw.mv_precios IS
    'El último precio cobrado por cada producto, con impuesto, al lado del sugerido; bajo_costo: sin impuesto no cubre el costo promedio';
SELECT etl.conceder('SELECT', 'dw.mv_precios', 'bi_lector');
