-- A receipt: the moving average.

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
