-- Backfill: earlier history, read in pieces, merged once under the lock.

CREATE OR REPLACE FUNCTION etl.abrir_historia(p_desde timestamptz, p_zona text) RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_zona);
BEGIN
    IF v_control.hasta IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETS01',
            MESSAGE = 'there is no first run to go back from',
            HINT = 'set ETL_INITIAL_SINCE and run RunDue';
    ELSIF p_desde >= v_control.desde_inicial THEN
        RETURN 'ya_cargada';
    ELSIF etl.cerrado_hasta() > '-infinity' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('earlier history would change what is closed up to %s; nothing was changed',
                             (SELECT max(c.dia) FROM dw.cierre AS c)),
            HINT = 'open the closings again, the last one first: `python -m pipeline close --reopen`';
    END IF;
    PERFORM etl.vaciar_trabajo();
    RETURN 'cargar';
END
$$;
COMMENT ON FUNCTION etl.abrir_historia(timestamptz, text) IS
    'Bloquea el control para añadir historia: cargar, o ya_cargada si el alcance ya empieza ahí';
SELECT etl.conceder('EXECUTE', 'etl.abrir_historia(timestamptz, text)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.cargar_historia(p_extracto jsonb, p_opciones jsonb) RETURNS jsonb
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_desde timestamptz := (p_extracto ->> 'desde')::timestamptz;
    v_hasta timestamptz := (p_extracto ->> 'hasta')::timestamptz;
    v_control etl.control := etl.bloquear_control(p_opciones ->> 'zona');
    v_inicio timestamptz := clock_timestamp();
    v_filas bigint;
    v_conteo jsonb;
BEGIN
    IF v_control.desde_inicial <> v_hasta
        OR v_control.identidad -> 'sistema' <> p_extracto -> 'identidad' -> 'sistema'
        OR v_control.identidad -> 'linea_de_tiempo' <> p_extracto -> 'identidad' -> 'linea_de_tiempo'
        OR v_control.identidad -> 'base' <> p_extracto -> 'identidad' -> 'base'
        -- A window has read everything since, perhaps since the OLTP had gone back in time.
        OR EXISTS (
            SELECT FROM etl.corrida AS c
            WHERE c.numero > (p_extracto ->> 'corridas')::bigint AND c.imagen_completa
        ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01',
            MESSAGE = 'the initial date or the OLTP changed, or a window read everything, since the history was read; nothing was written',
            HINT = 'run it again: it is read anew';
    END IF;
    PERFORM etl.preparar_carga();

    PERFORM etl.revisar_claves();
    PERFORM etl.nombrar_sucursales();
    -- A movement that changed its date between two pieces is in both: the later read counts,
    -- and the next window reads it again in any case. Each piece came by a command of this transaction;
    -- where its rows stand says nothing, once a VACUUM has made room between others.
    DELETE FROM etl.etapa AS e USING etl.etapa AS f
    WHERE f.id_movimiento = e.id_movimiento AND f.ctid <> e.ctid AND f.cmin::text::bigint > e.cmin::text::bigint;
    v_filas := etl.revisar_etapa();
    PERFORM etl.reintentar_rechazos(NULL);
    PERFORM etl.clasificar(v_desde, (p_extracto ->> 'leida')::timestamptz + interval '1 day', false);
    PERFORM etl.revisar_salidas(v_control, p_extracto, p_opciones);
    PERFORM etl.revisar_rechazos(v_filas, p_opciones);
    v_conteo := etl.contar_cambios();
    PERFORM etl.anotar_documentos();
    PERFORM etl.apartar_rechazos(v_desde, v_hasta);
    v_conteo := v_conteo || etl.revaluar(
        v_control.corridas + 1, p_opciones, (SELECT c.dia FROM dw.v_corte AS c), false
    ) || jsonb_build_object('filas_leidas', v_filas);
    PERFORM etl.comparar_tocados();

    -- What was corrected since the first piece was read comes with the next window.
    UPDATE etl.control AS c
    SET version = gen_random_uuid(),
        corridas = c.corridas + 1,
        desde_inicial = v_desde,
        -- What was valued now has prices of a policy that the others have not yet.
        politica = CASE
            WHEN etl.misma_politica() THEN c.politica
        END,
        aceptar_fuente = NULL,
        -- An OLTP that goes back to before this read is behind what the OLAP has of it.
        lsn = greatest(c.lsn, (p_extracto ->> 'lsn')::pg_lsn),
        -- No horizon means that everything must be read, and that must not be forgotten.
        horizonte = CASE
            WHEN c.horizonte IS NOT NULL
                THEN least(c.horizonte, (p_extracto ->> 'horizonte')::xid8)
        END;
    -- Adjustments of these days, that were imported, count from now on.
    IF etl.llevar_ajustes(NULL, v_control.corridas + 1, p_opciones, (SELECT c.dia FROM dw.v_corte AS c)) > 0 THEN
        PERFORM etl.comparar_tocados();
    END IF;
    PERFORM etl.anotar_corrida(
        p_extracto, v_conteo, extract(epoch FROM clock_timestamp() - v_inicio)::numeric
    );
    RETURN v_conteo;
END
$$;
COMMENT ON FUNCTION etl.cargar_historia(jsonb, jsonb) IS
    'Une de una vez la historia anterior que está en etl.etapa, baja la fecha inicial y el horizonte, y revaloriza hacia adelante';
SELECT etl.conceder('EXECUTE', 'etl.cargar_historia(jsonb, jsonb)', 'etl_cargador');
