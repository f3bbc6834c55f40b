-- Which rule a movement follows, and the aggregate that replays a product with it. What `regla` a
-- type has stands in dw.tipo_movimiento.
--
-- A sale of 4 of 10 that are worth 50.00:
--   dw.aplicar_movimiento((dw.aplicar_movimiento(NULL, 'saldo', 10, 5, ROW(50,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL)::dw.circunstancia)), 'al_promedio', 4, NULL, NULL)
--   → (6,30.000000,5,20.000000,0.000000,-4,t,,,,)

CREATE OR REPLACE FUNCTION dw.aplicar_movimiento(
    paso dw.paso, regla text, cantidad numeric, costo_unitario numeric, c dw.circunstancia
) RETURNS dw.paso
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    -- Nearly every movement is one of the first two. The rule is written into each expression by the
    -- planner, so that only its own arithmetic is paid.
    IF c IS NULL AND regla = 'al_promedio' THEN
        RETURN ROW((dw.actualizar_stock_venta(
            ROW(paso.existencias, paso.valor, paso.costo_promedio, NULL, NULL)::dw.estado, cantidad
        )).*, -cantidad, true, NULL, paso.origenes, paso.sucursales, paso.por_sucursal)::dw.paso;
    ELSIF c IS NULL AND regla = 'recibir' AND costo_unitario IS NOT NULL THEN
        RETURN ROW((dw.actualizar_costo_promedio(
            ROW(paso.existencias, paso.valor, paso.costo_promedio, NULL, NULL)::dw.estado,
            cantidad, costo_unitario
        )).*, cantidad, false, paso.costo_promedio, paso.origenes, paso.sucursales,
        paso.por_sucursal)::dw.paso;
    ELSIF regla = 'saldo' THEN
        RETURN ROW(cantidad, c.importe, costo_unitario, 0.000000, 0.000000, 0, false, NULL, NULL,
                   c.sucursales, c.por_sucursal)::dw.paso;
    END IF;
    RETURN dw.seguir(paso, regla, cantidad, costo_unitario, c);
END
$$;
COMMENT ON FUNCTION dw.aplicar_movimiento(dw.paso, text, numeric, numeric, dw.circunstancia) IS
    'Paso del agregado dw.valuar: la regla de cada tipo; saldo pone el estado desde el que se repite, y una regla que no conoce es un error';

CREATE OR REPLACE AGGREGATE dw.valuar(text, numeric, numeric, dw.circunstancia) (
    SFUNC = dw.aplicar_movimiento,
    STYPE = dw.paso
);
COMMENT ON AGGREGATE dw.valuar(text, numeric, numeric, dw.circunstancia) IS
    'Valoriza en orden los movimientos de un producto, al cargar y al comprobar; empieza con una fila de regla saldo';
