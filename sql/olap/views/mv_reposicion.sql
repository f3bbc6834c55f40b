-- For how many days the stock lasts, and what to order.

CREATE OR REPLACE VIEW dw.mv_reposicion AS
SELECT
    i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.existencias,
    coalesce(v.unidades_90, 0) AS unidades_90_dias,
    round(coalesce(v.unidades_90, 0) * 1.00000000000000000000 / d.dias, 6) AS venta_diaria,
    round(i.existencias * d.dias * 1.00000000000000000000 / nullif(greatest(v.unidades_90, 0), 0), 6) AS dias_cobertura,
    p.activo AND i.existencias <= 0 AND coalesce(v.unidades_90, 0) > 0 AS agotado,
    p.activo AND i.existencias > 0 AND i.existencias * d.dias <= 15 * coalesce(v.unidades_90, 0) AS reponer,
    d.dias AS dias_medidos,
    d.deseados AS dias_deseados,
    CASE WHEN p.activo
        THEN greatest(ceil(round(
            coalesce(v.unidades_90, 0) * d.deseados * 1.00000000000000000000 / d.dias - i.existencias, 6
        )), 0)
        ELSE 0
    END AS por_pedir,
    p.proveedor
FROM (
    SELECT h.dia, h.zona, etl.inicio_del_dia(h.dia - 89, h.zona) AS desde FROM dw.v_corte AS h OFFSET 0
) AS c
CROSS JOIN dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto AND p.inventariable
LEFT JOIN dw.resumen_movil AS v ON v.id_producto = i.id_producto
LEFT JOIN etl.v_apertura AS a ON a.id_producto = i.id_producto
LEFT JOIN dw.politica_reposicion AS del_producto ON del_producto.id_producto = i.id_producto
LEFT JOIN dw.politica_reposicion AS de_categoria ON de_categoria.categoria = p.categoria
LEFT JOIN dw.politica_reposicion AS de_todo ON de_todo.id_producto IS NULL AND de_todo.categoria IS NULL
CROSS JOIN LATERAL (
    SELECT
        least(90, greatest(1, coalesce(c.dia - (
            CASE
                -- It had been here, but not as the 90 days began: by its key, and of what is sold alone.
                WHEN v.unidades_90 <> 0 AND least(i.primera, a.fecha) < c.desde AND 0 = coalesce(
                    (
                        SELECT k.existencias
                        FROM dw.kardex AS k
                        WHERE k.id_producto = i.id_producto AND k.fecha < c.desde
                        ORDER BY
                            k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
                        LIMIT 1
                    ),
                    a.existencias, 0
                )
                    THEN (SELECT min(k.fecha) FROM dw.kardex AS k WHERE k.id_producto = i.id_producto AND k.fecha >= c.desde)
                ELSE least(i.primera, a.fecha)
            END AT TIME ZONE c.zona
        )::date, 90))) AS dias,
        coalesce(del_producto.dias, de_categoria.dias, de_todo.dias, 30) AS deseados
    -- Worked out once, though many ask for it.
    OFFSET 0
) AS d;
COMMENT ON VIEW dw.mv_reposicion IS
    'Días de cobertura al ritmo de los últimos 90 días, neto de devoluciones, o de los que van desde que entró, si no había nada al empezar esos 90; agotado: se vende y no hay; reponer: cubre 15 días o menos; ninguno de los dos en lo que la tienda borró';
COMMENT ON COLUMN dw.mv_reposicion.dias_medidos IS
    'Entre cuántos días se dividen sus unidades: 90 si al empezar esos días lo había; si no, los que van desde su primer movimiento o apertura en ellos, al menos 1';
COMMENT ON COLUMN dw.mv_reposicion.dias_deseados IS 'Para cuántos días se pide, según dw.politica_reposicion';
COMMENT ON COLUMN dw.mv_reposicion.por_pedir IS
    'Unidades enteras que faltan para vender esos días a este ritmo; 0 de lo que la tienda borró';
COMMENT ON COLUMN dw.mv_reposicion.proveedor IS 'A quién se le pide, si productos.sql lo dice';
SELECT etl.conceder('SELECT', 'dw.mv_reposicion', 'bi_lector');
