-- How often the stock is turned over in a year.

CREATE MATERIALIZED VIEW IF NOT EXISTS dw.mv_rotacion AS
WITH corte AS (
    SELECT c.dia, c.dia - 364 AS desde FROM dw.v_corte AS c
), meses AS (
    -- The month-ends that fall within the 365 days; each named by its first day.
    SELECT date_trunc('month', g.mes)::date AS mes
    FROM corte AS c
    CROSS JOIN generate_series(
        date_trunc('month', c.desde::timestamp), date_trunc('month', c.dia::timestamp),
        interval '1 month'
    ) AS g (mes)
    WHERE (g.mes + interval '1 month - 1 day')::date BETWEEN c.desde AND c.dia
), flujo AS (
    SELECT r.id_producto, r.mes, sum(r.costo_recibido - r.costo_ventas + r.ajuste) AS neto
    FROM dw.resumen_mensual AS r
    GROUP BY r.id_producto, r.mes
    UNION ALL
    SELECT
        a.id_producto, date_trunc('month', a.fecha AT TIME ZONE t.zona)::date,
        round(a.existencias * a.costo_promedio, 6)
    FROM dw.apertura AS a
    CROSS JOIN dw.v_corte AS t
), saldo AS (
    SELECT
        f.id_producto, f.mes,
        sum(f.neto) OVER (PARTITION BY f.id_producto ORDER BY f.mes RANGE UNBOUNDED PRECEDING) AS valor,
        lead(f.mes) OVER (PARTITION BY f.id_producto ORDER BY f.mes) AS hasta_mes
    FROM flujo AS f
), promedio AS (
    SELECT s.id_producto, avg(greatest(s.valor, 0)) AS valor
    FROM saldo AS s
    INNER JOIN meses AS m ON m.mes >= s.mes AND m.mes < coalesce(s.hasta_mes, 'infinity')
    -- Of a long history, only the balances that reach into the year.
    WHERE coalesce(s.hasta_mes, 'infinity') > (SELECT min(n.mes) FROM meses AS n)
    GROUP BY s.id_producto
)
SELECT
    i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    coalesce(v.costo_ventas_365, 0) AS costo_ventas_365_dias,
    round(coalesce(q.valor, greatest(i.valor, 0)), 6) AS valor_promedio,
    round(coalesce(v.costo_ventas_365, 0) / nullif(coalesce(q.valor, greatest(i.valor, 0)), 0), 6)
        AS rotacion
FROM corte AS c
CROSS JOIN dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
LEFT JOIN promedio AS q ON q.id_producto = i.id_producto
LEFT JOIN dw.resumen_movil AS v ON v.id_producto = i.id_producto
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS mv_rotacion_clave ON dw.mv_rotacion (id_producto);
COMMENT ON MATERIALIZED VIEW dw.mv_rotacion IS
    'Costo de ventas de 365 días sobre el valor promedio a fin de mes (lo negativo cuenta 0)';
SELECT etl.conceder('SELECT', 'dw.mv_rotacion', 'bi_lector');
