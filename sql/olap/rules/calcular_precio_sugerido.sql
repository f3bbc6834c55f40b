-- The suggested price of a cost.
--
-- A cost of 7.00, a margin of 30 %, a tax of 18 %, up to the next 0.10:
--   dw.calcular_precio_sugerido(7, 0.30, 0.18, 0.10)
--   → 11.80
-- Of what came for nothing there is none:
--   dw.calcular_precio_sugerido(0, 0.30, 0.18, 0.10)
--   → NULL

CREATE OR REPLACE FUNCTION dw.calcular_precio_sugerido(
    costo numeric, margen numeric, impuesto numeric, redondeo numeric
) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
-- div and mod are exact where a quotient would already be rounded.
SELECT CASE WHEN costo = 0 THEN NULL ELSE (
    div(costo * (1 + impuesto), (1 - margen) * redondeo)
    + CASE WHEN mod(costo * (1 + impuesto), (1 - margen) * redondeo) = 0 THEN 0 ELSE 1 END
) * redondeo END
$$;
COMMENT ON FUNCTION dw.calcular_precio_sugerido(numeric, numeric, numeric, numeric) IS
    'Costo / (1 - margen) · (1 + impuesto), redondeado hacia arriba al paso; nulo si el costo es 0';
