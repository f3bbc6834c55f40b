-- The stock: what is known of each product at the end of its ledger.

CREATE TABLE IF NOT EXISTS dw.inventario (
    id_producto     bigint PRIMARY KEY,
    existencias     numeric(38, 6) NOT NULL,
    valor           numeric(38, 6) NOT NULL,
    costo_promedio  numeric(38, 6) NOT NULL,
    precio_sugerido numeric,
    version         bigint NOT NULL,
    ultima_venta    timestamptz,
    ultimo_precio   numeric(38, 6),
    ultimo_neto     numeric(38, 6),
    valor_promedio  numeric,
    primera         timestamptz
);
COMMENT ON COLUMN dw.inventario.ultimo_precio IS 'El de la última venta, con impuesto, como el sugerido';
COMMENT ON COLUMN dw.inventario.ultimo_neto IS 'El de la última venta, sin impuesto';
COMMENT ON COLUMN dw.inventario.valor_promedio IS
    'Promedio del valor a fin de mes en los 365 días hasta el corte (lo negativo cuenta 0); nulo si aún no había ninguno';
COMMENT ON COLUMN dw.inventario.primera IS 'La fecha del primer movimiento de su kardex';
COMMENT ON TABLE dw.inventario IS 'Estado actual de cada producto: la última fila de su kardex o su apertura';
