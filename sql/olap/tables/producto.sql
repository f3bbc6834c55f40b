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
    tasas       dw.tasa[],
    precio_con_impuesto boolean NOT NULL DEFAULT true,
    inventariable boolean NOT NULL DEFAULT true,
    activo      boolean NOT NULL DEFAULT true
);
ALTER TABLE dw.producto
    ADD COLUMN IF NOT EXISTS clave text, ADD COLUMN IF NOT EXISTS costo_referencia numeric,
    ADD COLUMN IF NOT EXISTS costo_catalogo numeric, ADD COLUMN IF NOT EXISTS proveedor text;
CREATE INDEX IF NOT EXISTS producto_referencia ON dw.producto (id_producto) WHERE costo_referencia IS NOT NULL;
-- Most shops have none of them, and nothing looks for more.
CREATE INDEX IF NOT EXISTS producto_sin_existencias ON dw.producto (id_producto) WHERE NOT inventariable;
COMMENT ON TABLE dw.producto IS 'Productos que el OLTP ha nombrado, y los que solo tienen apertura';
COMMENT ON COLUMN dw.producto.clave IS
    'El id que le da la tienda, si no es un número: id_producto son los primeros 60 bits de su md5';
COMMENT ON COLUMN dw.producto.vigente IS
    'Si productos.sql lo daba en la última ventana; si no, sus movimientos esperan en etl.rechazo, pierde su categoría y solo le queda su apertura';
COMMENT ON COLUMN dw.producto.impuesto IS
    'Tasa de sus ventas según la política, antes de las de tasas: para las líneas que no dicen la suya';
COMMENT ON COLUMN dw.producto.tasas IS
    'Las tasas que valen desde un día, por orden; nulo si siempre vale la misma';
COMMENT ON COLUMN dw.producto.inventariable IS
    'Si tiene existencias; si no (un servicio, un envío), sus ventas son venta neta sin costo y nada mueve existencias';
COMMENT ON COLUMN dw.producto.activo IS 'Si la tienda lo tiene aún; lo que borró conserva sus existencias';
COMMENT ON COLUMN dw.producto.costo_referencia IS
    'A lo que entra lo que no dice su costo mientras no hay promedio: el de existencias.sql (el mayor de sus sucursales) o, si no lo da, costo_catalogo; nulo si ninguno';
COMMENT ON COLUMN dw.producto.proveedor IS 'A quién se le pide, si productos.sql lo dice';
COMMENT ON COLUMN dw.producto.costo_catalogo IS 'El costo_referencia de productos.sql';
COMMENT ON COLUMN dw.producto.precio_con_impuesto IS
    'Si los resúmenes le quitaron el impuesto al precio de sus ventas, donde la línea no dice si lo incluye (ETL_PRICES_INCLUDE_TAX)';

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

CREATE OR REPLACE FUNCTION etl.tasa_de_venta(
    p_linea numeric, p_con_impuesto boolean, p_incluye boolean, p_impuesto numeric, p_tasas dw.tasa[], p_dia date
) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
-- Written into what asks, so that a shop without dated rates looks nothing up.
SELECT CASE
    WHEN NOT coalesce(p_con_impuesto, p_incluye) THEN 0
    WHEN p_linea IS NOT NULL THEN p_linea
    WHEN p_tasas IS NULL THEN p_impuesto
    ELSE etl.buscar_tasa(p_impuesto, p_tasas, p_dia)
END
$$;
COMMENT ON FUNCTION etl.tasa_de_venta(numeric, boolean, boolean, numeric, dw.tasa[], date) IS
    'La tasa que se le quita al precio de una venta de ese día: 0 si no la incluye; la de su línea o, si no la da, la del producto';
