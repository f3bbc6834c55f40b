-- Proof, of the ledger against the OLTP: the client compares.

CREATE OR REPLACE VIEW etl.v_contenido AS
-- What a movement is: a line a column, in the order and of the types of sql/oltp/huella_contenido.sql,
-- which has the date, too, as the shop's clock wrote it.
SELECT
    k.id_movimiento,
    -- One that is booked elsewhere than it should be has not the document's date.
    CASE WHEN k.fecha < c.hasta OR k.fecha = greatest(k.fecha_documento, c.hasta)
        THEN k.fecha_documento ELSE k.fecha END AS fecha,
    1 AS signo,
    record_send(ROW(
        k.id_movimiento,
        NULL::text,
        textsend(k.tipo),
        k.id_producto,
        k.id_sucursal,
        k.cantidad,
        k.precio_unitario,
        CASE WHEN k.tipo <> 'VENTA' THEN k.costo_unitario END,
        k.importe,
        k.id_origen,
        k.id_sucursal_destino,
        k.de_todo,
        k.impuesto,
        k.precio_con_impuesto
    )) AS contenido,
    -- What the OLTP need not have any more, nor the catalogue its product.
    CASE WHEN NOT etl.puede_irse(k.fecha_documento, k.capa, c.hasta) THEN k.id_producto END AS archivable
FROM dw.kardex AS k
-- OFFSET 0: else it is asked for each row, and six times.
CROSS JOIN (SELECT etl.cerrado_hasta() AS hasta OFFSET 0) AS c
WHERE NOT k.reverso AND NOT etl.es_ajuste(k.id_movimiento) AND NOT EXISTS (
    SELECT FROM dw.kardex AS x WHERE x.reverso AND x.id_movimiento = k.id_movimiento AND x.capa = k.capa + 1
)
UNION ALL
SELECT
    r.id_movimiento,
    r.fecha,
    -1,
    record_send(ROW(
        r.id_movimiento,
        r.motivo,
        textsend(r.tipo),
        r.id_producto,
        coalesce(r.id_sucursal, 0),
        round(r.cantidad, 6),
        round(r.precio_unitario, 6),
        round(r.costo_unitario, 6),
        round(r.importe, 6),
        r.id_origen,
        r.id_sucursal_destino,
        NULL::boolean,
        round(r.impuesto, 6),
        r.precio_con_impuesto
    )),
    NULL
FROM etl.rechazo AS r;
COMMENT ON VIEW etl.v_contenido IS
    'El contenido de cada movimiento del alcance, menos su fecha: valorizado (signo 1), o con su motivo si espera en etl.rechazo (-1)';

CREATE OR REPLACE FUNCTION etl.huella(p_contenido bytea, p_reloj timestamp, p_rapida boolean)
RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
-- A record of one column: of several, PostgreSQL adds the hashes up, and those of two movements that
-- change places come to the same.
SELECT CASE
    WHEN p_rapida THEN hash_record_extended(
        ROW(p_contenido || coalesce(timestamp_send(p_reloj), '')), 0
    ) & 9223372036854775807
    ELSE (
        'x' || left(md5(p_contenido || coalesce(timestamp_send(p_reloj), '')), 15)
    )::bit(60)::bigint
END
$$;
COMMENT ON FUNCTION etl.huella(bytea, timestamp, boolean) IS
    'Huella de un contenido y su fecha, en UTC o en la zona de la tienda si el OLTP la guarda sin zona: la que hace PostgreSQL para sus tablas (rápida), o de md5';
