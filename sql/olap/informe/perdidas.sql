-- What came back and what was lost of each category in the 30 whole days before the day of the cut:
-- most money first.
SELECT
    v.categoria,
    sum(v.venta_neta) AS venta,
    sum(v.devoluciones) AS devoluciones,
    sum(v.mermas) AS mermas,
    sum(v.margen) - sum(v.mermas) AS margen_tras_merma,
    count(*) OVER () AS total
FROM dw.mv_ventas_diarias AS v
WHERE v.dia BETWEEN %(dia)s::date - 30 AND %(dia)s::date - 1
GROUP BY v.categoria
HAVING sum(v.devoluciones) <> 0 OR sum(v.mermas) <> 0 OR sum(v.unidades_devueltas) <> 0
    OR sum(v.unidades_merma) <> 0
ORDER BY sum(v.devoluciones) + abs(sum(v.mermas)) DESC, v.categoria
LIMIT %(limite)s;
