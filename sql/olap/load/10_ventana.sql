-- One window, one transaction: etl.abrir_ventana, the client's COPY, etl.cargar_ventana.

CREATE OR REPLACE FUNCTION etl.abrir_ventana(
    p_desde timestamptz, p_hasta timestamptz, p_version uuid, p_zona text
) RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_zona);
BEGIN
    IF EXISTS (SELECT FROM etl.corrida AS c WHERE c.desde = p_desde AND c.hasta = p_hasta) THEN
        RETURN 'ya_cargada';
    ELSIF v_control.hasta <> p_desde THEN
        RETURN 'superada';
    ELSIF v_control.version <> p_version THEN
        RETURN 'releer';
    END IF;
    PERFORM etl.vaciar_trabajo();
    RETURN 'cargar';
END
$$;
COMMENT ON FUNCTION etl.abrir_ventana(timestamptz, timestamptz, uuid, text) IS
    'Bloquea el control y dice qué hacer con la ventana: cargar, ya_cargada, superada (otra corrida ganó) o releer (el extracto es de otra versión)';
SELECT etl.conceder('EXECUTE', 'etl.abrir_ventana(timestamptz, timestamptz, uuid, text)', 'etl_cargador');

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
    PERFORM etl.revisar_kardex();
    RETURN v_control;
END
$$;
COMMENT ON FUNCTION etl.bloquear_control(text) IS
    'Toma el bloqueo que ordena las cargas; falla si no hay control, si la zona es otra o si el kardex no está entero';

CREATE OR REPLACE FUNCTION etl.vaciar_trabajo() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_tabla text;
BEGIN
    FOREACH v_tabla IN ARRAY ARRAY[
        'etapa', 'etapa_producto', 'etapa_sucursal', 'etapa_existencia', 'descarte', 'baja', 'cerrada', 'tramo', 'circunstancia',
        'repeticion', 'delta'
    ] LOOP
        -- To truncate makes new files of each, its TOAST and its indexes: that took a load of few rows as
        -- long as all the rest. Rows that are deleted stay in theirs until they are many.
        IF pg_table_size(format('etl.%I', v_tabla)) > 256 * 1024 THEN
            BEGIN
                EXECUTE format('LOCK TABLE etl.%I IN ACCESS EXCLUSIVE MODE NOWAIT', v_tabla);
                EXECUTE format('TRUNCATE etl.%I', v_tabla);
                CONTINUE;
            EXCEPTION WHEN lock_not_available THEN
                -- A backup that is running reads every table: it need not hold up the load.
                NULL;
            END;
        END IF;
        EXECUTE format('DELETE FROM etl.%I', v_tabla);
    END LOOP;
END
$$;
COMMENT ON FUNCTION etl.vaciar_trabajo() IS
    'Vacía las tablas de trabajo, bajo el bloqueo de etl.control';
