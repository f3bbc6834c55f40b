-- What each branch has, for how many days it lasts there, and what to send or order.

CREATE OR REPLACE VIEW dw.v_reposicion_sucursal AS
SELECT
    e.id_sucursal,
    coalesce(s.nombre, 'Sucursal ' || e.id_sucursal) AS sucursal,
    e.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    e.existencias,
    round(e.existencias * i.costo_promedio, 6) AS valor,
    coalesce(v.unidades, 0) AS unidades_90_dias,
    round(coalesce(v.unidades, 0) * 1.00000000000000000000 / d.dias, 6) AS venta_diaria,
    round(e.existencias * d.dias * 1.00000000000000000000 / nullif(greatest(v.unidades, 0), 0), 6) AS dias_cobertura,
    p.activo AND e.existencias <= 0 AND coalesce(v.unidades, 0) > 0 AS agotado,
    p.activo AND e.existencias > 0 AND e.existencias * d.dias <= 15 * coalesce(v.unidades, 0) AS reponer,
    i.existencias AS existencias_producto,
    CASE WHEN v.unidades <> 0 THEN d.dias END AS dias_medidos,
    d.deseados AS dias_deseados,
    CASE WHEN p.activo
        THEN greatest(ceil(round(
            coalesce(v.unidades, 0) * d.deseados * 1.00000000000000000000 / d.dias - e.existencias, 6
        )), 0)
        ELSE 0
    END AS por_pedir,
    p.proveedor
FROM dw.v_corte AS c
CROSS JOIN dw.existencias_sucursal AS e
INNER JOIN dw.producto AS p ON p.id_producto = e.id_producto AND p.inventariable
INNER JOIN dw.inventario AS i ON i.id_producto = e.id_producto
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = e.id_sucursal
LEFT JOIN (
    -- No summary has both the branch and the day. Product by product: its ledger is in order of
    -- date, the whole one is not; of one that was not sold in these months nothing is read.
    SELECT r.id_producto, k.id_sucursal, k.unidades, k.variacion, k.primera, h.desde
    FROM (
        SELECT
            h.dia, etl.inicio_del_dia(h.dia - 89, h.zona) AS desde,
            etl.inicio_del_dia(h.dia + 1, h.zona) AS hasta
        FROM dw.v_corte AS h
        OFFSET 0
    ) AS h
    CROSS JOIN LATERAL (
        SELECT DISTINCT m.id_producto
        FROM dw.resumen_mensual AS m
        WHERE m.mes >= date_trunc('month', (h.dia - 89)::timestamp)::date
            AND (m.unidades_vendidas <> 0 OR m.unidades_devueltas <> 0)
    ) AS r
    CROSS JOIN LATERAL (
        SELECT
            m.id_sucursal, coalesce(-sum(m.variacion) FILTER (WHERE m.ventas), 0) AS unidades,
            sum(m.variacion) AS variacion, min(m.fecha) AS primera
        FROM (
            SELECT
                f.id_sucursal, f.fecha,
                CASE WHEN f.id_sucursal_destino IS NULL THEN f.variacion ELSE -f.cantidad END AS variacion,
                f.fecha < h.hasta AND f.tipo = ANY (
                    ARRAY(SELECT t.tipo FROM dw.tipo_movimiento AS t WHERE t.clase = 'ventas')
                ) AS ventas
            FROM dw.kardex AS f
            WHERE f.id_producto = r.id_producto AND f.fecha >= h.desde
            UNION ALL
            SELECT f.id_sucursal_destino, f.fecha, f.cantidad, false
            FROM dw.kardex AS f
            WHERE f.id_producto = r.id_producto AND f.fecha >= h.desde AND f.id_sucursal_destino IS NOT NULL
        ) AS m
        GROUP BY m.id_sucursal
    ) AS k
) AS v ON v.id_producto = e.id_producto AND v.id_sucursal = e.id_sucursal
LEFT JOIN (
    SELECT s.id_producto, s.id_sucursal, o.fecha
    FROM dw.apertura_sucursal AS s
    INNER JOIN etl.v_apertura AS o ON o.id_producto = s.id_producto
) AS a ON a.id_producto = e.id_producto AND a.id_sucursal = e.id_sucursal AND a.fecha >= v.desde
LEFT JOIN dw.politica_reposicion AS del_producto ON del_producto.id_producto = e.id_producto
LEFT JOIN dw.politica_reposicion AS de_categoria ON de_categoria.categoria = p.categoria
LEFT JOIN dw.politica_reposicion AS de_todo ON de_todo.id_producto IS NULL AND de_todo.categoria IS NULL
CROSS JOIN LATERAL (
    SELECT CASE
        -- What it had as the 90 days began is what it has, less what they brought.
        WHEN a.fecha IS NULL AND e.existencias <> v.variacion THEN 90
        ELSE least(90, greatest(1, coalesce(c.dia - (least(v.primera, a.fecha) AT TIME ZONE c.zona)::date, 90)))
    END AS dias,
    coalesce(del_producto.dias, de_categoria.dias, de_todo.dias, 30) AS deseados
) AS d;
COMMENT ON VIEW dw.v_reposicion_sucursal IS
    'Existencias de cada producto en cada sucursal, al costo promedio del producto, y sus días de cobertura como en dw.mv_reposicion, al ritmo de la sucursal';
COMMENT ON COLUMN dw.v_reposicion_sucursal.dias_medidos IS
    'Como en dw.mv_reposicion, por lo que había y entró en la sucursal; nulo si ahí no se vendió nada, o se devolvió o anuló todo';
COMMENT ON COLUMN dw.v_reposicion_sucursal.existencias_producto IS
    'Las de todas las sucursales: si las hay, basta un traslado';
COMMENT ON COLUMN dw.v_reposicion_sucursal.dias_deseados IS 'Para cuántos días se pide, según dw.politica_reposicion';
COMMENT ON COLUMN dw.v_reposicion_sucursal.por_pedir IS
    'Unidades enteras que le faltan a la sucursal para vender esos días a su ritmo, se envíen de otra o se pidan; 0 de lo que la tienda borró';
COMMENT ON COLUMN dw.v_reposicion_sucursal.proveedor IS 'A quién se le pide, si productos.sql lo dice';
SELECT etl.conceder('SELECT', 'dw.v_reposicion_sucursal', 'bi_lector');
-- Whoever reads the view runs what it calls.
SELECT etl.conceder('EXECUTE', 'etl.inicio_del_dia(date, text)', 'bi_lector');
