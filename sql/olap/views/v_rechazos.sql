-- The rejects, for the dashboard of health.

CREATE OR REPLACE VIEW dw.v_rechazos AS
SELECT
    r.id_movimiento, r.tipo, r.id_producto, r.id_sucursal, r.cantidad, r.precio_unitario,
    r.costo_unitario,
    -- A year of five digits, by a slip at the till, is one that most programs have no date for.
    CASE
        WHEN r.fecha > '9999-12-31 00:00:00+00' THEN timestamptz '9999-12-31 00:00:00+00'
        ELSE r.fecha
    END AS fecha,
    -- Past lines of a product that was deleted (ON DELETE SET NULL) are no ordinary rejects.
    CASE WHEN r.valorizado AND r.id_producto IS NULL THEN 'perdió su producto' ELSE r.motivo END AS motivo,
    r.primera_desde, r.primera_hasta, r.ultima_desde, r.ultima_hasta,
    r.id_origen, r.id_sucursal_destino, r.importe, r.impuesto, r.precio_con_impuesto, d.id_documento,
    coalesce(d.documento, d.clave) AS documento, coalesce(r.clave_producto, r.id_producto::text) AS producto
FROM etl.rechazo AS r
LEFT JOIN dw.documento_movimiento AS d ON d.id_movimiento = r.id_movimiento;
COMMENT ON VIEW dw.v_rechazos IS 'Los movimientos que no se pueden valorizar, para el tablero de salud';
SELECT etl.conceder('SELECT', 'dw.v_rechazos', 'bi_lector');
