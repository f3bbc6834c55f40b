-- Each of the last 91 days with its sales, and those of the same day of the week before.
-- The last one is the day of the cut, which may not be over.
WITH suma AS (
    SELECT
        v.dia, sum(v.venta_bruta) AS bruta, sum(v.venta_neta) AS venta, sum(v.margen) AS margen, sum(v.unidades) AS unidades,
        sum(v.devoluciones) AS devoluciones, sum(v.mermas) AS mermas
    FROM dw.mv_ventas_diarias AS v
    WHERE v.dia BETWEEN %(dia)s::date - 97 AND %(dia)s::date
    GROUP BY v.dia
)
SELECT
    (%(dia)s::date - n) AS dia,
    coalesce(s.bruta, 0) AS bruta,
    coalesce(s.venta, 0) AS venta,
    coalesce(s.margen, 0) AS margen,
    coalesce(s.unidades, 0) AS unidades,
    coalesce(s.devoluciones, 0) AS devoluciones,
    coalesce(s.mermas, 0) AS mermas,
    coalesce(a.venta, 0) AS venta_semana_antes,
    coalesce(a.margen, 0) AS margen_semana_antes
FROM generate_series(90, 0, -1) AS n
LEFT JOIN suma AS s ON s.dia = %(dia)s::date - n
LEFT JOIN suma AS a ON a.dia = %(dia)s::date - n - 7
ORDER BY 1;
