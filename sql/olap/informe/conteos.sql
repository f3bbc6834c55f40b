-- What the counts of the last 90 days found that was not as it should be, most money first; each
-- row with the sums of all.
SELECT
    c.id_producto, c.codigo, c.nombre, c.fecha, c.sucursal, c.de_todo, c.diferencia, c.valor,
    count(*) OVER () AS total,
    coalesce(sum(c.valor) FILTER (WHERE c.valor > 0) OVER (), 0) AS sobrante,
    coalesce(-sum(c.valor) FILTER (WHERE c.valor < 0) OVER (), 0) AS faltante
FROM dw.v_conteos AS c
WHERE c.fecha >= (%(dia)s::date - 90)::timestamp AT TIME ZONE %(zona)s
    AND c.diferencia <> 0
ORDER BY abs(c.valor) DESC, c.fecha DESC, c.id_movimiento
LIMIT %(limite)s;
