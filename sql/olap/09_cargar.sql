-- One window, one transaction: etl.abrir_ventana, the client's COPY, etl.cargar_ventana. The COPY
-- of a large window's movements has one of its own, before that: etl.adelantar, etl.anotar_adelanto.

CREATE OR REPLACE FUNCTION etl.vaciar_trabajo(p_con_etapa boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_tabla text;
BEGIN
    -- What is staged ahead is of one load: whoever empties or uses it, nobody finds it again.
    FOREACH v_tabla IN ARRAY ARRAY[
        'adelanto', 'etapa', 'etapa_producto', 'etapa_sucursal', 'descarte', 'baja', 'tramo',
        'repeticion', 'delta'
    ] LOOP
        CONTINUE WHEN v_tabla = 'etapa' AND NOT p_con_etapa;
        BEGIN
            EXECUTE format('LOCK TABLE etl.%I IN ACCESS EXCLUSIVE MODE NOWAIT', v_tabla);
            EXECUTE format('TRUNCATE etl.%I', v_tabla);
        EXCEPTION WHEN lock_not_available THEN
            -- A backup that is running reads every table: it need not hold up the load.
            EXECUTE format('DELETE FROM etl.%I', v_tabla);
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION etl.vaciar_trabajo(boolean) IS
    'Vacía las tablas de trabajo, bajo el bloqueo de etl.control; etl.etapa, solo si se pide';

CREATE OR REPLACE FUNCTION etl.bloquear_control(p_zona text) RETURNS etl.control
LANGUAGE plpgsql
AS $$
DECLARE
    v_control etl.control;
BEGIN
    SELECT * INTO v_control FROM etl.control FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETS01',
            MESSAGE = 'the OLAP is not initialised',
            HINT = 'run `python -m pipeline init`';
    END IF;
    IF v_control.zona <> p_zona THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETS01',
            MESSAGE = format('ETL_TIMEZONE is %s, but this OLAP was loaded in %s, and its days would shift',
                             p_zona, v_control.zona),
            HINT = format('set ETL_TIMEZONE=%s', v_control.zona);
    END IF;
    PERFORM etl.revisar_kardex(v_control.corridas);
    RETURN v_control;
END
$$;
COMMENT ON FUNCTION etl.bloquear_control(text) IS
    'Toma el bloqueo que ordena las cargas; falla si no hay control, si la zona es otra o si el kardex no está entero';

CREATE OR REPLACE FUNCTION etl.veredicto(
    p_control etl.control, p_desde timestamptz, p_hasta timestamptz, p_version uuid
) RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
    IF EXISTS (SELECT FROM etl.corrida AS c WHERE c.desde = p_desde AND c.hasta = p_hasta) THEN
        RETURN 'ya_cargada';
    ELSIF p_control.hasta <> p_desde THEN
        RETURN 'superada';
    ELSIF p_control.version <> p_version THEN
        RETURN 'releer';
    END IF;
    RETURN 'cargar';
END
$$;
COMMENT ON FUNCTION etl.veredicto(etl.control, timestamptz, timestamptz, uuid) IS
    'Qué hacer con la ventana, según el control ya bloqueado';

CREATE OR REPLACE FUNCTION etl.abrir_ventana(
    p_desde timestamptz, p_hasta timestamptz, p_version uuid, p_zona text, p_id_corrida text,
    p_sha256 text
) RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_zona);
    v_veredicto text := etl.veredicto(v_control, p_desde, p_hasta, p_version);
BEGIN
    IF v_veredicto <> 'cargar' THEN
        RETURN v_veredicto;
    END IF;
    IF EXISTS (
        SELECT FROM etl.adelanto AS a WHERE a.id_corrida = p_id_corrida AND a.sha256 = p_sha256
    ) THEN
        v_veredicto := 'cargar_resto';
    END IF;
    PERFORM etl.vaciar_trabajo(v_veredicto = 'cargar');
    RETURN v_veredicto;
