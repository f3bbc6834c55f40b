-- Which rule a movement follows, and the aggregate that replays a product with it.
--
-- A sale of 4 of 10 that are worth 50.00:
--   dw.aplicar_movimiento(ROW(10, 50, 5, 0, 0, NULL)::dw.paso, 'VENTA', 4, NULL, NULL)
--   → (6,30.000000,5,20.000000,0.000000,)
-- The balance that a replay starts from:
--   dw.aplicar_movimiento(NULL, 'SALDO', 10, 5, 50)
--   → (10,50,5,0.000000,0.000000,)

CREATE OR REPLACE FUNCTION dw.aplicar_movimiento(
    paso dw.paso, tipo text, cantidad numeric, costo_unitario numeric, valor_inicial numeric
) RETURNS dw.paso
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    -- One branch a movement type: a new type is a new function and a new branch. The rule is
    -- written into each expression by the planner, so that only its own arithmetic is paid.
    IF tipo = 'VENTA' THEN
        RETURN ROW((dw.actualizar_stock_venta(
            ROW(paso.existencias, paso.valor, paso.costo_promedio, NULL, NULL)::dw.estado, cantidad
        )).*, NULL)::dw.paso;
    ELSIF tipo = 'ENTRADA_MERCANCIA' THEN
        RETURN ROW((dw.actualizar_costo_promedio(
            ROW(paso.existencias, paso.valor, paso.costo_promedio, NULL, NULL)::dw.estado,
            cantidad, costo_unitario
        )).*, paso.costo_promedio)::dw.paso;
    ELSIF tipo = 'SALDO' THEN
        RETURN ROW(cantidad, valor_inicial, costo_unitario, 0.000000, 0.000000, NULL)::dw.paso;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'ETS01',
        MESSAGE = format('dw.aplicar_movimiento has no rule for a movement of type %s; nothing was written',
                         coalesce(quote_literal(tipo), 'NULL')),
        HINT = 'give the type a branch there, and run init';
END
$$;
COMMENT ON FUNCTION dw.aplicar_movimiento(dw.paso, text, numeric, numeric, numeric) IS
    'Paso del agregado dw.valuar: la regla de cada tipo; SALDO pone el estado desde el que se repite, y un tipo sin regla es un error';

CREATE OR REPLACE AGGREGATE dw.valuar(text, numeric, numeric, numeric) (
    SFUNC = dw.aplicar_movimiento,
    STYPE = dw.paso
);
COMMENT ON AGGREGATE dw.valuar(text, numeric, numeric, numeric) IS
    'Valoriza en orden los movimientos de un producto, al cargar y al comprobar; empieza con una fila de tipo SALDO';
