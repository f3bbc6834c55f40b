-- What stops a window before it writes: each of these says that the source is wrong, not the data.

CREATE OR REPLACE VIEW etl.v_baja_desconocida AS
SELECT b.id_movimiento, b.id_producto
FROM etl.baja AS b
INNER JOIN dw.producto AS p ON p.id_producto = b.id_producto
WHERE NOT p.vigente;
COMMENT ON VIEW etl.v_baja_desconocida IS
    'De lo que sale del kardex, lo que sale porque productos.sql ya no da su producto';

CREATE OR REPLACE FUNCTION etl.revisar_catalogo(
    p_control etl.control, p_extracto jsonb, p_opciones jsonb
) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_productos bigint;
    v_retiros bigint;
    v_total bigint;
    v_abiertas bigint;
    v_cerrado timestamptz := etl.cerrado_hasta();
    v_catalogo bigint;
    v_senal text := etl.senal_fuente(p_extracto -> 'identidad');
BEGIN
    SELECT count(DISTINCT b.id_producto), count(*) INTO v_productos, v_retiros
    FROM etl.v_baja_desconocida AS b;
    IF v_retiros = 0 THEN
        RETURN;
    END IF;
    -- What is closed does not leave.
    SELECT count(*), count(*) FILTER (WHERE k.fecha >= v_cerrado) INTO v_total, v_abiertas FROM dw.kardex AS k;
    SELECT count(*) INTO v_catalogo FROM dw.producto AS p WHERE p.vigente;
    -- A catalogue that is empty was emptied by mistake, however few its lines.
    IF (v_retiros < 20 AND v_catalogo > 0)
        OR v_retiros <= v_abiertas * (p_opciones ->> 'max_retiro')::numeric
        OR p_control.aceptar_fuente = v_senal THEN
        RETURN;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'ETG01',
        MESSAGE = format(
            '%s, and without them %s of the %s movements of the ledger would leave it and wait as rejects; nothing was written',
            CASE v_catalogo
                WHEN 0 THEN 'productos.sql yields no product any more'
                ELSE format('productos.sql yields %s products, and no more %s that have movements',
                            v_catalogo, v_productos)
            END, v_retiros, v_total),
        HINT = format(
            'put the products back, or correct productos.sql; or if it is right: %s --accept-source %s',
            coalesce(p_extracto ->> 'orden', 'luigi --module pipeline RunDue --local-scheduler'), v_senal);
END
$$;
COMMENT ON FUNCTION etl.revisar_catalogo(etl.control, jsonb, jsonb) IS
    'Detiene una ventana en que faltan productos cuyos movimientos son demasiados, o todo el catálogo, salvo que se haya aceptado esa fuente';

CREATE OR REPLACE FUNCTION etl.revisar_archivadas(p_cerrado timestamptz, p_opciones jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_tardias bigint;
    v_otra_vez bigint;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE a.tipo IS NOT NULL)
    INTO v_tardias, v_otra_vez
    FROM etl.v_etapa AS v
    LEFT JOIN (
        SELECT DISTINCT k.tipo, k.id_producto, k.fecha_documento, k.cantidad
        FROM dw.kardex AS k
        WHERE k.fecha < p_cerrado
            AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = k.id_movimiento)
    ) AS a
        ON a.tipo = v.tipo AND a.id_producto = v.id_producto AND a.fecha_documento = v.fecha
        AND a.cantidad = v.cantidad
    WHERE v.fecha < p_cerrado
        AND NOT EXISTS (SELECT FROM dw.kardex AS k WHERE k.id_movimiento = v.id_movimiento);
    IF v_otra_vez >= 5 AND v_otra_vez >= v_tardias / 2 AND (p_opciones ->> 'max_retiro')::numeric < 1 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETG01',
            MESSAGE = format('%s movements that are closed come again with other ids, and would count twice; nothing was written',
                             v_otra_vez),
            HINT = 'yield the ids that they had in movimientos.sql; or open the closings again, the last one first, and close anew after the run: `python -m pipeline close --reopen`';
    END IF;
END
$$;
COMMENT ON FUNCTION etl.revisar_archivadas(timestamptz, jsonb) IS
    'Detiene una lectura completa que trae lo cerrado con otros números: quedaría archivado y, además, asentado de nuevo';

CREATE OR REPLACE FUNCTION etl.revisar_rechazos(p_filas bigint, p_opciones jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_rechazos bigint;
BEGIN
    SELECT count(*) INTO v_rechazos
    FROM etl.descarte AS d
    WHERE d.motivo IS NOT NULL
        AND NOT EXISTS (SELECT FROM etl.rechazo AS r WHERE r.id_movimiento = d.id_movimiento)
        -- What leaves the ledger with its product is etl.revisar_catalogo()'s, or etl.revisar_salidas()'s.
        AND NOT EXISTS (SELECT FROM etl.v_baja_desconocida AS b WHERE b.id_movimiento = d.id_movimiento)
        AND NOT (d.motivo = 'producto desconocido' AND EXISTS (
            SELECT FROM etl.baja AS b
            INNER JOIN etl.etapa AS e ON e.id_movimiento = b.id_movimiento
            WHERE b.id_movimiento = d.id_movimiento AND e.id_producto IS NULL
        ));
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
    -- Of dates a series is one of moments, and loses its last day where clocks go forward at midnight.
    FROM generate_series(
        (v_ultima + 1)::timestamp, ((p_hasta AT TIME ZONE v_zona)::date - 1)::timestamp, interval '1 day'
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
