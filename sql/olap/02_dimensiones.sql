-- Dimensions, opening balances and the pricing policy.

CREATE TABLE IF NOT EXISTS dw.producto (
    id_producto bigint PRIMARY KEY,
    codigo      text,
    nombre      text,
    categoria   text NOT NULL DEFAULT 'Sin categoría',
    impuesto    numeric NOT NULL DEFAULT 0
);
-- Since version 9.
ALTER TABLE dw.producto ADD COLUMN IF NOT EXISTS vigente boolean NOT NULL DEFAULT true;
COMMENT ON TABLE dw.producto IS 'Productos que el OLTP ha nombrado, y los que solo tienen apertura';
COMMENT ON COLUMN dw.producto.vigente IS
    'Si productos.sql lo daba en la última ventana; si no, sus movimientos esperan en etl.rechazo, pierde su categoría y solo le queda su apertura';
COMMENT ON COLUMN dw.producto.impuesto IS
    'Tasa con que los resúmenes netearon sus ventas; 0 si los precios no incluyen impuesto';

CREATE TABLE IF NOT EXISTS dw.sucursal (
    id_sucursal bigint PRIMARY KEY,
    nombre      text NOT NULL
);
COMMENT ON TABLE dw.sucursal IS 'Sucursales; la 0 es la de los documentos sin sucursal, con el nombre de la 0 del OLTP si la hay';
INSERT INTO dw.sucursal (id_sucursal, nombre) VALUES (0, 'Sin sucursal') ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS dw.apertura (
    id_producto    bigint PRIMARY KEY,
    existencias    numeric(38, 6) NOT NULL,
    costo_promedio numeric(38, 6) NOT NULL,
    fecha          timestamptz,
    CHECK (existencias >= 0 AND existencias < 1e11 AND costo_promedio >= 0 AND costo_promedio < 1e11)
);
COMMENT ON TABLE dw.apertura IS
    'Saldo con que se empieza a valorizar un producto; lo anterior a su fecha no cuenta';
COMMENT ON COLUMN dw.apertura.fecha IS 'Nula mientras no haya primera carga: entonces es la fecha inicial';

CREATE TABLE IF NOT EXISTS dw.politica_precio (
    id_producto bigint,
    categoria   text,
    margen      numeric CHECK (margen >= 0 AND margen < 1),
    impuesto    numeric CONSTRAINT politica_precio_tasa CHECK (impuesto >= 0 AND impuesto < 1),
    redondeo    numeric CHECK (redondeo > 0),
    CHECK (id_producto IS NULL OR categoria IS NULL),
    CHECK (
        id_producto IS NOT NULL OR categoria IS NOT NULL
        OR (margen IS NOT NULL AND impuesto IS NOT NULL AND redondeo IS NOT NULL)
    )
);
DO $$
BEGIN
    -- It was < 100, where 18 for 18 % passed. A row that holds such a rate keeps it until it is changed.
    IF NOT EXISTS (
        SELECT FROM pg_constraint AS c
        WHERE c.conrelid = 'dw.politica_precio'::regclass AND c.conname = 'politica_precio_tasa'
    ) THEN
        ALTER TABLE dw.politica_precio
            DROP CONSTRAINT IF EXISTS politica_precio_impuesto_check,
            ADD CONSTRAINT politica_precio_tasa CHECK (impuesto >= 0 AND impuesto < 1) NOT VALID;
    END IF;
END
$$;
CREATE UNIQUE INDEX IF NOT EXISTS politica_precio_clave
    ON dw.politica_precio (coalesce(id_producto, -1), coalesce(categoria, ''));
COMMENT ON TABLE dw.politica_precio IS
    'Margen, impuesto y paso de redondeo: del producto, si no de su categoría, si no la fila sin ambos';
INSERT INTO dw.politica_precio (margen, impuesto, redondeo)
SELECT 0.30, 0, 0.01
WHERE NOT EXISTS (SELECT FROM dw.politica_precio WHERE id_producto IS NULL AND categoria IS NULL);

CREATE OR REPLACE VIEW dw.v_politica_producto AS
SELECT
    p.id_producto,
    coalesce(del_producto.margen, de_categoria.margen, general.margen) AS margen,
    coalesce(del_producto.impuesto, de_categoria.impuesto, general.impuesto) AS impuesto,
    coalesce(del_producto.redondeo, de_categoria.redondeo, general.redondeo) AS redondeo
FROM dw.producto AS p
INNER JOIN dw.politica_precio AS general
    ON general.id_producto IS NULL AND general.categoria IS NULL
LEFT JOIN dw.politica_precio AS de_categoria ON de_categoria.categoria = p.categoria
LEFT JOIN dw.politica_precio AS del_producto ON del_producto.id_producto = p.id_producto;
COMMENT ON VIEW dw.v_politica_producto IS 'La política de precios que vale para cada producto';
