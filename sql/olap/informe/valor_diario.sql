-- The value of the stock at the end of each of the last 91 days: of one without movements,
-- that of the last one with them; nothing before the first.
SELECT d.dia, v.valor
FROM (SELECT %(dia)s::date - n AS dia FROM generate_series(90, 0, -1) AS n) AS d
CROSS JOIN LATERAL (
    SELECT m.valor FROM dw.mv_valor_diario AS m WHERE m.dia <= d.dia ORDER BY m.dia DESC LIMIT 1
) AS v
ORDER BY d.dia;
