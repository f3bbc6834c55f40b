-- Steps 4 to 6 in their order: replay, summaries, ledger, stock.

CREATE OR REPLACE FUNCTION etl.actualizar_kardex() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_revaluadas bigint;
    v_baja record;
BEGIN
    -- One by one, since of a join with the ledger there is a plan that reads all of it, and another
    -- that reads all of it for each.
    FOR v_baja IN SELECT b.id_producto, b.fecha, b.orden, b.id_movimiento FROM etl.baja AS b LOOP
        DELETE FROM dw.kardex AS k
        WHERE k.id_producto = v_baja.id_producto AND k.fecha = v_baja.fecha
            AND k.orden = v_baja.orden AND k.id_movimiento = v_baja.id_movimiento;
    END LOOP;

    -- None of ours moves the ledger's rows while this transaction has read them: loads wait for each
    -- other, and VACUUM FULL for this one. Those that were deleted above were not repeated.
    UPDATE dw.kardex AS k
    SET version = r.version,
        provisional = r.provisional,
        costo_unitario = r.costo_unitario, costo_total = r.costo_total, ajuste = r.ajuste,
        existencias = r.existencias, valor = r.valor, costo_promedio = r.costo_promedio,
        salto_costo = r.salto_costo
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
        r.existencias, r.valor, r.costo_promedio, r.salto_costo
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

CREATE OR REPLACE FUNCTION etl.actualizar_inventario(p_numero bigint, p_todos_los_precios boolean)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO dw.inventario AS i (
        id_producto, existencias, valor, costo_promedio, precio_sugerido, version
    )
    SELECT
        s.id_producto, s.existencias, s.valor, s.costo_promedio,
        dw.calcular_precio_sugerido(s.costo_promedio, v.margen, v.impuesto, v.redondeo), p_numero
    FROM (
        SELECT
            t.id_producto,
            coalesce(u.existencias, a.existencias, 0) AS existencias,
            coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0) AS valor,
            coalesce(u.costo_promedio, a.costo_promedio, 0) AS costo_promedio
        FROM etl.tramo AS t
        LEFT JOIN dw.apertura AS a ON a.id_producto = t.id_producto
        LEFT JOIN LATERAL (
            SELECT k.existencias, k.valor, k.costo_promedio
            FROM dw.kardex AS k
            WHERE k.id_producto = t.id_producto
            ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
            LIMIT 1
        ) AS u ON true
    ) AS s
    INNER JOIN dw.v_politica_producto AS v ON v.id_producto = s.id_producto
    ON CONFLICT (id_producto) DO UPDATE SET
        existencias = excluded.existencias, valor = excluded.valor,
        costo_promedio = excluded.costo_promedio, precio_sugerido = excluded.precio_sugerido,
        version = excluded.version
    WHERE (i.existencias, i.valor, i.costo_promedio, i.precio_sugerido)
        IS DISTINCT FROM
        (excluded.existencias, excluded.valor, excluded.costo_promedio, excluded.precio_sugerido);

    IF p_todos_los_precios THEN
        UPDATE dw.inventario AS i
        SET precio_sugerido
            = dw.calcular_precio_sugerido(i.costo_promedio, v.margen, v.impuesto, v.redondeo),
            version = p_numero
        FROM dw.v_politica_producto AS v
        WHERE v.id_producto = i.id_producto
            AND i.precio_sugerido IS DISTINCT FROM
            dw.calcular_precio_sugerido(i.costo_promedio, v.margen, v.impuesto, v.redondeo);
    END IF;
END
$$;
COMMENT ON FUNCTION etl.actualizar_inventario(bigint, boolean) IS
    'Estado y precio sugerido de los productos tocados, o el precio de todos si cambió la política';

CREATE OR REPLACE FUNCTION etl.revaluar(
    p_numero bigint, p_opciones jsonb, p_corte date, p_todos_los_precios boolean
) RETURNS jsonb
LANGUAGE plpgsql
AS $$
DECLARE
    v_factor numeric := (p_opciones ->> 'factor_salto')::numeric;
    v_productos bigint := etl.marcar_tramos();
    v_revaluadas bigint := 0;
    v_vacio boolean;
BEGIN
    IF v_productos > 0 THEN
        v_vacio := NOT EXISTS (SELECT FROM dw.kardex);
        -- First what leaves: a movement can come back under another product.
        IF EXISTS (SELECT FROM etl.tramo AS t WHERE t.cola) THEN
            PERFORM etl.repetir(p_numero, v_factor);
            v_revaluadas := etl.actualizar_kardex();
        END IF;
        PERFORM etl.agregar_al_kardex(p_numero, v_factor);
        -- Read again, since rows that an INSERT hands on cost more than rows of a table.
        INSERT INTO etl.delta
        SELECT * FROM etl.sumar(p_opciones ->> 'zona', p_corte, v_vacio);
        PERFORM etl.sumar_movil();
    END IF;
    -- Without a change too: the cut may have left a product without sales.
    PERFORM etl.actualizar_resumenes();
    PERFORM etl.actualizar_inventario(p_numero, p_todos_los_precios);
    RETURN (
        SELECT jsonb_build_object(
            'productos_tocados', v_productos, 'revaluadas', v_revaluadas,
            'altas', coalesce(sum(t.altas), 0), 'ventas', coalesce(sum(t.ventas), 0),
            'entradas', coalesce(sum(t.altas - t.ventas), 0)
        )
        FROM etl.tramo AS t
    );
END
$$;
COMMENT ON FUNCTION etl.revaluar(bigint, jsonb, date, boolean) IS
    'Repite los productos tocados, lleva las diferencias a kardex, resúmenes e inventario, y las cuenta; el corte es el día del hasta con que se cuentan 90 y 365 días';
