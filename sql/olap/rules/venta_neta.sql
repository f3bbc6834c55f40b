-- What a sale brought, without the tax within its price.
--
-- 2 at 11.80 with 18 % of tax within:
--   dw.venta_neta(2, 11.80, 0.18)
--   → 20.000000

CREATE OR REPLACE FUNCTION dw.venta_neta(cantidad numeric, precio_unitario numeric, impuesto numeric)
RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN impuesto = 0 THEN round(cantidad * precio_unitario, 6)
    ELSE round(cantidad * precio_unitario * 1.00000000000000000000 / (1 + impuesto), 6)
END
$$;
COMMENT ON FUNCTION dw.venta_neta(numeric, numeric, numeric) IS
    'Importe de una venta sin el impuesto que su precio incluye';
