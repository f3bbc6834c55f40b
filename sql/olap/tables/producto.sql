-- The products.

CREATE TABLE IF NOT EXISTS dw.producto (
    id_producto bigint PRIMARY KEY,
    codigo      text,
    nombre      text,
    categoria   text NOT NULL DEFAULT 'Sin categoría',
    impuesto    numeric NOT NULL DEFAULT 0,
    vigente     boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE dw.producto IS 'Productos que el OLTP ha nombrado, y los que solo tienen apertura';
COMMENT ON COLUMN dw.producto.vigente IS
    'Si productos.sql lo daba en la última ventana; si no, sus movimientos esperan en etl.rechazo, pierde su categoría y solo le queda su apertura';
COMMENT ON COLUMN dw.producto.impuesto IS
    'Tasa con que los resúmenes netearon sus ventas; 0 si los precios no incluyen impuesto';