END
$$;
COMMENT ON FUNCTION etl.abrir_ventana(timestamptz, timestamptz, uuid, text, text, text) IS
    'Bloquea el control y dice qué hacer con la ventana: cargar, cargar_resto (sus movimientos ya están en etl.etapa), ya_cargada, superada (otra corrida ganó) o releer (el extracto es de otra versión)';

CREATE OR REPLACE FUNCTION etl.adelantar(
    p_desde timestamptz, p_hasta timestamptz, p_version uuid, p_zona text
) RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_veredicto text;
BEGIN
    -- Waiting could only hold the read up: the load takes the file just as well.
    PERFORM FROM etl.control FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 'ocupada';
    END IF;
    v_veredicto := etl.veredicto(etl.bloquear_control(p_zona), p_desde, p_hasta, p_version);
    IF v_veredicto = 'cargar' THEN
        PERFORM etl.vaciar_trabajo();
    END IF;
    RETURN v_veredicto;
END
$$;
COMMENT ON FUNCTION etl.adelantar(timestamptz, timestamptz, uuid, text) IS
    'Como etl.abrir_ventana, para llenar etl.etapa mientras aún se lee el OLTP; no espera: ocupada si otro tiene el bloqueo';

CREATE OR REPLACE FUNCTION etl.anotar_adelanto(p_id_corrida text, p_sha256 text, p_filas bigint)
RETURNS void
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
INSERT INTO etl.adelanto (id_corrida, sha256, filas) VALUES (p_id_corrida, p_sha256, p_filas)
$$;
COMMENT ON FUNCTION etl.anotar_adelanto(text, text, bigint) IS
    'Dice qué extracto es el que está en etl.etapa, en la transacción de etl.adelantar que la llenó';

CREATE OR REPLACE FUNCTION etl.huella_politica(p_incluye_impuesto boolean) RETURNS text
LANGUAGE sql STABLE
AS $$
SELECT md5(p_incluye_impuesto::text || coalesce(
    string_agg(p::text, '|' ORDER BY p.id_producto, p.categoria), ''
))
FROM dw.politica_precio AS p
$$;
COMMENT ON FUNCTION etl.huella_politica(boolean) IS 'Huella de la política de precios, para ver si cambió';

