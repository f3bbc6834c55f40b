-- What goes back to the supplier, at what it had cost.
--
-- 1 that had cost 3.00, of 2 that are worth 5.00:
--   dw.devolver_compra(ROW(2, 5, 2.5, 0, 0)::dw.estado, 1, 3)
--   → (1,2,2.000000,3,0.000000)
-- The last one leaves with all that there is:
--   dw.devolver_compra(ROW(1, 15, 15, 0, 0)::dw.estado, 1, 10)
--   → (0,0.000000,15,15.000000,0.000000)

CREATE OR REPLACE FUNCTION dw.devolver_compra(estado dw.estado, cantidad numeric, costo numeric)
RETURNS dw.estado
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN (estado).existencias > cantidad AND (estado).valor >= costo THEN ROW(
        (estado).existencias - cantidad,
        (estado).valor - costo,
        round(
            ((estado).valor - costo) * 1.00000000000000000000 / ((estado).existencias - cantidad), 6
        ),
        costo,
        0.000000
    )::dw.estado
    ELSE dw.actualizar_stock_venta(estado, cantidad)
END
$$;
COMMENT ON FUNCTION dw.devolver_compra(dw.estado, numeric, numeric) IS
    'Devolución al proveedor: sale a lo que costó; si no quedan existencias o quedarían con valor negativo, al promedio';
