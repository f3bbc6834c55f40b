-- Sales, returns, margin and shrinkage of the last seven days of trade.
SELECT
    v.dia, sum(v.venta_neta), sum(v.devoluciones), sum(v.costo), sum(v.ajuste), sum(v.margen),
    100 * sum(v.margen) / nullif(sum(v.venta_neta), 0), sum(v.mermas)
FROM dw.mv_ventas_diarias AS v
WHERE v.dia > (SELECT max(u.dia) FROM dw.mv_ventas_diarias AS u) - 7
GROUP BY v.dia
ORDER BY v.dia
