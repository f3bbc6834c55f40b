-- A sale: at the average, which stays.
--
-- Of 20 that are worth 120.00, 8:
--   dw.actualizar_stock_venta(ROW(20, 120, 6, 0, 0)::dw.estado, 8)
--   → (12,72.000000,6,48.000000,0.000000)
-- More than there are:
--   dw.actualizar_stock_venta(ROW(12, 72, 6, 0, 0)::dw.estado, 15)
--   → (-3,-18.000000,6,90.000000,0.000000)

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
