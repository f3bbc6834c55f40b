-- What waits, since it cannot be valued.

CREATE TABLE IF NOT EXISTS etl.rechazo (
    id_movimiento   bigint PRIMARY KEY,
    tipo            text,
    id_producto     bigint,
    id_sucursal     bigint,
    cantidad        numeric,
    precio_unitario numeric,
    costo_unitario  numeric,
    fecha           timestamptz,
    motivo          text NOT NULL,
    primera_desde   timestamptz NOT NULL,
    primera_hasta   timestamptz NOT NULL,
    ultima_desde    timestamptz NOT NULL,
    ultima_hasta    timestamptz NOT NULL,
    id_origen       bigint,
    id_sucursal_destino bigint,
    importe         numeric,
    impuesto        numeric,
    precio_con_impuesto boolean
);
ALTER TABLE etl.rechazo
    ADD COLUMN IF NOT EXISTS valorizado boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS clave_producto text;
COMMENT ON COLUMN etl.rechazo.clave_producto IS 'El id que le da la tienda a su producto, si no es un número';
COMMENT ON TABLE etl.rechazo IS
    'Movimientos del alcance que no se pueden valorizar; se intentan de nuevo en cada ventana';
COMMENT ON COLUMN etl.rechazo.primera_desde IS 'Ventana en que se rechazó por primera vez';
COMMENT ON COLUMN etl.rechazo.valorizado IS 'Si estuvo en el kardex antes de rechazarse';
COMMENT ON COLUMN etl.rechazo.ultima_desde IS 'Última ventana en que se intentó';