CREATE OR REPLACE FUNCTION etl.revisar_rechazos(p_filas bigint, p_opciones jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_rechazos bigint;
BEGIN
    SELECT count(*) INTO v_rechazos
    FROM etl.descarte AS d
    WHERE d.motivo IS NOT NULL
        AND NOT EXISTS (SELECT FROM etl.rechazo AS r WHERE r.id_movimiento = d.id_movimiento);
    IF v_rechazos >= 20 AND v_rechazos > p_filas * (p_opciones ->> 'max_rechazo')::numeric THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETG01',
            MESSAGE = format('%s of %s movements read would be rejected (%s); nothing was written',
                             v_rechazos, p_filas, etl.motivos_frecuentes()),
            HINT = 'the query is wrong rather than the data: correct sql/oltp, or raise ETL_MAX_REJECT_SHARE';
    END IF;
END
$$;
COMMENT ON FUNCTION etl.revisar_rechazos(bigint, jsonb) IS
    'Detiene la ventana si se rechazaría demasiado: entonces la consulta está mal, no los datos';

CREATE OR REPLACE FUNCTION etl.senal_fuente(p_identidad jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
SELECT left(md5(p_identidad::text), 12)
$$;
COMMENT ON FUNCTION etl.senal_fuente(jsonb) IS
    'Señal corta de un OLTP, para que el operador la acepte por su nombre';

CREATE OR REPLACE FUNCTION etl.revisar_retiros(
    p_control etl.control, p_identidad jsonb, p_opciones jsonb
) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_retiros bigint;
    v_total bigint;
BEGIN
    SELECT count(*) INTO v_retiros
    FROM etl.baja AS b
    WHERE NOT b.igual
        AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = b.id_movimiento);
    SELECT count(*) INTO v_total FROM dw.kardex;
    IF v_retiros < 20 OR v_retiros <= v_total * (p_opciones ->> 'max_retiro')::numeric
        OR p_control.aceptar_fuente = etl.senal_fuente(p_identidad) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'ETG01',
        MESSAGE = format(
            'the OLTP lacks %s of the %s movements of the ledger, and they would be removed; is it another database? The ledger was read from server %s, timeline %s, database %s; this one is server %s, timeline %s, database %s; nothing was written',
            v_retiros, v_total,
            p_control.identidad ->> 'sistema', p_control.identidad ->> 'linea_de_tiempo',
            p_control.identidad ->> 'base',
            p_identidad ->> 'sistema', p_identidad ->> 'linea_de_tiempo', p_identidad ->> 'base'),
        HINT = format(
            'correct OLTP_DB_*; or if it is right: luigi --module pipeline RunDue --accept-source %s',
            etl.senal_fuente(p_identidad));
END
$$;
COMMENT ON FUNCTION etl.revisar_retiros(etl.control, jsonb, jsonb) IS
    'Detiene una lectura completa que quitaría demasiado del kardex, salvo que se haya aceptado esa fuente';

CREATE OR REPLACE FUNCTION etl.revisar_silencio(
    p_conteo jsonb, p_hasta timestamptz, p_opciones jsonb
) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_zona text := p_opciones ->> 'zona';
    v_ultima date;
    v_callados bigint;
BEGIN
    -- What was only read again, near the horizon, breaks no silence.
    IF (p_conteo ->> 'retiradas')::bigint > 0 OR EXISTS (SELECT FROM etl.etapa) THEN
        RETURN;
    END IF;
    SELECT (max(c.hasta) AT TIME ZONE v_zona)::date INTO v_ultima
    FROM etl.corrida AS c
    WHERE c.nuevas + c.cambiadas + c.retiradas > 0;
    -- A weekday is of trade if the shop sold on it in half of the last eight weeks it sold in.
    SELECT count(*) INTO v_callados
    FROM generate_series(
        v_ultima + 1, (p_hasta AT TIME ZONE v_zona)::date - 1, interval '1 day'
    ) AS d (dia)
    WHERE extract(isodow FROM d.dia) IN (
        SELECT extract(isodow FROM r.dia)
        FROM (
            SELECT DISTINCT r.dia
            FROM dw.resumen_diario AS r
            WHERE r.unidades_vendidas > 0
                AND r.dia > (SELECT max(u.dia) FROM dw.resumen_diario AS u) - 56
        ) AS r
        GROUP BY extract(isodow FROM r.dia)
        HAVING count(*) >= 4
    );
    IF v_callados > (p_opciones ->> 'max_silencio')::bigint THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETG01',
            MESSAGE = format('the OLTP shows no movement since %s: %s days on which this shop sells; nothing was written',
                             v_ultima, v_callados),
            HINT = 'see that OLTP_DB_* is where the till writes; if the shop was closed, raise ETL_MAX_SILENT_DAYS';
    END IF;
END
$$;
COMMENT ON FUNCTION etl.revisar_silencio(jsonb, timestamptz, jsonb) IS
    'Detiene una ventana sin novedad si la tienda lleva demasiados días de venta sin movimientos';

CREATE OR REPLACE FUNCTION etl.motivos_frecuentes() RETURNS text
LANGUAGE sql STABLE
AS $$
SELECT string_agg(format('%s: %s', m.motivo, m.veces), ', ' ORDER BY m.veces DESC)
FROM (
    SELECT d.motivo, count(*) AS veces
    FROM etl.descarte AS d
    WHERE d.motivo IS NOT NULL
    GROUP BY d.motivo
    ORDER BY count(*) DESC
    LIMIT 3
) AS m
$$;
COMMENT ON FUNCTION etl.motivos_frecuentes() IS 'Los tres motivos de rechazo más frecuentes de esta carga';

CREATE OR REPLACE FUNCTION etl.reintentar_rechazos(p_revisados jsonb) RETURNS void
LANGUAGE sql
AS $$
INSERT INTO etl.etapa (
    id_movimiento, tipo, id_producto, id_sucursal, cantidad, precio_unitario, costo_unitario,
    fecha, anulado
)
SELECT
    r.id_movimiento, r.tipo, r.id_producto, r.id_sucursal, r.cantidad, r.precio_unitario,
    r.costo_unitario, r.fecha, false
FROM etl.rechazo AS r
WHERE NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = r.id_movimiento)
    -- One that was looked for and not found was deleted in the OLTP.
    AND NOT coalesce(p_revisados, '[]') @> to_jsonb(r.id_movimiento)
