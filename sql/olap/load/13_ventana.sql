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
SELECT etl.conceder('EXECUTE', 'etl.abrir_ventana(timestamptz, timestamptz, uuid, text, text, text)', 'etl_cargador');

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
SELECT etl.conceder('EXECUTE', 'etl.adelantar(timestamptz, timestamptz, uuid, text)', 'etl_cargador');

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
SELECT etl.conceder('EXECUTE', 'etl.anotar_adelanto(text, text, bigint)', 'etl_cargador');
