-- What a customer's return brings back with it, from the numbers of its sale.
--
-- 40 of 80 that had cost 720.00:
--   dw.costo_devuelto(40, 9, 720, 80, 100, 9)
--   → 360.000000
-- 2 of 5, of which 3 had left below zero at 10.00; the average is 12.00 by now:
--   dw.costo_devuelto(2, 12, 50, 5, -3, 10)
--   → 22.400000

CREATE OR REPLACE FUNCTION dw.costo_devuelto(
    cantidad numeric, costo_promedio numeric, costo_vendido numeric, cantidad_vendida numeric,
    existencias_tras_venta numeric, promedio_vendido numeric
) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT round(
    cantidad * (
        costo_vendido
        + least(cantidad_vendida, greatest(-existencias_tras_venta, 0))
        * (costo_promedio - promedio_vendido)
    ) * 1.00000000000000000000 / cantidad_vendida,
    6
)
$$;
COMMENT ON FUNCTION dw.costo_devuelto(numeric, numeric, numeric, numeric, numeric, numeric) IS
    'Lo que vuelve con una devolución: de lo que había al venderse, lo que costó; de lo vendido antes de recibirse, el promedio de hoy';
