-- What the operator's commands ask and do. Each is all that its command may touch.

CREATE OR REPLACE FUNCTION etl.leer_control() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'version', c.version, 'desde_inicial', c.desde_inicial, 'hasta', c.hasta,
    'horizonte', c.horizonte::text, 'identidad', c.identidad, 'consultas', c.consultas, 'lsn', c.lsn::text, 'zona', c.zona,
    'esquema', c.esquema, 'corridas', c.corridas, 'aceptar_fuente', c.aceptar_fuente,
    'movimientos_oltp', c.movimientos_oltp, 'catalogo', c.catalogo,
    'filas_kardex', (SELECT r.reltuples FROM pg_class AS r WHERE r.oid = 'dw.kardex'::regclass)
)
FROM etl.control AS c
CROSS JOIN etl.revisar_kardex()
$$;
COMMENT ON FUNCTION etl.leer_control() IS
    'La fila de control, para decidir qué ventana toca y desde dónde leer; falla como etl.revisar_kardex()';

CREATE OR REPLACE FUNCTION etl.productos_vigentes() RETURNS SETOF bigint
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT p.id_producto FROM dw.producto AS p WHERE p.vigente
$$;
COMMENT ON FUNCTION etl.productos_vigentes() IS
    'Los productos que productos.sql daba en la última ventana, para ver cuáles ya no da';

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

CREATE OR REPLACE FUNCTION etl.motivos_de_rechazo() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(jsonb_object_agg(m.motivo, m.veces), '{}')
FROM (SELECT r.motivo, count(*) AS veces FROM etl.rechazo AS r GROUP BY r.motivo) AS m
$$;
COMMENT ON FUNCTION etl.motivos_de_rechazo() IS 'Cuántos movimientos esperan por cada motivo';

CREATE OR REPLACE FUNCTION etl.cifras_ensayo() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- As in a load: see etl.preparar_carga().
SET enable_nestloop = off
AS $$
SELECT jsonb_build_object(
    'existencias', (SELECT coalesce(sum(i.existencias), 0) FROM dw.inventario AS i),
    'valor', (SELECT coalesce(sum(i.valor), 0) FROM dw.inventario AS i WHERE i.existencias > 0)
) || (
    SELECT jsonb_build_object(
        'quitadas', count(*) FILTER (WHERE s.motivo = 'quitada'),
        'reemplazadas', count(*) FILTER (WHERE s.motivo = 'reemplazada'),
        'primera', min(s.fecha) FILTER (WHERE s.motivo <> 'corregida'),
        'ultima', max(s.fecha) FILTER (WHERE s.motivo <> 'corregida')
    )
    FROM etl.salidas() AS s
)
$$;
COMMENT ON FUNCTION etl.cifras_ensayo() IS
    'Existencias y valor, y lo que salió del kardex, como los ve la transacción de una carga: para decirlo antes de hacerla';