SELECT etl.conceder('EXECUTE', 'etl.huella(bytea, timestamp, boolean)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.bloques(p_filas bigint) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_primero bigint;
    v_ultimo bigint;
    v_cuantas bigint := (SELECT c.reltuples FROM pg_class AS c WHERE c.oid = 'dw.kardex'::regclass);
BEGIN
    SELECT min(k.id_movimiento), max(k.id_movimiento) INTO v_primero, v_ultimo FROM dw.kardex AS k
    WHERE NOT etl.es_ajuste(k.id_movimiento);
    -- Numbers of a sequence are as good as ranks, which cost a sort.
    IF v_ultimo::numeric - v_primero < 4 * v_cuantas THEN
        RETURN ARRAY(SELECT generate_series(v_primero + p_filas, v_ultimo, p_filas));
    END IF;
    RETURN ARRAY(
        SELECT n.id_movimiento
        FROM (
            SELECT k.id_movimiento, row_number() OVER (ORDER BY k.id_movimiento) AS puesto
            FROM dw.kardex AS k
            WHERE k.capa = 0 AND NOT etl.es_ajuste(k.id_movimiento)
        ) AS n
        WHERE n.puesto % p_filas = 0
        ORDER BY n.id_movimiento
    );
END
$$;
COMMENT ON FUNCTION etl.bloques(bigint) IS
    'Dónde empieza cada bloque de más o menos esas filas, por el lugar de sus números y no por lo que dicen: así da igual cómo se repartan';
SELECT etl.conceder('EXECUTE', 'etl.bloques(bigint)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.verificar_bloques(
    p_desde timestamptz, p_limites bigint[], p_zona text, p_rapida boolean
) RETURNS TABLE (bloque integer, filas bigint, huella numeric)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT
    width_bucket(c.id_movimiento, p_limites), count(*),
    sum(c.signo * etl.huella(c.contenido, c.fecha AT TIME ZONE p_zona, p_rapida))
FROM etl.v_contenido AS c
WHERE c.fecha IS NULL OR c.fecha >= p_desde
GROUP BY 1
$$;
COMMENT ON FUNCTION etl.verificar_bloques(timestamptz, bigint[], text, boolean) IS
    'Conteo y suma de huellas por bloque de números de movimiento, que empiezan donde dice etl.bloques(); rápidas o de md5; la zona, como en etl.huella()';
SELECT etl.conceder('EXECUTE', 'etl.verificar_bloques(timestamptz, bigint[], text, boolean)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.verificar_filas(
    p_desde timestamptz, p_bloques integer[], p_limites bigint[], p_zona text, p_rapida boolean
) RETURNS TABLE (id_movimiento bigint, huella bigint, archivable bigint)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.id_movimiento, c.signo * etl.huella(c.contenido, c.fecha AT TIME ZONE p_zona, p_rapida), c.archivable
FROM etl.v_contenido AS c
WHERE (c.fecha IS NULL OR c.fecha >= p_desde) AND width_bucket(c.id_movimiento, p_limites) = ANY (p_bloques)
$$;
COMMENT ON FUNCTION etl.verificar_filas(timestamptz, integer[], bigint[], text, boolean) IS
    'La huella de cada movimiento de los bloques que no coinciden; la zona, como en etl.huella()';
SELECT etl.conceder('EXECUTE', 'etl.verificar_filas(timestamptz, integer[], bigint[], text, boolean)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.verificar_movimientos(
    p_movimientos bigint[], p_zona text, p_rapida boolean
) RETURNS TABLE (id_movimiento bigint, huella bigint, archivable bigint)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.id_movimiento, c.signo * etl.huella(c.contenido, c.fecha AT TIME ZONE p_zona, p_rapida), c.archivable
FROM etl.v_contenido AS c
WHERE c.id_movimiento = ANY (p_movimientos)
$$;
COMMENT ON FUNCTION etl.verificar_movimientos(bigint[], text, boolean) IS
    'La huella de cada uno de esos movimientos que el OLAP tenga; la zona, como en etl.huella()';
SELECT etl.conceder('EXECUTE', 'etl.verificar_movimientos(bigint[], text, boolean)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.por_comparar() RETURNS SETOF bigint
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT k.id_movimiento
FROM etl.por_probar AS q
CROSS JOIN LATERAL (
    SELECT f.id_movimiento, f.version FROM dw.kardex AS f
    WHERE f.id_producto = q.id_producto AND f.fecha >= q.desde
    OFFSET 0
) AS k
WHERE k.version > (SELECT (u.estado ->> 'corridas')::bigint FROM etl.prueba AS u)
    AND NOT etl.es_ajuste(k.id_movimiento)
UNION
SELECT r.id_movimiento FROM etl.rechazo AS r
UNION
-- One that waited has to be somewhere.
SELECT e.id_movimiento
FROM etl.prueba AS u
CROSS JOIN LATERAL jsonb_array_elements_text(u.estado -> 'rechazos') AS j (texto)
CROSS JOIN LATERAL (SELECT j.texto::bigint AS id_movimiento) AS e
$$;
COMMENT ON FUNCTION etl.por_comparar() IS
    'Los movimientos que las cargas han escrito desde la última comprobación, los que esperan y los que esperaban';
SELECT etl.conceder('EXECUTE', 'etl.por_comparar()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.aperturas_fechadas() RETURNS TABLE (id_producto bigint, fecha timestamptz)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT a.id_producto, a.fecha FROM dw.apertura AS a WHERE a.fecha IS NOT NULL
$$;
COMMENT ON FUNCTION etl.aperturas_fechadas() IS
    'Desde cuándo cuentan los movimientos de los productos que tienen apertura';
SELECT etl.conceder('EXECUTE', 'etl.aperturas_fechadas()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.ultima_lectura() RETURNS timestamptz
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT max(c.leida) FROM etl.corrida AS c
$$;
COMMENT ON FUNCTION etl.ultima_lectura() IS
    'Cuándo se leyó el OLTP por última vez: de ahí se cuenta el día que hace futura una fecha';
SELECT etl.conceder('EXECUTE', 'etl.ultima_lectura()', 'etl_cargador');
