-- A cost whose receipt is not known.
--
-- 20.00 of freight on 10 that are worth 100.00:
--   dw.sumar_costo(ROW(10, 100, 10, 0, 0)::dw.estado, 20)
--   → (10,120,12.000000,20,0.000000)
-- More than the stock is worth is an expense:
--   dw.sumar_costo(ROW(10, 100, 10, 0, 0)::dw.estado, 101)
--   → (10,100,10,101,-101)

CREATE OR REPLACE FUNCTION dw.sumar_costo(estado dw.estado, costo numeric) RETURNS dw.estado
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN (estado).existencias > 0 AND abs(costo) <= (estado).valor THEN ROW(
        (estado).existencias,
        (estado).valor + costo,
        round(((estado).valor + costo) * 1.00000000000000000000 / (estado).existencias, 6),
        costo,
        0.000000
    )::dw.estado
    ELSE ROW(
        (estado).existencias, (estado).valor, (estado).costo_promedio, costo, -costo
    )::dw.estado
END
$$;
COMMENT ON FUNCTION dw.sumar_costo(dw.estado, numeric) IS
    'Un costo sin su entrada se suma al valor de lo que hay, si no lo duplica ni lo deja en menos que nada; si no, es gasto: ajuste';
