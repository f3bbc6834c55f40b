-- What enters at a cost of its own: a receipt, with what is added to it, or a surplus.
--
-- 10 at 20.00 with 50.00 of freight:
--   dw.recibir(ROW(10, 100, 10, 0, 0)::dw.estado, 10, 20, 50, NULL)
--   → (20,350.000000,17.500000,250.000000,0.000000)
-- 2,100,000 screws for 3,000.00, whose unit cost loses cents:
--   dw.recibir(ROW(0, 0, 0, 0, 0)::dw.estado, 2100000, 0.001429, 0, 3000)
--   → (2100000,3000,0.001429,3000,0)

CREATE OR REPLACE FUNCTION dw.recibir(
    estado dw.estado, cantidad numeric, costo_unitario numeric, adicional numeric, importe numeric
) RETURNS dw.estado
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN adicional = 0 AND importe IS NULL
        THEN dw.actualizar_costo_promedio(estado, cantidad, costo_unitario)
    WHEN (estado).existencias > 0 THEN dw.actualizar_costo_promedio(
        estado, cantidad,
        -- So many decimals that its product with the quantity is this amount again.
        greatest(coalesce(importe, round(cantidad * costo_unitario, 6)) + adicional, 0)
        * 1.00000000000000000000 / cantidad
    )
    WHEN (estado).existencias = 0 AND importe IS NOT NULL THEN ROW(
        cantidad,
        greatest(importe + adicional, 0),
        round(greatest(importe + adicional, 0) * 1.00000000000000000000 / cantidad, 6),
        greatest(importe + adicional, 0),
        -(estado).valor
    )::dw.estado
    ELSE dw.actualizar_costo_promedio(
        estado, cantidad,
        round(
            greatest(coalesce(importe, cantidad * costo_unitario) + adicional, 0)
            * 1.00000000000000000000 / cantidad,
            6
        )
    )
END
$$;
COMMENT ON FUNCTION dw.recibir(dw.estado, numeric, numeric, numeric, numeric) IS
    'Entrada a su costo o importe y lo que se le añade, nunca menos que nada: promedia si hay existencias; si no, el costo empieza de nuevo';
