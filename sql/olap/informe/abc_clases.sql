-- How many products each class has, and what they sold in 365 days.
SELECT
    a.clase, count(*) AS productos, sum(a.venta_neta_365_dias) AS venta,
    sum(a.participacion) AS participacion
FROM dw.mv_abc AS a
GROUP BY a.clase
ORDER BY a.clase;