$$;
COMMENT ON FUNCTION etl.reintentar_rechazos(jsonb) IS
    'Pone a prueba otra vez los rechazos que no vinieron en esta lectura';

CREATE OR REPLACE FUNCTION etl.dar_de_baja_borrados(p_revisados jsonb) RETURNS void
LANGUAGE sql
AS $$
INSERT INTO etl.baja
SELECT k.*, false
FROM jsonb_array_elements_text(coalesce(nullif(p_revisados, 'null'), '[]')) AS r (id)
INNER JOIN dw.kardex AS k ON k.id_movimiento = r.id::bigint
WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = k.id_movimiento)
    AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = k.id_movimiento)
$$;
COMMENT ON FUNCTION etl.dar_de_baja_borrados(jsonb) IS
    'De los movimientos que esta lectura buscó por su número, los que el OLTP ya no tiene salen del kardex';

CREATE OR REPLACE FUNCTION etl.preparar_carga() RETURNS void
LANGUAGE sql
AS $$
-- Without workers where they would save nothing, since they need some of /dev/shm, of which a
-- container may have little left; and where the shop's own rule is not for them.
SELECT
    set_config('work_mem', '128MB', true),
    set_config('jit', 'off', true),
    -- They hand on few rows, of which the planner expects many, and share no hash table.
    set_config('parallel_tuple_cost', '0.01', true),
    set_config('enable_parallel_hash', 'off', true),
    -- What the session allows, for etl.permitir_procesos().
    set_config('etl.procesos', current_setting('max_parallel_workers_per_gather'), true),
    CASE
        WHEN NOT etl.es_carga_grande() OR NOT etl.admite_procesos()
            THEN set_config('max_parallel_workers_per_gather', '0', true)
    END
$$;
COMMENT ON FUNCTION etl.preparar_carga() IS
    'Memoria y procesos para la transacción de una carga, según lo que haya en etl.etapa';

CREATE OR REPLACE FUNCTION etl.cargar_ventana(p_extracto jsonb, p_opciones jsonb) RETURNS jsonb
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_desde timestamptz := (p_extracto ->> 'desde')::timestamptz;
    v_hasta timestamptz := (p_extracto ->> 'hasta')::timestamptz;
    v_leida timestamptz := (p_extracto ->> 'leida')::timestamptz;
    v_completa boolean := (p_extracto ->> 'imagen_completa')::boolean;
    v_reconstruir boolean := coalesce((p_extracto ->> 'reconstruir')::boolean, false);
    v_incluye boolean := (p_opciones ->> 'incluye_impuesto')::boolean;
    v_control etl.control := etl.bloquear_control(p_opciones ->> 'zona');
    v_inicial timestamptz := coalesce(v_control.desde_inicial, (p_extracto ->> 'desde_inicial')::timestamptz);
    v_corte date := (v_hasta AT TIME ZONE (p_opciones ->> 'zona'))::date;
    v_politica text := etl.huella_politica(v_incluye);
    v_inicio timestamptz := clock_timestamp();
    v_filas bigint;
    v_conteo jsonb;
