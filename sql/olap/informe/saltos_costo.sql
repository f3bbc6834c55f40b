-- Receipts of the last 90 days whose cost is far from the average, the latest first.
SELECT
    s.id_movimiento, s.documento, s.id_producto, s.codigo, s.nombre, s.fecha, s.costo_unitario,
    s.costo_promedio_anterior, s.veces,
    count(*) OVER () AS total
FROM dw.v_saltos_costo AS s
WHERE s.fecha >= (%(dia)s::date - 90)::timestamp AT TIME ZONE %(zona)s
ORDER BY s.fecha DESC, s.id_movimiento DESC
LIMIT %(limite)s;
