-- What sold most in this month and the one before.
SELECT
    m.id_producto, m.codigo, m.nombre,
    sum(m.unidades) AS unidades,
    sum(m.venta_bruta) AS bruta,
    sum(m.venta_neta) AS venta,
    sum(m.margen) AS margen,
    sum(m.margen) / nullif(sum(m.venta_neta), 0) AS margen_relativo,
    count(*) OVER () AS total
FROM dw.mv_margen_producto_mes AS m
WHERE m.mes >= (date_trunc('month', %(dia)s::date) - interval '1 month')::date
GROUP BY m.id_producto, m.codigo, m.nombre
HAVING sum(m.unidades) > 0
ORDER BY venta DESC, m.id_producto
LIMIT %(limite)s;
