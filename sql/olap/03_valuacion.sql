-- The rules of valuation, and nothing else. Each is one expression without tables,
-- so that it is written into the one dispatch that values a load and proves it.
-- A shop with another rule replaces one function.
-- Amounts are rounded half up (away from zero) to 6 decimals; see docs/en/accountant.md.

DO $$
BEGIN
    IF to_regtype('dw.estado') IS NULL THEN
        CREATE TYPE dw.estado AS (
            existencias    numeric,
            valor          numeric,
            costo_promedio numeric,
            costo_total    numeric,
            ajuste         numeric
        );
    END IF;
END
$$;
COMMENT ON TYPE dw.estado IS
    'Estado de un producto tras un movimiento, con el costo y el ajuste de ese movimiento';

DO $$
BEGIN
    IF to_regtype('dw.paso') IS NULL THEN
        CREATE TYPE dw.paso AS (
            existencias     numeric,
            valor           numeric,
            costo_promedio  numeric,
            costo_total     numeric,
            ajuste          numeric,
            promedio_previo numeric
        );
    END IF;
END
$$;
COMMENT ON TYPE dw.paso IS
    'Un dw.estado, y de una entrada el costo promedio que había antes de ella';

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

CREATE OR REPLACE FUNCTION dw.actualizar_stock_venta(estado dw.estado, cantidad numeric)
RETURNS dw.estado
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT ROW(
    (estado).existencias - cantidad,
    round(((estado).existencias - cantidad) * (estado).costo_promedio, 6),
    (estado).costo_promedio,
    (estado).valor - round(((estado).existencias - cantidad) * (estado).costo_promedio, 6),
    0.000000
)::dw.estado
$$;
COMMENT ON FUNCTION dw.actualizar_stock_venta(dw.estado, numeric) IS
    'Venta: sale al costo promedio, que no cambia; con existencias 0 el valor queda en 0';

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
