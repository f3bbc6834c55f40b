-- What enters or leaves at the average, which stays.
--
-- Of 10 that are worth 100.00, 4 leave, as shrinkage does:
--   dw.al_promedio(ROW(10, 100, 10, 0, 0)::dw.estado, -4)
--   → (6,60.000000,10,40.000000,0.000000)
-- 2 that a count finds enter:
--   dw.al_promedio(ROW(10, 100, 10, 0, 0)::dw.estado, 2)
--   → (12,120.000000,10,-20.000000,0.000000)

CREATE OR REPLACE FUNCTION dw.al_promedio(estado dw.estado, cantidad numeric) RETURNS dw.estado
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT dw.actualizar_stock_venta(estado, -cantidad)
$$;
COMMENT ON FUNCTION dw.al_promedio(dw.estado, numeric) IS
    'Entra (cantidad positiva) o sale (negativa) al costo promedio, que no cambia; costo_total es lo que sale';
