-- Steps 4 to 6 in their order: replay, summaries, ledger, stock.

CREATE OR REPLACE FUNCTION etl.admite_tabla_por_tabla() RETURNS boolean
LANGUAGE sql STABLE
AS $$
SELECT NOT EXISTS (
    SELECT FROM etl.v_tabla_kardex AS t
    INNER JOIN pg_class AS c ON c.oid = t.tabla
    WHERE c.relhasrules
        OR c.relrowsecurity
        OR NOT has_table_privilege(c.oid, 'SELECT')
        OR NOT has_table_privilege(c.oid, 'UPDATE')
        OR EXISTS (SELECT FROM pg_trigger AS d WHERE d.tgrelid = c.oid AND NOT d.tgisinternal)
)
$$;
COMMENT ON FUNCTION etl.admite_tabla_por_tabla() IS
    'Si da lo mismo cambiar las tablas del kardex una por una: quien carga puede con cada una, y nadie les puso un disparador, una regla ni una política de filas';

CREATE OR REPLACE FUNCTION etl.actualizar_kardex(p_numero bigint) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_destino text;
    v_tablas oid[];
    v_repetidas bigint;
    v_filas bigint;
    v_revaluadas bigint := 0;
    v_baja record;
BEGIN
    -- One by one, since of a join with the ledger there is a plan that reads all of it, and another
    -- that reads all of it for each.
    FOR v_baja IN SELECT b.id_producto, b.fecha, b.orden, b.id_movimiento FROM etl.baja AS b LOOP
        DELETE FROM dw.kardex AS k
        WHERE k.id_producto = v_baja.id_producto AND k.fecha = v_baja.fecha
            AND k.orden = v_baja.orden AND k.id_movimiento = v_baja.id_movimiento;
    END LOOP;

    -- Table by table, if none can tell the difference: of all at once, each row would be sought in
    -- every one of them.
    FOR v_destino, v_tablas, v_repetidas IN
        SELECT
            CASE WHEN u.una_por_una THEN 'ONLY ' || t.tabla::regclass ELSE 'dw.kardex' END AS destino,
            array_agg(t.tabla),
            sum(t.filas)
        FROM (
            SELECT r.tabla_kardex AS tabla, count(*) AS filas
            FROM etl.repeticion AS r
            WHERE NOT r.es_alta AND r.difiere
            GROUP BY r.tabla_kardex
        ) AS t
        CROSS JOIN (SELECT etl.admite_tabla_por_tabla() AS una_por_una) AS u
        GROUP BY destino
    LOOP
        -- None of ours moves the ledger's rows while this transaction has read them: loads wait for
        -- each other, and VACUUM FULL for this one. Those that were deleted above were not repeated.
        EXECUTE format(
            'UPDATE %s AS k
             SET version = $1,
                 provisional = r.provisional,
                 costo_unitario = r.costo_unitario, costo_total = r.costo_total, ajuste = r.ajuste,
                 existencias = r.existencias, valor = r.valor, costo_promedio = r.costo_promedio,
                 salto_costo = r.salto_costo
             FROM etl.repeticion AS r
             WHERE NOT r.es_alta AND r.difiere
                 AND r.tabla_kardex = ANY ($2)
                 AND k.tableoid = r.tabla_kardex AND k.ctid = r.ctid_kardex
                 AND k.id_producto = r.id_producto
                 -- The places that are read, whatever the join: neither the whole ledger, nor the
                 -- rows of a product for each one that is sought.
                 AND k.ctid = ANY (ARRAY(
                     SELECT s.ctid_kardex FROM etl.repeticion AS s
                     WHERE NOT s.es_alta AND s.difiere AND s.tabla_kardex = ANY ($2)
                 ))',
            v_destino
        ) USING p_numero, v_tablas;
        GET DIAGNOSTICS v_filas = ROW_COUNT;
        IF v_filas <> v_repetidas THEN
            RAISE EXCEPTION USING
                ERRCODE = 'serialization_failure',
                MESSAGE = 'somebody else changed rows of dw.kardex while they were valued; nothing was written';
        END IF;
        v_revaluadas := v_revaluadas + v_filas;
    END LOOP;

    INSERT INTO dw.kardex (
        id_producto, fecha, id_movimiento, id_sucursal, version, orden, provisional, tipo,
        cantidad, precio_unitario, costo_unitario, costo_total, ajuste, existencias, valor,
        costo_promedio, salto_costo
    )
    SELECT
        r.id_producto, r.fecha, r.id_movimiento, r.id_sucursal, p_numero, r.orden,
        r.provisional, r.tipo,
        r.cantidad, r.precio_unitario, r.costo_unitario, r.costo_total, r.ajuste,
        r.existencias, r.valor, r.costo_promedio, r.salto_costo
    FROM etl.repeticion AS r
    WHERE r.es_alta;
    RETURN v_revaluadas;
