-- The ledger gets what was valued.

CREATE OR REPLACE FUNCTION etl.actualizar_kardex() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_revaluadas bigint;
    v_baja record;
BEGIN
    -- One by one, since of a join with the ledger there is a plan that reads all of it, and another
    -- that reads all of it for each.
    FOR v_baja IN
        SELECT b.id_producto, b.fecha, b.fecha_documento, b.orden, b.id_movimiento, b.capa FROM etl.baja AS b
    LOOP
        DELETE FROM dw.kardex AS k
        WHERE k.id_producto = v_baja.id_producto AND k.fecha = v_baja.fecha
            AND k.fecha_documento = v_baja.fecha_documento AND k.orden = v_baja.orden
            AND k.id_movimiento = v_baja.id_movimiento AND k.capa = v_baja.capa;
    END LOOP;

    -- None of ours moves the ledger's rows while this transaction has read them: loads wait for each
    -- other, and VACUUM FULL for this one. Those that were deleted above were not repeated.
    UPDATE dw.kardex AS k
    SET version = r.version,
        provisional = r.provisional,
        costo_unitario = r.costo_unitario, costo_total = r.costo_total, ajuste = r.ajuste,
        existencias = r.existencias, valor = r.valor, costo_promedio = r.costo_promedio,
        salto_costo = r.salto_costo, variacion = r.variacion
    FROM etl.repeticion AS r
    WHERE NOT r.es_alta AND r.difiere
        AND k.ctid = r.ctid_kardex
        AND k.id_producto = r.id_producto
        -- The places that are read, whatever the join: neither the whole ledger, nor the rows of a
        -- product for each one that is sought.
        AND k.ctid = ANY (ARRAY(
            SELECT s.ctid_kardex FROM etl.repeticion AS s WHERE NOT s.es_alta AND s.difiere
        ));
    GET DIAGNOSTICS v_revaluadas = ROW_COUNT;
    IF v_revaluadas <> (SELECT count(*) FROM etl.repeticion AS r WHERE NOT r.es_alta AND r.difiere) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'serialization_failure',
            MESSAGE = 'somebody else changed rows of dw.kardex while they were valued; nothing was written';
    END IF;

    INSERT INTO dw.kardex
    SELECT
        r.id_producto, r.fecha, r.id_movimiento, r.id_sucursal, r.version, r.orden, r.provisional,
        r.tipo, r.cantidad, r.precio_unitario, r.costo_unitario, r.costo_total, r.ajuste,
        r.existencias, r.valor, r.costo_promedio, r.salto_costo, r.variacion, r.importe,
        r.id_origen, r.id_sucursal_destino, r.de_todo, r.fecha_documento, r.capa, r.reverso, r.impuesto,
        r.precio_con_impuesto
    FROM etl.repeticion AS r
    WHERE r.es_alta;
    RETURN v_revaluadas;
END
$$;
COMMENT ON FUNCTION etl.actualizar_kardex() IS
    'Lleva bajas, cambios de valor y altas de los productos con cola al kardex; devuelve cuántas filas anteriores cambiaron de valor';

CREATE OR REPLACE FUNCTION etl.agregar_al_kardex(p_numero bigint, p_factor numeric) RETURNS void
LANGUAGE sql
AS $$
INSERT INTO dw.kardex SELECT (v.fila).* FROM etl.valorizar(false, p_numero, p_factor) AS v
$$;
COMMENT ON FUNCTION etl.agregar_al_kardex(bigint, numeric) IS
    'Añade al kardex las altas de los productos sin cola';
