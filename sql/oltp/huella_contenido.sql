-- verify: what a movement is, as etl.v_contenido has it: a line a column, its type told, so that
-- equal values are equal bytes; then its date. What has a reason waits in quarantine.
record_send(ROW(
    c.id_movimiento::bigint,
    c.motivo::text,
    c.tipo::text,
    c.id_producto::bigint,
    coalesce(c.id_sucursal, 0)::bigint,
    round(c.cantidad, 6),
    CASE WHEN c.tipo = 'VENTA' OR (c.precio_unitario > -1e11 AND c.precio_unitario < 1e11)
        OR c.motivo IS NOT NULL THEN round(c.precio_unitario, 6) END,
    CASE WHEN c.tipo <> 'VENTA' OR c.motivo IS NOT NULL THEN round(c.costo_unitario, 6) END
)) || coalesce(timestamp_send(c.reloj), '')
