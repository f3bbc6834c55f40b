-- What the operator's commands ask and do. Each is all that its command may touch.

CREATE OR REPLACE FUNCTION etl.leer_control() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'version', c.version, 'desde_inicial', c.desde_inicial, 'hasta', c.hasta,
    'horizonte', c.horizonte::text, 'identidad', c.identidad, 'lsn', c.lsn::text, 'zona', c.zona,
    'esquema', c.esquema, 'aceptar_fuente', c.aceptar_fuente,
    'movimientos_oltp', c.movimientos_oltp,
    'filas_kardex', (
        SELECT sum(r.reltuples)
        FROM etl.v_tabla_kardex AS t
        INNER JOIN pg_class AS r ON r.oid = t.tabla
    )
)
FROM etl.control AS c
CROSS JOIN LATERAL etl.revisar_kardex(c.corridas)
$$;
COMMENT ON FUNCTION etl.leer_control() IS
    'La fila de control, para decidir qué ventana toca y desde dónde leer; falla como etl.revisar_kardex()';

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
    'Deja pasar, una sola vez, una lectura completa de ese OLTP aunque quite mucho del kardex';

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

CREATE OR REPLACE FUNCTION etl.aplicar_aperturas(
    p_aperturas jsonb, p_opciones jsonb, p_quitar_anteriores boolean
) RETURNS jsonb
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_opciones ->> 'zona');
    v_anteriores text;
    v_releer boolean;
    v_aplicadas bigint;
    v_conteo jsonb;
BEGIN
    PERFORM etl.vaciar_trabajo();
    PERFORM etl.preparar_carga();
    CREATE TEMP TABLE apertura_nueva ON COMMIT DROP AS
    SELECT
        f.id_producto, round(f.existencias, 6) AS existencias,
        round(f.costo_promedio, 6) AS costo_promedio,
        coalesce(f.fecha, v_control.desde_inicial) AS fecha
    FROM jsonb_to_recordset(p_aperturas) AS f (
        id_producto bigint, existencias numeric, costo_promedio numeric, fecha timestamptz
    );

    INSERT INTO etl.baja
    SELECT k.*, false
    FROM pg_temp.apertura_nueva AS n
    INNER JOIN dw.kardex AS k ON k.id_producto = n.id_producto AND k.fecha < n.fecha;
    SELECT string_agg(
        format('product %s: %s movements before %s', b.id_producto, b.movimientos, b.fecha),
        ', ' ORDER BY b.id_producto
    ) INTO v_anteriores
    FROM (
        SELECT b.id_producto, count(*) AS movimientos, min(n.fecha) AS fecha
        FROM etl.baja AS b
        INNER JOIN pg_temp.apertura_nueva AS n ON n.id_producto = b.id_producto
        GROUP BY b.id_producto
        ORDER BY b.id_producto
        LIMIT 10
    ) AS b;
    IF v_anteriores IS NOT NULL AND NOT p_quitar_anteriores THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('the opening is dated after movements that are already in the ledger (%s); nothing was changed',
                             v_anteriores),
            HINT = 'give --drop-earlier to let them go, or correct the date';
    END IF;

    -- Movements that an earlier opening had left out were dropped: they must be read again.
    SELECT EXISTS (
        SELECT FROM pg_temp.apertura_nueva AS n
        INNER JOIN dw.apertura AS a ON a.id_producto = n.id_producto
        WHERE n.fecha < a.fecha AND a.fecha > v_control.desde_inicial
    ) INTO v_releer;

    INSERT INTO dw.apertura AS a (id_producto, existencias, costo_promedio, fecha)
    SELECT n.id_producto, n.existencias, n.costo_promedio, n.fecha
    FROM pg_temp.apertura_nueva AS n
    ON CONFLICT (id_producto) DO UPDATE SET
        existencias = excluded.existencias, costo_promedio = excluded.costo_promedio,
        fecha = excluded.fecha;
    GET DIAGNOSTICS v_aplicadas = ROW_COUNT;

    IF v_control.hasta IS NOT NULL THEN
        INSERT INTO etl.tramo (id_producto, desde)
        SELECT n.id_producto, '-infinity'
        FROM pg_temp.apertura_nueva AS n
        INNER JOIN dw.producto AS p ON p.id_producto = n.id_producto;
        v_conteo := etl.revaluar(
            v_control.corridas + 1, p_opciones, (SELECT c.dia FROM dw.v_corte AS c), false
        );
    END IF;
    -- A window that is under way was read without knowing of this: it will be read again.
    UPDATE etl.control AS c
    SET version = gen_random_uuid(),
        corridas = c.corridas + CASE WHEN v_conteo IS NULL THEN 0 ELSE 1 END,
        horizonte = CASE WHEN v_releer THEN NULL ELSE c.horizonte END;
    RETURN jsonb_build_object(
        'aplicadas', v_aplicadas,
        'quitadas', (SELECT count(*) FROM etl.baja),
        'releer', v_releer
    ) || coalesce(v_conteo, '{}');
