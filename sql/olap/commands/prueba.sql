-- What the OLAP proves alone, and what was proved last.

CREATE OR REPLACE FUNCTION etl.verificar_libros(p_parte bigint, p_corta boolean, p_movimientos bigint[])
RETURNS TABLE (falla text, id_producto bigint, id_movimiento bigint)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- The planner takes the functions that value for so dear that it would compile all of it.
SET jit = off
-- As in a load: see etl.preparar_carga().
SET enable_nestloop = off
SET work_mem = '128MB'
SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
BEGIN
    IF p_parte < 2 THEN
        RETURN QUERY SELECT * FROM etl.repetir_libro(p_corta, p_movimientos, p_parte);
        RETURN QUERY SELECT * FROM etl.verificar_inventario(p_corta, p_movimientos, p_parte);
        RETURN;
    END IF;
    RETURN QUERY
    SELECT 'what was closed up to ' || c.dia || ' is not what it was', NULL::bigint, NULL::bigint
    FROM etl.verificar_cierres() AS c;
    RETURN QUERY SELECT * FROM etl.verificar_ajustes();
    IF p_corta THEN
        RETURN QUERY
        SELECT s.falla, s.id_producto, NULL::bigint
        FROM dw.v_corte AS c
        CROSS JOIN LATERAL etl.verificar_sumas_tocadas(c.zona, c.dia, p_movimientos) AS s;
    ELSE
        RETURN QUERY
        SELECT s.falla, s.id_producto, NULL::bigint
        FROM dw.v_corte AS c
        CROSS JOIN LATERAL etl.verificar_sumas(c.zona, c.dia) AS s;
    END IF;
END
$$;
COMMENT ON FUNCTION etl.verificar_libros(bigint, boolean, bigint[]) IS
    'Lo que el OLAP puede comprobar solo, en tres partes que se preguntan a la vez: los productos de número par (0) e impar (1) se repiten igual y cuadran, con su inventario; los resúmenes son sus sumas (2). De todo, o de lo tocado desde la última comprobación';
