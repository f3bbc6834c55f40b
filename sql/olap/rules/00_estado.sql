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
    IF to_regtype('dw.origen') IS NULL THEN
        CREATE TYPE dw.origen AS (
            id_movimiento  bigint,
            costo_total    numeric,
            cantidad       numeric,
            existencias    numeric,
            costo_promedio numeric
        );
    END IF;
    IF to_regtype('dw.paso') IS NULL THEN
        CREATE TYPE dw.paso AS (
            existencias     numeric,
            valor           numeric,
            costo_promedio  numeric,
            costo_total     numeric,
            ajuste          numeric,
            variacion       numeric,
            al_promedio     boolean,
            promedio_previo numeric,
            origenes        dw.origen[],
            sucursales      bigint[],
            por_sucursal    numeric[]
        );
    END IF;
    IF to_regtype('dw.circunstancia') IS NULL THEN
        CREATE TYPE dw.circunstancia AS (
            importe       numeric,
            adicional     numeric,
            en_su_entrada boolean,
            recordar      bigint,
            id_origen     bigint,
            olvidar       boolean,
            origen        dw.origen,
            id_sucursal   bigint,
            id_destino    bigint,
            de_todo       boolean,
            sucursales    bigint[],
            por_sucursal  numeric[],
            habia         numeric,
            despues       numeric,
            referencia    numeric
        );
    END IF;
END
$$;
COMMENT ON TYPE dw.estado IS
    'Estado de un producto tras un movimiento, con el costo y el ajuste de ese movimiento';
COMMENT ON TYPE dw.origen IS
    'De una venta o una entrada ya valorizada, lo que necesita su devolución';
COMMENT ON TYPE dw.paso IS
    'Un dw.estado con la cantidad con signo que lo cambió, si se valorizó al promedio, el promedio que había antes y lo que necesitan los movimientos que siguen: los orígenes que nombran y, si se cuenta por sucursal, lo que hay en cada una';
COMMENT ON TYPE dw.circunstancia IS
    'Lo que un movimiento necesita además de su cantidad y su costo: el importe de la línea, lo que se añade a su entrada o si está en ella, con qué número recordarlo, su origen (en esta pasada, o ya valorizado antes), sus sucursales de un conteo, lo que había en la suya y, de lo que entra sin costo, el de referencia; nula para casi todos';
