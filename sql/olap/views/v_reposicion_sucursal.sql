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
    round(coalesce(v.unidades, 0) / coalesce(v.dias, 90), 6) AS venta_diaria,
    round(e.existencias * v.dias / nullif(greatest(v.unidades, 0), 0), 6) AS dias_cobertura,
    p.activo AND e.existencias <= 0 AND coalesce(v.unidades, 0) > 0 AS agotado,
    p.activo AND e.existencias > 0 AND e.existencias * coalesce(v.dias, 90) <= 15 * coalesce(v.unidades, 0) AS reponer,
    i.existencias AS existencias_producto,
    CASE WHEN v.unidades <> 0 THEN v.dias END AS dias_medidos
FROM dw.v_corte AS c
CROSS JOIN dw.existencias_sucursal AS e
INNER JOIN dw.producto AS p ON p.id_producto = e.id_producto AND p.inventariable
INNER JOIN dw.inventario AS i ON i.id_producto = e.id_producto
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = e.id_sucursal
LEFT JOIN (
    -- No summary has both the branch and the day. Product by product: its ledger is in order of
    -- date, the whole one is not; of one that was not sold in these months nothing is read.
    SELECT
        r.id_producto, k.id_sucursal, k.unidades,
        CASE WHEN n.antes THEN 90
            ELSE least(90, greatest(1, h.dia - (least(n.primera, a.fecha) AT TIME ZONE h.zona)::date))
        END AS dias
    FROM (
        SELECT
            h.dia, h.zona, etl.inicio_del_dia(h.dia - 89, h.zona) AS desde,
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
    LEFT JOIN (
        SELECT s.id_producto, s.id_sucursal, o.fecha
        FROM dw.apertura_sucursal AS s
        INNER JOIN etl.v_apertura AS o ON o.id_producto = s.id_producto
    ) AS a ON a.id_producto = r.id_producto AND a.id_sucursal = k.id_sucursal
    CROSS JOIN LATERAL (
        SELECT s.antes, CASE WHEN NOT s.antes THEN (
            SELECT min(f.fecha)
            FROM dw.kardex AS f
            WHERE f.id_producto = r.id_producto AND f.fecha >= h.desde
                AND (f.id_sucursal = k.id_sucursal OR f.id_sucursal_destino = k.id_sucursal)
        ) END AS primera
        FROM (
            -- The first row of most: what is moved in a branch now was moved there before.
            SELECT EXISTS (
                SELECT FROM dw.kardex AS f
                WHERE f.id_producto = r.id_producto AND f.fecha < h.desde
                    AND (f.id_sucursal = k.id_sucursal OR f.id_sucursal_destino = k.id_sucursal)
            ) OR coalesce(a.fecha < h.desde, false) AS antes
            OFFSET 0
        ) AS s
    ) AS n
) AS v ON v.id_producto = e.id_producto AND v.id_sucursal = e.id_sucursal;
COMMENT ON VIEW dw.v_reposicion_sucursal IS
    'Existencias de cada producto en cada sucursal, al costo promedio del producto, y sus días de cobertura como en dw.mv_reposicion, al ritmo de la sucursal';
COMMENT ON COLUMN dw.v_reposicion_sucursal.dias_medidos IS
    'Como en dw.mv_reposicion, desde su primer movimiento o apertura en la sucursal; nulo si ahí no se vendió nada, o se devolvió o anuló todo';
COMMENT ON COLUMN dw.v_reposicion_sucursal.existencias_producto IS
    'Las de todas las sucursales: si las hay, basta un traslado';
SELECT etl.conceder('SELECT', 'dw.v_reposicion_sucursal', 'bi_lector');
-- Whoever reads the view runs what it calls.
SELECT etl.conceder('EXECUTE', 'etl.inicio_del_dia(date, text)', 'bi_lector');