SELECT etl.conceder('EXECUTE', 'etl.verificar_libros(bigint, boolean, bigint[])', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.pocas_filas() RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT 20000::bigint
$$;
COMMENT ON FUNCTION etl.pocas_filas() IS
    'Un kardex de menos filas se comprueba siempre entero';

CREATE OR REPLACE FUNCTION etl.leer_prueba() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'estado', n.estado, 'probada', p.probada, 'entera', p.entera, 'antes', p.estado - 'rechazos',
    'motivo', CASE
        WHEN p.probada IS NULL THEN 'none was clean before'
        WHEN p.estado IS NULL THEN 'the last one found something'
        WHEN p.estado -> 'servidor' <> n.estado -> 'servidor'
            OR (p.estado ->> 'corridas')::bigint > c.corridas
            OR (p.estado ->> 'corridas')::bigint = c.corridas AND p.estado ->> 'version' <> c.version::text
            THEN 'the OLAP was restored, moved or rewritten'
        WHEN p.estado -> 'reglas' <> n.estado -> 'reglas' THEN 'the rules were replaced or upgraded'
        WHEN p.estado -> 'desde_inicial' <> n.estado -> 'desde_inicial' THEN 'earlier history came in'
        WHEN p.estado -> 'aperturas' <> n.estado -> 'aperturas' THEN 'opening balances changed'
        WHEN p.estado -> 'politica' <> n.estado -> 'politica' THEN 'prices'' policy or tax changed'
        -- The average value of all, touched or not, is another.
        WHEN p.estado -> 'fines_de_mes' <> n.estado -> 'fines_de_mes' THEN 'a month ended'
        WHEN EXISTS (
            SELECT FROM etl.corrida AS r
            WHERE r.numero > (p.estado ->> 'corridas')::bigint AND r.imagen_completa
        ) THEN 'a window read everything'
        WHEN (SELECT count(*) FROM (SELECT FROM dw.kardex LIMIT etl.pocas_filas()) AS k)
            < etl.pocas_filas() THEN 'there are few movements'
    END
)
FROM etl.control AS c
CROSS JOIN LATERAL (
    SELECT jsonb_build_object(
        'version', c.version, 'corridas', c.corridas, 'desde_inicial', c.desde_inicial,
        'horizonte', c.horizonte::text, 'lsn', c.lsn::text, 'identidad', c.identidad,
        'consultas', c.consultas,
        'politica', c.politica,
        'fines_de_mes', (
            SELECT jsonb_agg(extract(epoch FROM f.fin) ORDER BY f.fin)
            FROM dw.v_corte AS v
            CROSS JOIN LATERAL unnest(etl.fines_de_mes(v.dia, v.zona)) AS f (fin)
        ),
        'rechazos', (SELECT coalesce(jsonb_agg(r.id_movimiento), '[]') FROM etl.rechazo AS r),
        'aperturas', (
            SELECT md5(string_agg(a::text || coalesce(s::text, ''), '|' ORDER BY a.id_producto, s.id_sucursal))
            FROM dw.apertura AS a
            LEFT JOIN dw.apertura_sucursal AS s ON s.id_producto = a.id_producto
        ),
        'reglas', (
            SELECT md5(string_agg(
                f.prosrc || coalesce(pg_get_function_sqlbody(f.oid), ''), '|'
                ORDER BY f.oid::regprocedure::text
            ))
            FROM pg_proc AS f
            WHERE f.pronamespace IN ('dw'::regnamespace, 'etl'::regnamespace)
        ),
        'servidor', jsonb_build_array(
            (SELECT s.system_identifier::text FROM pg_control_system() AS s),
            (SELECT s.timeline_id FROM pg_control_checkpoint() AS s),
            (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())::bigint,
            (
                SELECT jsonb_agg(pg_relation_filenode(t.tabla)::bigint ORDER BY t.orden)
                FROM unnest(ARRAY[
                    'dw.kardex', 'dw.inventario', 'dw.resumen_diario', 'dw.resumen_mensual',
                    'dw.resumen_movil', 'dw.resumen_sucursal', 'etl.rechazo', 'etl.por_probar'
                ]::regclass[]) WITH ORDINALITY AS t (tabla, orden)
            )
        )
    ) AS estado
) AS n
LEFT JOIN etl.prueba AS p ON true
$$;
COMMENT ON FUNCTION etl.leer_prueba() IS
    'El estado que una comprobación prueba, la última sin faltas, y por qué no basta con mirar lo que cambió desde ella; nulo si basta';
SELECT etl.conceder('EXECUTE', 'etl.leer_prueba()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.anotar_prueba(p_estado jsonb, p_entera boolean) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_libres bigint[];
BEGIN
    IF p_entera THEN
        INSERT INTO etl.prueba (probada, entera, estado)
        VALUES (now(), now(), p_estado)
        ON CONFLICT (unico) DO UPDATE SET probada = now(), entera = now(), estado = excluded.estado;
    ELSE
        -- What one beside this found is not covered by this one.
        UPDATE etl.prueba SET probada = now(), estado = p_estado WHERE estado IS NOT NULL;
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    -- A load that is under way holds its own: what stays is only looked at once more.
    -- (As an array, since a join of the two would be planned by statistics that may say none.)
    v_libres := ARRAY(
        SELECT q.id_producto FROM etl.por_probar AS q
        WHERE q.numero <= (p_estado ->> 'corridas')::bigint
        FOR UPDATE SKIP LOCKED
    );
    DELETE FROM etl.por_probar AS q WHERE q.id_producto = ANY (v_libres);
END
$$;
COMMENT ON FUNCTION etl.anotar_prueba(jsonb, boolean) IS
    'Anota una comprobación sin faltas, entera o corta, del estado que dio etl.leer_prueba()';
SELECT etl.conceder('EXECUTE', 'etl.anotar_prueba(jsonb, boolean)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.anular_prueba() RETURNS void
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
UPDATE etl.prueba SET estado = NULL
$$;
COMMENT ON FUNCTION etl.anular_prueba() IS
    'Una comprobación halló faltas: hasta que una entera no halle ninguna, todas son enteras';
SELECT etl.conceder('EXECUTE', 'etl.anular_prueba()', 'etl_cargador');
