-- The state of a product, which each movement takes to the next by a rule of this folder. A rule is
-- one expression without tables, so that it is written into the one dispatch that values a load and
-- proves it. A shop with another rule replaces one function. Amounts are rounded half up
-- (away from zero) to 6 decimals; see docs/en/accountant.md.

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
