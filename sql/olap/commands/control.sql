-- What every run and command asks of the control row and of the runs, and the little that it notes there.

CREATE OR REPLACE FUNCTION etl.leer_control() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'version', c.version, 'desde_inicial', c.desde_inicial, 'hasta', c.hasta,
    'horizonte', c.horizonte::text, 'identidad', c.identidad, 'consultas', c.consultas, 'lsn', c.lsn::text, 'zona', c.zona,
    'esquema', c.esquema, 'corridas', c.corridas,
    'movimientos_oltp', c.movimientos_oltp, 'catalogo', c.catalogo,
    'ajusta', c.ajusta = etl.esta_base(), 'ajustes', (SELECT count(*) FROM dw.ajuste_existencias),
    'cerrado', nullif(etl.cerrado_hasta(), '-infinity'), 'existencias', c.existencias, 'existencias_enteras', c.existencias_enteras,
    'borradas_buscadas', c.borradas_buscadas, 'tienda', c.tienda,
    'tipos', (SELECT coalesce(jsonb_agg(t.tipo), '[]') FROM dw.tipo_movimiento AS t),
    'filas_kardex', (SELECT r.reltuples FROM pg_class AS r WHERE r.oid = 'dw.kardex'::regclass)
)
FROM etl.control AS c
CROSS JOIN etl.revisar_kardex()
$$;
COMMENT ON FUNCTION etl.leer_control() IS
    'La fila de control, para decidir qué ventana toca y desde dónde leer; falla como etl.revisar_kardex()';
SELECT etl.conceder('EXECUTE', 'etl.leer_control()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.ventanas_cargadas(p_desde timestamptz[], p_hasta timestamptz[])
RETURNS TABLE (desde timestamptz, hasta timestamptz)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.desde, c.hasta
FROM unnest(p_desde, p_hasta) AS v (desde, hasta)
INNER JOIN etl.corrida AS c ON c.desde = v.desde AND c.hasta = v.hasta
$$;
COMMENT ON FUNCTION etl.ventanas_cargadas(timestamptz[], timestamptz[]) IS
    'De las ventanas dadas, las que la base de verdad cargó';
SELECT etl.conceder('EXECUTE', 'etl.ventanas_cargadas(timestamptz[], timestamptz[])', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.productos_vigentes() RETURNS SETOF bigint
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT p.id_producto FROM dw.producto AS p WHERE p.vigente
$$;
COMMENT ON FUNCTION etl.productos_vigentes() IS
    'Los productos que productos.sql daba en la última ventana, para ver cuáles ya no da';
SELECT etl.conceder('EXECUTE', 'etl.productos_vigentes()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.anotar_vistas(
    p_desde timestamptz, p_hasta timestamptz, p_segundos numeric
) RETURNS void
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
UPDATE etl.corrida AS c SET segundos_vistas = p_segundos
WHERE c.desde = p_desde AND c.hasta = p_hasta
$$;
COMMENT ON FUNCTION etl.anotar_vistas(timestamptz, timestamptz, numeric) IS
    'Anota cuánto tardó el refresco de vistas de una ventana';
SELECT etl.conceder('EXECUTE', 'etl.anotar_vistas(timestamptz, timestamptz, numeric)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.aceptar_fuente(p_senal text) RETURNS void
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
UPDATE etl.control AS c SET aceptar_fuente = p_senal
$$;
COMMENT ON FUNCTION etl.aceptar_fuente(text) IS
    'Deja pasar la carga de esta transacción, si es de ese OLTP, aunque quite o reemplace mucho del kardex';
SELECT etl.conceder('EXECUTE', 'etl.aceptar_fuente(text)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.aceptar_ajustes() RETURNS void
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
UPDATE etl.control AS c SET aceptar_ajustes = true
$$;
COMMENT ON FUNCTION etl.aceptar_ajustes() IS
    'Deja que la carga de esta transacción asiente sus ajustes, valgan lo que valgan, y que esta base los asiente desde ella';
SELECT etl.conceder('EXECUTE', 'etl.aceptar_ajustes()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.preguntar_ajustes() RETURNS void
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
UPDATE etl.control AS c SET ajusta = NULL WHERE c.ajusta IS NOT NULL
$$;
COMMENT ON FUNCTION etl.preguntar_ajustes() IS
    'La próxima carga que asiente ajustes pregunta, como la primera: a esta base le faltan ventanas';
SELECT etl.conceder('EXECUTE', 'etl.preguntar_ajustes()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.quien_bloquea() RETURNS text
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(format(
    'pid %s, user %s, application %s, since %s', b.pid, b.usename,
    coalesce(nullif(b.application_name, ''), '?'), date_trunc('second', b.xact_start)
), '; ')
FROM (
    SELECT DISTINCT a.pid, a.usename, a.application_name, a.xact_start
    FROM pg_locks AS l
    INNER JOIN pg_class AS c ON c.oid = l.relation
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN pg_stat_activity AS a ON a.pid = l.pid
    WHERE l.granted AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
        AND n.nspname IN ('dw', 'etl') AND l.mode <> 'AccessShareLock' AND l.pid <> pg_backend_pid()
    ORDER BY a.pid
    LIMIT 5
) AS b
$$;
COMMENT ON FUNCTION etl.quien_bloquea() IS 'Las sesiones que tienen bloqueos sobre dw y etl, para nombrarlas';
SELECT etl.conceder('EXECUTE', 'etl.quien_bloquea()', 'etl_cargador');
