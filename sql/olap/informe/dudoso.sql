-- What was sold of each product whose cost is not firm: in the 7 and in the 30 whole days before the day
-- of the cut, and in this month and the one before.
SELECT
    d.id_producto, d.categoria,
    coalesce(sum(d.venta_bruta) FILTER (WHERE d.dia BETWEEN %(dia)s::date - 7 AND %(dia)s::date - 1), 0) AS semana,
    coalesce(sum(d.venta_bruta) FILTER (WHERE d.dia BETWEEN %(dia)s::date - 30 AND %(dia)s::date - 1), 0) AS mes,
    coalesce(
        sum(d.venta_bruta)
        FILTER (WHERE d.dia >= (date_trunc('month', %(dia)s::date) - interval '1 month')::date), 0
    ) AS dos_meses
FROM dw.v_costo_dudoso AS d
GROUP BY d.id_producto, d.categoria
ORDER BY d.id_producto;
