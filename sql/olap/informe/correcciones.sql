-- The last closing, and what was booked since of what is closed, most money first; each row with the
-- sums of all. One row without a movement where nothing was.
SELECT
    u.dia, c.id_movimiento, c.id_producto, c.codigo, c.nombre, c.que,
    coalesce(c.fecha_ahora, c.fecha_antes) AS fecha, c.efecto_existencias, c.efecto_valor,
    c.efecto_margen, count(c.id_movimiento) OVER () AS total,
    sum(c.efecto_valor) OVER () AS valor, sum(c.efecto_margen) OVER () AS margen
FROM (SELECT d.dia, d.hasta FROM dw.cierre AS d ORDER BY d.hasta DESC LIMIT 1) AS u
LEFT JOIN dw.v_correcciones AS c ON c.asentado >= u.hasta
ORDER BY abs(c.efecto_valor) DESC, c.asentado, c.id_movimiento, c.id_producto
LIMIT %(limite)s;
