-- What is taken in an hour of each weekday, on average of the 28 whole days before the day of the cut, and
-- in how many tickets; of the whole shop, and of each branch where there are more.
WITH suma AS (
    SELECT
        v.id_sucursal, v.sucursal, v.dia_semana, v.hora,
        sum(v.venta_bruta) / 4 AS venta, sum(v.tickets) / 4.0 AS tickets
    FROM dw.v_ventas_hora AS v
    WHERE v.dia BETWEEN %(dia)s::date - 28 AND %(dia)s::date - 1
    GROUP BY v.id_sucursal, v.sucursal, v.dia_semana, v.hora
)
SELECT NULL::bigint AS id_sucursal, NULL::text AS sucursal, s.dia_semana, s.hora, sum(s.venta) AS venta,
    sum(s.tickets) AS tickets
FROM suma AS s
GROUP BY s.dia_semana, s.hora
UNION ALL
SELECT s.id_sucursal, s.sucursal, s.dia_semana, s.hora, s.venta, s.tickets
FROM suma AS s
WHERE 1 < (SELECT count(DISTINCT o.id_sucursal) FROM suma AS o)
ORDER BY 1 NULLS FIRST, 4, 3;