CREATE OR REPLACE FUNCTION etl.estado_operacion(p_ventanas integer) RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'control', etl.leer_control(),
    'ventanas', (
        SELECT coalesce(jsonb_agg(to_jsonb(c) - 'identidad' ORDER BY c.numero DESC), '[]')
        FROM (SELECT * FROM etl.corrida AS c ORDER BY c.numero DESC LIMIT p_ventanas) AS c
    ),
    'rechazos', etl.motivos_de_rechazo(),
    'fuera_de_alcance', etl.resumir_fuera_de_alcance(),
    'bajo_cero', (
        SELECT coalesce(jsonb_agg(to_jsonb(n) ORDER BY n.existencias), '[]')
        FROM (
            SELECT i.id_producto, p.codigo, p.nombre, i.existencias, i.costo_promedio
            FROM dw.inventario AS i
            INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
            WHERE i.existencias < 0
            ORDER BY i.existencias
            LIMIT 20
        ) AS n
    ),
    'bajo_cero_total', (SELECT count(*) FROM dw.inventario AS i WHERE i.existencias < 0),
    'gratis', (
        SELECT coalesce(jsonb_agg(to_jsonb(g) ORDER BY g.fecha DESC), '[]')
        FROM (
            SELECT k.id_movimiento, k.id_producto, p.nombre, k.fecha, k.cantidad
            FROM dw.kardex AS k
            INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
            WHERE k.salto_costo = 0
            ORDER BY k.fecha DESC
            LIMIT 20
        ) AS g
    ),
    'saltos', (
        SELECT coalesce(jsonb_agg(to_jsonb(g) ORDER BY g.fecha DESC), '[]')
        FROM (
            SELECT k.id_movimiento, k.id_producto, p.nombre, k.fecha, k.costo_unitario, k.salto_costo
            FROM dw.kardex AS k
            INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
            WHERE k.salto_costo > 0
            ORDER BY k.fecha DESC
            LIMIT 20
        ) AS g
    ),
    'productos', (SELECT count(*) FROM dw.inventario),
    'valor', (SELECT coalesce(sum(i.valor), 0) FROM dw.inventario AS i WHERE i.existencias > 0)
)
$$;
COMMENT ON FUNCTION etl.estado_operacion(integer) IS
    'Todo lo que muestra el comando status: control, últimas ventanas, rechazos, existencias bajo cero, entradas a costo 0';

CREATE OR REPLACE FUNCTION etl.metricas() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'hasta', (SELECT c.hasta FROM etl.control AS c),
    -- By the primary key from its end: a window begins where the last one ended.
    'ventana', (
        SELECT to_jsonb(c) - 'identidad'
        FROM (SELECT * FROM etl.corrida AS c ORDER BY c.desde DESC, c.hasta DESC LIMIT 1) AS c
    ),
    'rechazos', (SELECT count(*) FROM etl.rechazo),
    'bajo_cero', (SELECT count(*) FROM dw.inventario AS i WHERE i.existencias < 0),
    'valor', (SELECT coalesce(sum(i.valor), 0) FROM dw.inventario AS i WHERE i.existencias > 0),
    -- Counting kardex.provisional would read the whole ledger after every run, and most of
    -- those sales were settled long ago. What waits is at the end of the products that are
    -- below zero; both limits keep a shop that never types receipts cheap.
    'provisionales', (
        SELECT coalesce(sum(p.provisionales), 0)
        FROM (
            SELECT i.id_producto
            FROM dw.inventario AS i
            WHERE i.existencias < 0
            ORDER BY i.existencias, i.id_producto
            LIMIT 1000
        ) AS i
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE u.provisional AND u.saldados = 0) AS provisionales
            FROM (
                SELECT
                    k.provisional,
                    count(*) FILTER (WHERE k.existencias >= 0) OVER (
                        ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
                    ) AS saldados
                FROM (
                    SELECT k.fecha, k.orden, k.id_movimiento, k.provisional, k.existencias
                    FROM dw.kardex AS k
                    WHERE k.id_producto = i.id_producto
                    ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
                    LIMIT 100
                ) AS k
            ) AS u
        ) AS p
    )
)
$$;
COMMENT ON FUNCTION etl.metricas() IS
    'Cifras de la última ventana y de las existencias para Prometheus. Provisionales: ventas que aún esperan su entrada, contadas hacia atrás en hasta 1000 productos bajo cero y 100 movimientos de cada uno';

CREATE OR REPLACE FUNCTION etl.aceptar_fuente(p_senal text) RETURNS void
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
UPDATE etl.control AS c SET aceptar_fuente = p_senal
$$;
COMMENT ON FUNCTION etl.aceptar_fuente(text) IS
    'Deja pasar, una sola vez, una carga de ese OLTP aunque quite o reemplace mucho del kardex';

CREATE OR REPLACE FUNCTION etl.listar_rechazos(p_limite integer) RETURNS SETOF etl.rechazo
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT r.* FROM etl.rechazo AS r ORDER BY r.primera_desde, r.id_movimiento LIMIT p_limite
$$;
COMMENT ON FUNCTION etl.listar_rechazos(integer) IS 'Los rechazos que esperan, los más antiguos primero';

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
