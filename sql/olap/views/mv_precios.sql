-- The last price charged, beside the one suggested.

CREATE MATERIALIZED VIEW IF NOT EXISTS dw.mv_precios AS
SELECT
    i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.costo_promedio,
    (u.fecha AT TIME ZONE c.zona)::date AS ultima_venta,
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
-- The end of each product's ledger, by its key: the cost does not follow the history.
CROSS JOIN LATERAL (
    SELECT
        k.fecha,
        dw.venta_neta(1, k.precio_unitario, p.impuesto) AS neto,
        -- A suggested price has its tax within; a price that the shop types without it gets it.
        round(k.precio_unitario * CASE WHEN p.impuesto = 0 THEN 1 + v.impuesto ELSE 1 END, 6)
            AS precio
    FROM dw.kardex AS k
    WHERE k.id_producto = i.id_producto AND k.tipo = 'VENTA'
    ORDER BY k.id_producto DESC, k.fecha DESC, k.orden DESC, k.id_movimiento DESC
    LIMIT 1
) AS u
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS mv_precios_clave ON dw.mv_precios (id_producto);
COMMENT ON MATERIALIZED VIEW dw.mv_precios IS
    'El último precio cobrado por cada producto, con impuesto, al lado del sugerido; bajo_costo: sin impuesto no cubre el costo promedio';
SELECT etl.conceder('SELECT', 'dw.mv_precios', 'bi_lector');
