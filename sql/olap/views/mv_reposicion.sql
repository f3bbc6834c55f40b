-- For how many days the stock lasts, and what to order.

CREATE OR REPLACE VIEW dw.mv_reposicion AS
SELECT
    i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.existencias,
    coalesce(v.unidades_90, 0) AS unidades_90_dias,
    round(coalesce(v.unidades_90, 0) / 90, 6) AS venta_diaria,
    round(i.existencias * 90 / nullif(greatest(v.unidades_90, 0), 0), 6) AS dias_cobertura,
    p.activo AND i.existencias <= 0 AND coalesce(v.unidades_90, 0) > 0 AS agotado,
    p.activo AND i.existencias > 0 AND i.existencias * 90 <= 15 * coalesce(v.unidades_90, 0) AS reponer
FROM dw.v_corte AS c
CROSS JOIN dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto AND p.inventariable
LEFT JOIN dw.resumen_movil AS v ON v.id_producto = i.id_producto;
COMMENT ON VIEW dw.mv_reposicion IS
    'Días de cobertura al ritmo de los últimos 90 días, neto de devoluciones; agotado: se vende y no hay; reponer: cubre 15 días o menos; ninguno de los dos en lo que la tienda borró';
SELECT etl.conceder('SELECT', 'dw.mv_reposicion', 'bi_lector');
