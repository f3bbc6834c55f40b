-- What cannot be valued is put aside, and waits.

CREATE OR REPLACE FUNCTION etl.apartar_rechazos(p_desde timestamptz, p_hasta timestamptz)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM etl.rechazo AS r
    WHERE NOT EXISTS (
        SELECT FROM etl.descarte AS d
        WHERE d.id_movimiento = r.id_movimiento AND d.motivo IS NOT NULL
    );
    INSERT INTO etl.rechazo AS r (
        id_movimiento, tipo, id_producto, id_sucursal, cantidad, precio_unitario, costo_unitario,
        fecha, id_origen, id_sucursal_destino, importe, impuesto, precio_con_impuesto, clave_producto, motivo,
        primera_desde, primera_hasta, ultima_desde, ultima_hasta, valorizado
    )
    SELECT
        e.id_movimiento, e.tipo, e.id_producto, e.id_sucursal, e.cantidad, e.precio_unitario,
        e.costo_unitario, e.fecha, e.id_origen, e.id_sucursal_destino, e.importe, e.impuesto,
        e.precio_con_impuesto, e.clave_producto, d.motivo,
        p_desde, p_hasta, p_desde, p_hasta,
        EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = e.id_movimiento)
    FROM etl.descarte AS d
    INNER JOIN etl.etapa AS e ON e.id_movimiento = d.id_movimiento
    WHERE d.motivo IS NOT NULL
    ON CONFLICT (id_movimiento) DO UPDATE SET
        tipo = excluded.tipo, id_producto = excluded.id_producto,
        id_sucursal = excluded.id_sucursal, cantidad = excluded.cantidad,
        precio_unitario = excluded.precio_unitario, costo_unitario = excluded.costo_unitario,
        fecha = excluded.fecha, id_origen = excluded.id_origen,
        id_sucursal_destino = excluded.id_sucursal_destino, importe = excluded.importe,
        impuesto = excluded.impuesto, precio_con_impuesto = excluded.precio_con_impuesto,
        clave_producto = excluded.clave_producto, motivo = excluded.motivo,
        ultima_desde = excluded.ultima_desde, ultima_hasta = excluded.ultima_hasta,
        valorizado = r.valorizado OR excluded.valorizado;

    -- What is left in etl.etapa enters the ledger; what is left in etl.baja leaves it.
    DELETE FROM etl.etapa AS e USING etl.descarte AS d WHERE d.id_movimiento = e.id_movimiento;
    DELETE FROM etl.etapa AS e USING etl.baja AS b
    WHERE b.igual AND NOT b.reverso AND b.id_movimiento = e.id_movimiento;
    DELETE FROM etl.baja AS b WHERE b.igual;
    -- From here on it is as the rules read it.
    IF EXISTS (SELECT FROM etl.v_etapa AS v WHERE v.por_entender) THEN
        UPDATE etl.etapa AS e
        SET tipo = v.tipo, cantidad = v.cantidad, importe = v.importe, id_origen = v.id_origen,
            id_sucursal_destino = v.id_sucursal_destino
        FROM etl.v_etapa AS v
        WHERE v.id_movimiento = e.id_movimiento AND v.por_entender;
    END IF;
END
$$;
COMMENT ON FUNCTION etl.apartar_rechazos(timestamptz, timestamptz) IS
    'Deja en etl.rechazo lo que hoy no se puede valorizar, en etl.etapa las altas y en etl.baja las bajas';
