-- A sale: at the average, which stays.

CREATE OR REPLACE FUNCTION dw.actualizar_stock_venta(estado dw.estado, cantidad numeric)
RETURNS dw.estado
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT ROW(
    (estado).existencias - cantidad,
    round(((estado).existencias - cantidad) * (estado).costo_promedio, 6),
    (estado).costo_promedio,
    (estado).valor - round(((estado).existencias - cantidad) * (estado).costo_promedio, 6),
    0.000000
)::dw.estado
$$;
COMMENT ON FUNCTION dw.actualizar_stock_venta(dw.estado, numeric) IS
    'Venta: sale al costo promedio, que no cambia; con existencias 0 el valor queda en 0';