END
$$;
COMMENT ON FUNCTION etl.aplicar_aperturas(jsonb, jsonb, boolean) IS
    'Pone o corrige saldos de apertura y repite sus productos; se niega a dejar fuera movimientos ya cargados, salvo que se pida';

CREATE OR REPLACE FUNCTION etl.buscar_producto(p_id_producto bigint, p_codigo text)
RETURNS TABLE (id_producto bigint, codigo text, nombre text, categoria text)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT p.id_producto, p.codigo, p.nombre, p.categoria
FROM dw.producto AS p
WHERE p.id_producto = p_id_producto
UNION ALL
SELECT p.id_producto, p.codigo, p.nombre, p.categoria
FROM dw.producto AS p
WHERE btrim(p.codigo) = btrim(p_codigo)
    AND NOT EXISTS (SELECT FROM dw.producto AS x WHERE x.id_producto = p_id_producto)
ORDER BY 1
$$;
COMMENT ON FUNCTION etl.buscar_producto(bigint, text) IS
    'El producto de ese id; si no lo hay, los que tienen ese código, que deberían ser uno';

CREATE OR REPLACE FUNCTION etl.libro_producto(
    p_id_producto bigint, p_desde date, p_hasta date, p_zona text
) RETURNS TABLE (
    fecha timestamptz, id_movimiento bigint, tipo text, id_sucursal bigint, sucursal text,
    cantidad numeric, costo_unitario numeric, costo_total numeric, ajuste numeric,
    existencias numeric, costo_promedio numeric, valor numeric, provisional boolean
)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
-- The bounds are written out in each condition, so that the primary key serves them as a range.
SELECT
    l.fecha, l.id_movimiento, l.tipo, l.id_sucursal, l.sucursal, l.cantidad, l.costo_unitario,
    l.costo_total, l.ajuste, l.existencias, l.costo_promedio, l.valor, l.provisional
FROM (
    SELECT
        -- An opening that holds from a day of the period on bears its own date.
        CASE WHEN u.existencias IS NULL
            THEN greatest(a.fecha, p_desde::timestamp AT TIME ZONE p_zona)
            ELSE p_desde::timestamp AT TIME ZONE p_zona
        END AS fecha,
        NULL::smallint AS orden, NULL::bigint AS id_movimiento, 'SALDO'::text AS tipo,
        NULL::bigint AS id_sucursal, NULL::text AS sucursal, NULL::numeric AS cantidad,
        NULL::numeric AS costo_unitario, NULL::numeric AS costo_total, 0::numeric AS ajuste,
        coalesce(u.existencias, a.existencias, 0)::numeric AS existencias,
        coalesce(u.costo_promedio, a.costo_promedio, 0)::numeric AS costo_promedio,
        coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0)::numeric AS valor,
        false AS provisional
    FROM (SELECT p_id_producto AS id_producto) AS p
    LEFT JOIN dw.apertura AS a
        ON a.id_producto = p.id_producto AND (
            a.fecha IS NULL
            OR a.fecha < coalesce((p_hasta + 1)::timestamp AT TIME ZONE p_zona, 'infinity')
        )
    LEFT JOIN LATERAL (
        SELECT k.existencias, k.costo_promedio, k.valor
        FROM dw.kardex AS k
        WHERE k.id_producto = p_id_producto
            AND k.fecha < coalesce(p_desde::timestamp AT TIME ZONE p_zona, '-infinity')
        ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
        LIMIT 1
    ) AS u ON true
    UNION ALL
    SELECT
        k.fecha, k.orden, k.id_movimiento, k.tipo, k.id_sucursal,
        coalesce(s.nombre, 'Sucursal ' || k.id_sucursal), k.cantidad, k.costo_unitario,
        k.costo_total, k.ajuste, k.existencias, k.costo_promedio, k.valor, k.provisional
    FROM dw.kardex AS k
    LEFT JOIN dw.sucursal AS s ON s.id_sucursal = k.id_sucursal
    WHERE k.id_producto = p_id_producto
        AND k.fecha >= coalesce(p_desde::timestamp AT TIME ZONE p_zona, '-infinity')
        AND k.fecha < coalesce((p_hasta + 1)::timestamp AT TIME ZONE p_zona, 'infinity')
) AS l
ORDER BY l.id_movimiento IS NOT NULL, l.fecha, l.orden, l.id_movimiento
$$;
COMMENT ON FUNCTION etl.libro_producto(bigint, date, date, text) IS
    'El libro de un producto entre dos días de la zona, ambos incluidos: su saldo inicial (tipo SALDO) y luego cada movimiento en su orden';
