-- The stock by the days since it was last sold, and the money in it.
SELECT
    a.tramo, count(*) AS productos, sum(a.valor) AS valor,
    sum(a.valor) / nullif(sum(sum(a.valor)) OVER (), 0) AS parte
FROM dw.v_antiguedad AS a
GROUP BY a.tramo
ORDER BY a.tramo;
