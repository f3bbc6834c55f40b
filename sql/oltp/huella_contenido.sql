-- verify: what a movement is, as etl.v_contenido has it: a line a column, its type told, so that
-- equal values are equal bytes; then its date. What has a reason waits in quarantine, as it was read.
record_send(ROW(
    c.id_movimiento::bigint,
    c.motivo::text,
    {tipo},
    c.id_producto::bigint,
    coalesce(c.id_sucursal, 0)::bigint,
    CASE WHEN c.motivo IS NULL THEN c.entendida ELSE round(c.cantidad, 6) END,
    CASE WHEN c.precio OR (c.precio_unitario > -1e11 AND c.precio_unitario < 1e11)
        OR c.motivo IS NOT NULL THEN round(c.precio_unitario, 6) END,
    CASE WHEN c.costo <> 'no' OR c.motivo IS NOT NULL THEN round(c.costo_unitario, 6) END,
    CASE WHEN c.motivo IS NULL THEN c.importe_entendido ELSE round(c.importe, 6) END,
    CASE WHEN c.con_origen OR c.motivo IS NOT NULL THEN c.id_origen END::bigint,
    CASE WHEN c.destino OR c.motivo IS NOT NULL THEN c.id_sucursal_destino END::bigint,
    CASE WHEN c.motivo IS NULL AND c.regla = 'contar' AND c.id_sucursal IS NULL THEN true END::boolean,
    CASE WHEN c.precio OR c.motivo IS NOT NULL THEN round(c.impuesto, 6) END,
    CASE WHEN c.precio OR c.motivo IS NOT NULL THEN c.precio_con_impuesto END
)) || coalesce(timestamp_send(c.reloj), '')
