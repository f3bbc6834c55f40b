-- What a customer brings back, at what it had cost.
--
-- 1 that had cost 10.00, beside 1 that is worth 15.00:
--   dw.devolver_venta(ROW(1, 15, 15, 0, 0)::dw.estado, 1, 10)
--   → (2,25,12.500000,10,0)
-- While units are missing it only covers them:
--   dw.devolver_venta(ROW(-3, -30, 10, 0, 0)::dw.estado, 2, 24)
--   → (-1,-10.000000,10,24,-4.000000)

CREATE OR REPLACE FUNCTION dw.devolver_venta(estado dw.estado, cantidad numeric, costo numeric)
RETURNS dw.estado
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN (estado).existencias + cantidad <= 0 THEN ROW(
        (estado).existencias + cantidad,
        round(((estado).existencias + cantidad) * (estado).costo_promedio, 6),
        (estado).costo_promedio,
        costo,
        round(((estado).existencias + cantidad) * (estado).costo_promedio, 6) - (estado).valor - costo
    )::dw.estado
    -- The average stays where the value is that of the average, whatever its quotient says.
    WHEN greatest((estado).valor + costo, 0)
        = round(((estado).existencias + cantidad) * (estado).costo_promedio, 6) THEN ROW(
        (estado).existencias + cantidad,
        greatest((estado).valor + costo, 0),
        (estado).costo_promedio,
        costo,
        greatest((estado).valor + costo, 0) - (estado).valor - costo
    )::dw.estado
    WHEN (estado).existencias >= 0 OR (estado).costo_promedio = round(
        greatest((estado).valor + costo, 0) * 1.00000000000000000000
        / ((estado).existencias + cantidad),
        6
    ) THEN ROW(
        (estado).existencias + cantidad,
        greatest((estado).valor + costo, 0),
        round(
            greatest((estado).valor + costo, 0) * 1.00000000000000000000
            / ((estado).existencias + cantidad),
            6
        ),
        costo,
        greatest((estado).valor + costo, 0) - (estado).valor - costo
    )::dw.estado
    ELSE ROW(
        (estado).existencias + cantidad,
        round(
            ((estado).existencias + cantidad)
            * round(greatest(costo, 0) * 1.00000000000000000000 / cantidad, 6),
            6
        ),
        round(greatest(costo, 0) * 1.00000000000000000000 / cantidad, 6),
        costo,
        round(
            ((estado).existencias + cantidad)
            * round(greatest(costo, 0) * 1.00000000000000000000 / cantidad, 6),
            6
        ) - (estado).valor - costo
    )::dw.estado
END
$$;
COMMENT ON FUNCTION dw.devolver_venta(dw.estado, numeric, numeric) IS
    'Lo que devuelve un cliente entra a lo que costó al venderse; mientras falten unidades solo las cubre y el promedio no cambia';
