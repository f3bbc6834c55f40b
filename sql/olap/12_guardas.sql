-- What stops a window before it writes: each of these says that the source is wrong, not the data.

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