BEGIN
    IF v_control.version <> (p_extracto ->> 'version')::uuid
        OR v_control.hasta <> v_desde THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01', MESSAGE = 'the window was not opened by etl.abrir_ventana';
    END IF;
    PERFORM etl.preparar_carga();

    UPDATE dw.apertura AS a SET fecha = v_inicial WHERE a.fecha IS NULL;
    v_filas := etl.revisar_etapa();
    -- They may have been staged by another transaction than this one.
    IF v_filas <> (p_extracto #>> '{archivos,movements.csv,rows}')::bigint THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01',
            MESSAGE = format('etl.etapa holds %s movements, but %s were read; nothing was written',
                             v_filas, p_extracto #>> '{archivos,movements.csv,rows}'),
            HINT = 'run it again: they are read anew';
    END IF;
    IF NOT v_completa THEN
        PERFORM etl.reintentar_rechazos(p_extracto -> 'revisados');
    END IF;
    -- Before anything that they count changes its tax.
    IF v_corte > (v_control.hasta AT TIME ZONE (p_opciones ->> 'zona'))::date THEN
        PERFORM etl.correr_resumen_movil(
            (v_control.hasta AT TIME ZONE (p_opciones ->> 'zona'))::date, v_corte,
            p_opciones ->> 'zona'
        );
    END IF;
    PERFORM etl.cargar_dimensiones(v_incluye, v_politica);
    PERFORM etl.clasificar(v_inicial, v_leida + interval '1 day', v_completa);
    PERFORM etl.dar_de_baja_borrados(p_extracto -> 'revisados');
    PERFORM etl.revisar_rechazos(v_filas, p_opciones);
    IF v_completa THEN
        PERFORM etl.revisar_retiros(v_control, p_extracto -> 'identidad', p_opciones);
    END IF;
    v_conteo := etl.contar_cambios();
    PERFORM etl.apartar_rechazos(v_desde, v_hasta);
    PERFORM etl.revisar_silencio(v_conteo, v_hasta, p_opciones);
    IF v_reconstruir THEN
        INSERT INTO etl.tramo AS t (id_producto, desde)
        SELECT i.id_producto, '-infinity'::timestamptz FROM dw.inventario AS i
        UNION
        SELECT k.id_producto, '-infinity'::timestamptz FROM dw.kardex AS k
        ON CONFLICT (id_producto) DO UPDATE SET desde = excluded.desde;
    END IF;
    v_conteo := v_conteo || etl.revaluar(
        v_control.corridas + 1, p_opciones, v_corte,
        v_politica IS DISTINCT FROM v_control.politica
    ) || jsonb_build_object('filas_leidas', v_filas);
    IF v_reconstruir THEN
        PERFORM etl.recalcular_resumenes(p_opciones ->> 'zona', v_corte);
    END IF;

    PERFORM etl.avanzar_control(p_extracto, v_inicial, v_politica, p_opciones ->> 'zona');
    PERFORM etl.conservar_refresco(v_control, v_conteo);
    PERFORM etl.anotar_corrida(
        p_extracto, v_conteo, extract(epoch FROM clock_timestamp() - v_inicio)::numeric
    );
    RETURN v_conteo;
END
$$;
COMMENT ON FUNCTION etl.cargar_ventana(jsonb, jsonb) IS
    'Carga la ventana abierta desde etl.etapa: clasifica, valoriza, resume y anota, todo o nada; devuelve los conteos';

CREATE OR REPLACE FUNCTION etl.contar_cambios() RETURNS jsonb
LANGUAGE sql STABLE
AS $$
SELECT jsonb_build_object(
    'iguales', (SELECT count(*) FROM etl.baja AS b WHERE b.igual),
    'retiradas', (
        SELECT count(*) FROM etl.baja AS b
        WHERE NOT b.igual AND (
            EXISTS (SELECT FROM etl.descarte AS d WHERE d.id_movimiento = b.id_movimiento)
            OR NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = b.id_movimiento)
        )
    ),
    'cambiadas', (
        SELECT count(*) FROM etl.baja AS b
        WHERE NOT b.igual
            AND NOT EXISTS (SELECT FROM etl.descarte AS d WHERE d.id_movimiento = b.id_movimiento)
            AND EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = b.id_movimiento)
    ),
    'fuera_de_alcance', (SELECT count(*) FROM etl.descarte AS d WHERE d.motivo IS NULL),
    'rechazadas', (SELECT count(*) FROM etl.descarte AS d WHERE d.motivo IS NOT NULL)
)
$$;
COMMENT ON FUNCTION etl.contar_cambios() IS 'Conteos de lo clasificado, antes de apartar los rechazos';

