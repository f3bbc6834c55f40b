-- The products, with the tax that their sales are netted by.

DO $$
BEGIN
    IF to_regtype('dw.tasa') IS NULL THEN
        CREATE TYPE dw.tasa AS (desde date, impuesto numeric);
    END IF;
END
$$;
COMMENT ON TYPE dw.tasa IS 'Una tasa de impuesto y el día desde el que vale';

CREATE TABLE IF NOT EXISTS dw.producto (
    id_producto bigint PRIMARY KEY,
    codigo      text,
    nombre      text,
    categoria   text NOT NULL DEFAULT 'Sin categoría',
    impuesto    numeric NOT NULL DEFAULT 0,
    vigente     boolean NOT NULL DEFAULT true,
    tasas       dw.tasa[]
);
ALTER TABLE dw.producto ADD COLUMN IF NOT EXISTS clave text;
COMMENT ON TABLE dw.producto IS 'Productos que el OLTP ha nombrado, y los que solo tienen apertura';
COMMENT ON COLUMN dw.producto.clave IS
    'El id que le da la tienda, si no es un número: id_producto son los primeros 60 bits de su md5';
COMMENT ON COLUMN dw.producto.vigente IS
    'Si productos.sql lo daba en la última ventana; si no, sus movimientos esperan en etl.rechazo, pierde su categoría y solo le queda su apertura';
COMMENT ON COLUMN dw.producto.impuesto IS
    'Tasa con que los resúmenes netearon sus ventas, antes de las de tasas; 0 si los precios no incluyen impuesto';
COMMENT ON COLUMN dw.producto.tasas IS
    'Las tasas que valen desde un día, por orden; nulo si siempre vale la misma';

CREATE OR REPLACE FUNCTION etl.buscar_tasa(p_impuesto numeric, p_tasas dw.tasa[], p_dia date) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    FOR i IN REVERSE cardinality(p_tasas)..1 LOOP
        IF p_tasas[i].desde <= p_dia THEN
            RETURN p_tasas[i].impuesto;
        END IF;
    END LOOP;
    RETURN p_impuesto;
END
$$;
COMMENT ON FUNCTION etl.buscar_tasa(numeric, dw.tasa[], date) IS
    'La última tasa que empezó ese día o antes; si ninguna, la de siempre';

CREATE OR REPLACE FUNCTION etl.tasa_del_dia(p_impuesto numeric, p_tasas dw.tasa[], p_dia date) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
-- Written into what asks, so that a shop without dated rates looks nothing up.
SELECT CASE WHEN p_tasas IS NULL THEN p_impuesto ELSE etl.buscar_tasa(p_impuesto, p_tasas, p_dia) END
$$;
COMMENT ON FUNCTION etl.tasa_del_dia(numeric, dw.tasa[], date) IS
    'La tasa con que se netea una venta de ese día';
