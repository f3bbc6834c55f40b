-- Today and this month, each beside the one before up to the same day, and that of the year before: of
-- a day, the same one of the week.
WITH periodo AS (
    SELECT 1 AS orden, 'hoy' AS periodo, %(dia)s::date AS desde, %(dia)s::date AS hasta
    UNION ALL
    SELECT 2, 'hace una semana', %(dia)s::date - 7, %(dia)s::date - 7
    UNION ALL
    SELECT 3, 'hace un año', %(dia)s::date - 364, %(dia)s::date - 364
    UNION ALL
    SELECT
        m.orden, m.periodo, m.mes::date,
        -- A shorter month ends with its last day.
        least(
            m.mes::date + (%(dia)s::date - date_trunc('month', %(dia)s::timestamp)::date),
            (m.mes + interval '1 month')::date - 1
        )
    FROM (
        VALUES
            (4, 'este mes', date_trunc('month', %(dia)s::timestamp)),
            (5, 'el mes pasado', date_trunc('month', %(dia)s::timestamp) - interval '1 month'),
            (6, 'este mes, hace un año', date_trunc('month', %(dia)s::timestamp) - interval '1 year')
    ) AS m (orden, periodo, mes)
)
SELECT
    p.periodo, p.desde, p.hasta,
    coalesce(sum(v.venta_bruta), 0) AS bruta,
    coalesce(sum(v.venta_neta), 0) AS venta,
    coalesce(sum(v.margen), 0) AS margen
FROM periodo AS p
LEFT JOIN dw.mv_ventas_diarias AS v ON v.dia BETWEEN p.desde AND p.hasta
GROUP BY p.orden, p.periodo, p.desde, p.hasta
ORDER BY p.orden;
