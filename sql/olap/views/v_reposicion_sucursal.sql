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
    round(coalesce(v.unidades, 0) / 90, 6) AS venta_diaria,
    round(e.existencias * 90 / nullif(greatest(v.unidades, 0), 0), 6) AS dias_cobertura,
    p.activo AND e.existencias <= 0 AND coalesce(v.unidades, 0) > 0 AS agotado,
    p.activo AND e.existencias > 0 AND e.existencias * 90 <= 15 * coalesce(v.unidades, 0) AS reponer,
    i.existencias AS existencias_producto
FROM dw.v_corte AS c
CROSS JOIN dw.existencias_sucursal AS e
INNER JOIN dw.producto AS p ON p.id_producto = e.id_producto AND p.inventariable
INNER JOIN dw.inventario AS i ON i.id_producto = e.id_producto
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = e.id_sucursal
LEFT JOIN (
    -- No summary has both the branch and the day. Product by product: its ledger is in order of
    -- date, the whole one is not; of one that was not sold in these months nothing is read.
    SELECT r.id_producto, k.id_sucursal, sum(k.unidades) AS unidades
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
        SELECT f.id_sucursal, -sum(f.variacion) AS unidades
        FROM dw.kardex AS f
        WHERE f.id_producto = r.id_producto AND f.fecha >= h.desde AND f.fecha < h.hasta
            AND f.tipo = ANY (ARRAY(SELECT t.tipo FROM dw.tipo_movimiento AS t WHERE t.clase = 'ventas'))
        GROUP BY f.id_sucursal
    ) AS k
    GROUP BY r.id_producto, k.id_sucursal
) AS v ON v.id_producto = e.id_producto AND v.id_sucursal = e.id_sucursal;
COMMENT ON VIEW dw.v_reposicion_sucursal IS
    'Existencias de cada producto en cada sucursal, al costo promedio del producto, y sus días de cobertura como en dw.mv_reposicion';
COMMENT ON COLUMN dw.v_reposicion_sucursal.existencias_producto IS
    'Las de todas las sucursales: si las hay, basta un traslado';
SELECT etl.conceder('SELECT', 'dw.v_reposicion_sucursal', 'bi_lector');
-- Whoever reads the view runs what it calls.
SELECT etl.conceder('EXECUTE', 'etl.inicio_del_dia(date, text)', 'bi_lector');
