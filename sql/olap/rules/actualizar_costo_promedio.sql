-- A receipt: the moving average.
--
-- Of 10 that are worth 50.00, 10 more at 7.00:
--   dw.actualizar_costo_promedio(ROW(10, 50, 5, 0, 0)::dw.estado, 10, 7)
--   → (20,120.000000,6.000000,70.000000,0.000000)
-- Of 3 that were sold before they came, 10 at 8.00: they had gone at 6.00:
--   dw.actualizar_costo_promedio(ROW(-3, -18, 6, 0, 0)::dw.estado, 10, 8)
--   → (7,56.000000,8,80.000000,-6.000000)

CREATE OR REPLACE FUNCTION dw.actualizar_costo_promedio(
    estado dw.estado, cantidad numeric, costo_unitario numeric
) RETURNS dw.estado
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN (estado).existencias > 0 THEN ROW(
        (estado).existencias + cantidad,
        (estado).valor + round(cantidad * costo_unitario, 6),
        -- The factor makes the quotient carry enough decimals to be rounded only once.
        round(
            ((estado).valor + round(cantidad * costo_unitario, 6)) * 1.00000000000000000000
            / ((estado).existencias + cantidad),
            6
        ),
        round(cantidad * costo_unitario, 6),
        0.000000
    )::dw.estado
    ELSE ROW(
        (estado).existencias + cantidad,
        round(((estado).existencias + cantidad) * costo_unitario, 6),
        costo_unitario,
        round(cantidad * costo_unitario, 6),
        round(((estado).existencias + cantidad) * costo_unitario, 6)
        - (estado).valor
        - round(cantidad * costo_unitario, 6)
    )::dw.estado
END
$$;
COMMENT ON FUNCTION dw.actualizar_costo_promedio(dw.estado, numeric, numeric) IS
    'Entrada de mercancía: promedia si hay existencias; si no, el costo empieza de nuevo y el ajuste corrige lo vendido antes de recibirse';
