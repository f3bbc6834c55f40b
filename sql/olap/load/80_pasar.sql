-- What a round of many shops does without a load: a shop is told whose OLAP this is, and one with
-- nothing new is moved on.

CREATE OR REPLACE FUNCTION etl.pasar_ventana(p_version uuid, p_hasta timestamptz, p_opciones jsonb) RETURNS boolean
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_opciones ->> 'zona');
    v_dia date := (p_hasta AT TIME ZONE (p_opciones ->> 'zona'))::date;
BEGIN
    IF v_control.version <> p_version
        OR v_control.hasta >= p_hasta
        OR (v_control.hasta AT TIME ZONE (p_opciones ->> 'zona'))::date <> v_dia
        OR v_control.horizonte IS NULL
        OR v_control.revaluar
        OR v_control.politica IS DISTINCT FROM etl.huella_politica((p_opciones ->> 'incluye_impuesto')::boolean, v_dia)
        OR EXISTS (SELECT FROM etl.rechazo)
        OR EXISTS (SELECT FROM dw.apertura AS a WHERE a.fecha IS NULL) THEN
        RETURN false;
    END IF;
    -- The horizon stays: what is not older than it is asked for again, and nothing can be missed. Nor is
    -- anything if a power cut takes this commit, so that nobody waits for the disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE etl.control AS c SET hasta = p_hasta, version = gen_random_uuid();
    RETURN true;
END
$$;
COMMENT ON FUNCTION etl.pasar_ventana(uuid, timestamptz, jsonb) IS
    'Lleva el fin de lo cargado hasta un momento del mismo día sin cargar nada, si el OLTP no tiene novedad desde esa versión y aquí nada espera una carga; dice si lo hizo';
SELECT etl.conceder('EXECUTE', 'etl.pasar_ventana(uuid, timestamptz, jsonb)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.adoptar(p_tienda text) RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_tienda text;
BEGIN
    UPDATE etl.control AS c SET tienda = p_tienda WHERE c.tienda IS NULL;
    SELECT c.tienda INTO v_tienda FROM etl.control AS c;
    RETURN v_tienda;
END
$$;
COMMENT ON FUNCTION etl.adoptar(text) IS
    'Pone el nombre de la tienda, de entre muchas, a un OLAP que aún no tiene ninguno; devuelve el que tiene';
SELECT etl.conceder('EXECUTE', 'etl.adoptar(text)', 'etl_cargador');
