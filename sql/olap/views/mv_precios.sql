-- The last price charged, beside the one suggested.

CREATE OR REPLACE VIEW dw.mv_precios AS
SELECT
    i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.costo_promedio,
    (i.ultima_venta AT TIME ZONE c.zona)::date AS ultima_venta,
    u.precio,
    i.precio_sugerido,
    u.precio - i.precio_sugerido AS diferencia,
    round((u.precio - i.precio_sugerido) / nullif(i.precio_sugerido, 0), 6) AS diferencia_relativa,
    u.neto AS precio_neto,
    u.neto < i.costo_promedio AS bajo_costo
FROM dw.v_corte AS c
CROSS JOIN dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
INNER JOIN dw.v_politica_producto AS v ON v.id_producto = i.id_producto
CROSS JOIN LATERAL (
    SELECT
        dw.venta_neta(1, i.ultimo_precio, p.impuesto) AS neto,
        -- A suggested price has its tax within; a price that the shop types without it gets it.
        round(i.ultimo_precio * CASE WHEN p.impuesto = 0 THEN 1 + v.impuesto ELSE 1 END, 6)
            AS precio
) AS u
WHERE i.ultima_venta IS NOT NULL;
COMMENT ON VIEW dw.mv_precios IS
    'El último precio cobrado por cada producto, con impuesto, al lado del sugerido; bajo_costo: sin impuesto no cubre el costo promedio';
SELECT etl.conceder('SELECT', 'dw.mv_precios', 'bi_lector');