END
$$;
COMMENT ON FUNCTION etl.actualizar_kardex(bigint) IS
    'Lleva bajas, cambios de valor y altas de los productos con cola al kardex; devuelve cuántas filas anteriores cambiaron de valor';

CREATE OR REPLACE FUNCTION etl.agregar_al_kardex(p_numero bigint, p_factor numeric) RETURNS void
LANGUAGE sql
AS $$
INSERT INTO dw.kardex (
    id_producto, fecha, id_movimiento, id_sucursal, version, orden, provisional, tipo,
    cantidad, precio_unitario, costo_unitario, costo_total, ajuste, existencias, valor,
    costo_promedio, salto_costo
)
SELECT
    v.id_producto, v.fecha, v.id_movimiento, v.id_sucursal, p_numero, v.orden,
    v.provisional, v.tipo, v.cantidad, v.precio_unitario, v.costo_unitario,
    v.costo_total, v.ajuste, v.existencias, v.valor, v.costo_promedio, v.salto_costo
FROM (
    SELECT * FROM etl.valorizar_altas(p_factor, 0)
    UNION ALL
    SELECT * FROM etl.valorizar_altas(p_factor, 1)
) AS v
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

CREATE OR REPLACE FUNCTION etl.admite_procesos() RETURNS boolean
LANGUAGE sql STABLE
AS $$
SELECT NOT EXISTS (
    SELECT FROM pg_proc AS p
    WHERE p.proparallel <> 's' AND p.oid IN (
        'dw.actualizar_costo_promedio(dw.estado, numeric, numeric)'::regprocedure,
        'dw.actualizar_stock_venta(dw.estado, numeric)'::regprocedure,
        'dw.venta_neta(numeric, numeric, numeric)'::regprocedure
    )
)
$$;
COMMENT ON FUNCTION etl.admite_procesos() IS
    'Si las reglas de la tienda se pueden calcular en varios procesos a la vez';

CREATE OR REPLACE FUNCTION etl.permitir_procesos() RETURNS void
LANGUAGE sql
AS $$
-- What etl.preparar_carga() took from a load that is small, but is followed by many rows.
SELECT set_config('max_parallel_workers_per_gather', current_setting('etl.procesos'), true)
WHERE etl.es_repeticion_grande() AND etl.admite_procesos()
$$;
COMMENT ON FUNCTION etl.permitir_procesos() IS
    'Deja que una repetición grande use los procesos que la sesión permite, aunque lo leído sea poco';

CREATE OR REPLACE FUNCTION etl.revaluar(
    p_numero bigint, p_opciones jsonb, p_corte date, p_todos_los_precios boolean
) RETURNS jsonb
LANGUAGE plpgsql
AS $$
DECLARE
    v_factor numeric := (p_opciones ->> 'factor_salto')::numeric;
    v_productos bigint := etl.marcar_tramos();
    v_revaluadas bigint := 0;
    v_lote text := 'kardex_lote_' || p_numero;
    v_vacio boolean;
    v_en_lote boolean;
BEGIN
    IF v_productos > 0 THEN
        v_vacio := NOT EXISTS (SELECT FROM dw.kardex);
        v_en_lote := etl.conviene_lote(v_lote);
        -- First what leaves: a movement can come back under another product.
        IF EXISTS (SELECT FROM etl.tramo AS t WHERE t.cola) THEN
            PERFORM etl.permitir_procesos();
            PERFORM etl.repetir(v_factor);
            v_revaluadas := etl.actualizar_kardex(p_numero);
        END IF;
        IF v_en_lote THEN
            PERFORM etl.agregar_lote(v_lote, p_numero, v_factor);
        ELSE
            PERFORM etl.agregar_al_kardex(p_numero, v_factor);
        END IF;
        -- Read again, since rows that an INSERT hands on cost more than rows of a table.
        INSERT INTO etl.delta
        SELECT * FROM etl.sumar(p_opciones ->> 'zona', p_corte, v_vacio);
        PERFORM etl.sumar_movil();
    END IF;
    PERFORM etl.marcar_por_probar(p_numero);
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