CREATE OR REPLACE FUNCTION etl.avanzar_control(
    p_extracto jsonb, p_inicial timestamptz, p_politica text, p_zona text
) RETURNS void
LANGUAGE sql
AS $$
UPDATE etl.control AS c
SET version = gen_random_uuid(),
    corridas = c.corridas + 1,
    desde_inicial = p_inicial,
    hasta = (p_extracto ->> 'hasta')::timestamptz,
    horizonte = (p_extracto ->> 'horizonte')::xid8,
    identidad = p_extracto -> 'identidad',
    movimientos_oltp = (p_extracto ->> 'movimientos_oltp')::bigint,
    lsn = (p_extracto ->> 'lsn')::pg_lsn,
    zona = p_zona,
    politica = p_politica,
    aceptar_fuente = NULL
$$;
COMMENT ON FUNCTION etl.avanzar_control(jsonb, timestamptz, text, text) IS
    'Deja el control al final de la ventana, con una versión nueva';

CREATE OR REPLACE FUNCTION etl.conservar_refresco(p_antes etl.control, p_conteo jsonb) RETURNS void
LANGUAGE sql
AS $$
-- Nothing else reaches what the views show, but for the day up to which they count.
UPDATE etl.refresco AS r
SET version = c.version
FROM etl.control AS c
WHERE r.version = p_antes.version
    AND (p_conteo ->> 'productos_tocados')::bigint = 0
    AND NOT EXISTS (SELECT FROM etl.etapa_producto)
    AND NOT EXISTS (SELECT FROM etl.etapa_sucursal)
    AND c.politica = p_antes.politica
    AND (c.hasta AT TIME ZONE c.zona)::date = (p_antes.hasta AT TIME ZONE c.zona)::date
$$;
COMMENT ON FUNCTION etl.conservar_refresco(etl.control, jsonb) IS
    'Si la carga no cambia nada de lo que muestran las vistas y estaban al día, lo siguen estando';

CREATE OR REPLACE FUNCTION etl.anotar_corrida(p_extracto jsonb, p_conteo jsonb, p_segundos numeric)
RETURNS void
LANGUAGE sql
AS $$
INSERT INTO etl.corrida (
    desde, hasta, numero, version, id_corrida, leida, horizonte, lsn, identidad,
    imagen_completa, motivo_completa, sha256, filas_leidas, nuevas, cambiadas, retiradas,
    iguales, fuera_de_alcance, rechazadas, ventas, entradas, productos_tocados, revaluadas,
    segundos_extraccion, segundos_carga
)
SELECT
    (p_extracto ->> 'desde')::timestamptz, (p_extracto ->> 'hasta')::timestamptz,
    c.corridas, c.version, p_extracto ->> 'id_corrida', (p_extracto ->> 'leida')::timestamptz,
    (p_extracto ->> 'horizonte')::xid8, (p_extracto ->> 'lsn')::pg_lsn,
    p_extracto -> 'identidad', (p_extracto ->> 'imagen_completa')::boolean,
    p_extracto ->> 'motivo_completa', p_extracto ->> 'sha256',
    (p_conteo ->> 'filas_leidas')::bigint,
    (p_conteo ->> 'altas')::bigint - (p_conteo ->> 'cambiadas')::bigint,
    (p_conteo ->> 'cambiadas')::bigint, (p_conteo ->> 'retiradas')::bigint,
    (p_conteo ->> 'iguales')::bigint, (p_conteo ->> 'fuera_de_alcance')::bigint,
    (p_conteo ->> 'rechazadas')::bigint, (p_conteo ->> 'ventas')::bigint,
    (p_conteo ->> 'entradas')::bigint, (p_conteo ->> 'productos_tocados')::bigint,
    (p_conteo ->> 'revaluadas')::bigint, (p_extracto ->> 'segundos')::numeric, p_segundos
FROM etl.control AS c
$$;
COMMENT ON FUNCTION etl.anotar_corrida(jsonb, jsonb, numeric) IS
    'Deja la fila de la ventana en etl.corrida, con la versión que el control acaba de tomar';
