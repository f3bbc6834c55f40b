-- Sales and margin of each category in the 30 whole days before the day of the cut.
SELECT
    v.categoria,
    sum(v.unidades) AS unidades,
    sum(v.venta_bruta) AS bruta,
    sum(v.venta_neta) AS venta,
    sum(v.margen) AS margen,
    sum(v.margen) / nullif(sum(v.venta_neta), 0) AS margen_relativo,
    count(*) OVER () AS total
FROM dw.mv_ventas_diarias AS v
WHERE v.dia BETWEEN %(dia)s::date - 30 AND %(dia)s::date - 1
GROUP BY v.categoria
HAVING sum(v.unidades) <> 0 OR sum(v.margen) <> 0
ORDER BY venta DESC, v.categoria
LIMIT %(limite)s;
