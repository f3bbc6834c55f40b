-- Proof: the ledger against the OLTP (the client compares), and against itself.

CREATE OR REPLACE VIEW etl.v_contenido AS
-- The same text, made of the same columns, as sql/oltp/huella_movimientos.sql makes; the date is
-- added by etl.huella().
SELECT
    k.id_movimiento,
    k.fecha,
    1 AS signo,
    concat_ws(
        '|', k.id_movimiento, k.tipo, k.id_producto::text, k.id_sucursal, round(k.cantidad, 6)::text,
        coalesce(etl.precio_informado(k.tipo, k.precio_unitario)::text, '-'),
        coalesce(CASE WHEN k.tipo <> 'VENTA' THEN round(k.costo_unitario, 6) END::text, '-')
    ) AS contenido
FROM dw.kardex AS k
UNION ALL
SELECT
    r.id_movimiento,
    r.fecha,
    -1,
    concat_ws(
        '|', r.id_movimiento, r.motivo, r.tipo, coalesce(r.id_producto::text, '-'),
        coalesce(r.id_sucursal::text, '-'), coalesce(trim_scale(r.cantidad)::text, '-'),
        coalesce(trim_scale(r.precio_unitario)::text, '-'),
        coalesce(trim_scale(r.costo_unitario)::text, '-')
    )
FROM etl.rechazo AS r;
COMMENT ON VIEW etl.v_contenido IS
    'El contenido de cada movimiento del alcance, menos su fecha: valorizado (signo 1), o como se leyó y con su motivo si espera en etl.rechazo (-1)';

CREATE OR REPLACE FUNCTION etl.huella(p_contenido text, p_fecha timestamptz, p_zona text)
RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT ('x' || left(md5(
    p_contenido || '|'
    || coalesce(to_char(p_fecha AT TIME ZONE p_zona, 'YYYY-MM-DD HH24:MI:SS.US'), '-')
), 15))::bit(60)::bigint
$$;
COMMENT ON FUNCTION etl.huella(text, timestamptz, text) IS
    'Huella de un movimiento; su fecha se escribe en UTC, o en la zona de la tienda si el OLTP la guarda sin zona';

CREATE OR REPLACE FUNCTION etl.verificar_bloques(p_desde timestamptz, p_tamano bigint, p_zona text)
RETURNS TABLE (bloque bigint, filas bigint, huella numeric)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.id_movimiento / p_tamano, count(*), sum(c.signo * etl.huella(c.contenido, c.fecha, p_zona))
FROM etl.v_contenido AS c
WHERE c.fecha IS NULL OR c.fecha >= p_desde
GROUP BY c.id_movimiento / p_tamano
$$;
COMMENT ON FUNCTION etl.verificar_bloques(timestamptz, bigint, text) IS
    'Conteo y suma de huellas por bloque de números de movimiento; la zona, como en etl.huella()';
SELECT etl.conceder('EXECUTE', 'etl.verificar_bloques(timestamptz, bigint, text)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.verificar_filas(
    p_desde timestamptz, p_bloques bigint[], p_tamano bigint, p_zona text
) RETURNS TABLE (id_movimiento bigint, huella bigint)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.id_movimiento, c.signo * etl.huella(c.contenido, c.fecha, p_zona)
FROM etl.v_contenido AS c
WHERE (c.fecha IS NULL OR c.fecha >= p_desde) AND c.id_movimiento / p_tamano = ANY (p_bloques)
$$;
COMMENT ON FUNCTION etl.verificar_filas(timestamptz, bigint[], bigint, text) IS
    'La huella de cada movimiento de los bloques que no coinciden; la zona, como en etl.huella()';
SELECT etl.conceder('EXECUTE', 'etl.verificar_filas(timestamptz, bigint[], bigint, text)', 'etl_cargador');

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

CREATE OR REPLACE FUNCTION etl.verificar_cuadre()
RETURNS TABLE (falla text, id_producto bigint, id_movimiento bigint)
LANGUAGE sql STABLE
AS $$
-- Each row: what there was, plus what entered, less what left, plus the adjustment.
SELECT 'the ledger does not foot', f.id_producto, f.id_movimiento
FROM (
    SELECT
        k.*,
        coalesce(lag(k.existencias) OVER w, a.existencias, 0) AS existencias_previas,
        coalesce(lag(k.valor) OVER w, round(a.existencias * a.costo_promedio, 6), 0) AS valor_previo
    FROM dw.kardex AS k
    LEFT JOIN dw.apertura AS a ON a.id_producto = k.id_producto
    WINDOW w AS (PARTITION BY k.id_producto ORDER BY k.fecha, k.orden, k.id_movimiento)
) AS f
WHERE f.existencias <> f.existencias_previas
    + CASE f.tipo WHEN 'VENTA' THEN -f.cantidad ELSE f.cantidad END
    OR f.valor <> f.valor_previo
    + CASE f.tipo WHEN 'VENTA' THEN -f.costo_total ELSE f.costo_total END + f.ajuste
UNION ALL
SELECT 'the stock is not its ledger''s last row', i.id_producto, u.id_movimiento
FROM dw.inventario AS i
LEFT JOIN dw.apertura AS a ON a.id_producto = i.id_producto
LEFT JOIN LATERAL (
    SELECT k.id_movimiento, k.existencias, k.valor, k.costo_promedio
    FROM dw.kardex AS k
    WHERE k.id_producto = i.id_producto
    ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
    LIMIT 1
) AS u ON true
WHERE (i.existencias, i.valor, i.costo_promedio) IS DISTINCT FROM (
    coalesce(u.existencias, a.existencias, 0),
    coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0),
    coalesce(u.costo_promedio, a.costo_promedio, 0)
)
UNION ALL
SELECT
    'the last sale or average value of the stock is not its ledger''s', i.id_producto,
    w.id_movimiento
FROM dw.v_corte AS c
CROSS JOIN LATERAL etl.fines_de_mes(c.dia, c.zona) AS f (fines)
CROSS JOIN dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
INNER JOIN dw.v_politica_producto AS v ON v.id_producto = i.id_producto
CROSS JOIN LATERAL (
    SELECT t.politica IN (etl.huella_politica(true), etl.huella_politica(false)) AS misma
    FROM etl.control AS t
) AS t
LEFT JOIN LATERAL (
    SELECT k.id_movimiento, k.fecha, k.precio_unitario
    FROM dw.kardex AS k
    WHERE k.id_producto = i.id_producto AND k.tipo = 'VENTA'
    ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
    LIMIT 1
) AS w ON true
-- A price that gets its tax has that of the pricing policy of its load, which may be another by now.
WHERE (i.ultima_venta, i.ultimo_precio, i.ultimo_neto, i.valor_promedio) IS DISTINCT FROM (
    w.fecha,
    CASE
        WHEN p.impuesto > 0 THEN w.precio_unitario
        WHEN t.misma THEN round(w.precio_unitario * (1 + v.impuesto), 6)
        ELSE i.ultimo_precio
    END,
    dw.venta_neta(1, w.precio_unitario, p.impuesto), etl.valor_promedio(i.id_producto, f.fines)
)
UNION ALL
SELECT DISTINCT 'the product has a ledger but no stock row', k.id_producto, NULL::bigint
FROM dw.kardex AS k
WHERE NOT EXISTS (SELECT FROM dw.inventario AS i WHERE i.id_producto = k.id_producto)
$$;
COMMENT ON FUNCTION etl.verificar_cuadre() IS
    'Filas del kardex que no cuadran con la anterior, y productos cuyo inventario no es lo que dice su kardex';

CREATE OR REPLACE FUNCTION etl.verificar_repeticion(p_productos bigint, p_semilla double precision)
RETURNS TABLE (falla text, id_producto bigint, id_movimiento bigint)
LANGUAGE sql STABLE
AS $$
WITH muestra AS (
    SELECT i.id_producto
    FROM dw.inventario AS i
    ORDER BY md5(i.id_producto::text || p_semilla::text)
    LIMIT p_productos
)
SELECT 'a replay gives other figures', r.id_producto, r.id_movimiento
FROM (
    SELECT
        m.*,
        dw.valuar(m.tipo, m.cantidad, m.costo_unitario, m.valor_inicial) OVER (
            PARTITION BY m.id_producto ORDER BY m.fecha, m.orden, m.id_movimiento
            ROWS UNBOUNDED PRECEDING
        ) AS paso
    FROM (
        SELECT
            s.id_producto, '-infinity'::timestamptz AS fecha, (-1)::smallint AS orden,
            0::bigint AS id_movimiento, 'SALDO'::text AS tipo,
            coalesce(a.existencias, 0)::numeric AS cantidad,
            coalesce(a.costo_promedio, 0)::numeric AS costo_unitario,
            coalesce(round(a.existencias * a.costo_promedio, 6), 0)::numeric AS valor_inicial,
            NULL::dw.estado AS escrito
        FROM muestra AS s
        LEFT JOIN dw.apertura AS a ON a.id_producto = s.id_producto
        UNION ALL
        SELECT
            k.id_producto, k.fecha, k.orden, k.id_movimiento, k.tipo, k.cantidad, k.costo_unitario,
            NULL,
            ROW(k.existencias, k.valor, k.costo_promedio, k.costo_total, k.ajuste)::dw.estado
        FROM muestra AS s
        INNER JOIN dw.kardex AS k ON k.id_producto = s.id_producto
    ) AS m
) AS r
WHERE r.tipo <> 'SALDO' AND ROW(
    (r.paso).existencias, (r.paso).valor, (r.paso).costo_promedio, (r.paso).costo_total,
    (r.paso).ajuste
)::dw.estado IS DISTINCT FROM r.escrito
$$;
COMMENT ON FUNCTION etl.verificar_repeticion(bigint, double precision) IS
    'Repite una muestra de productos desde su apertura y dice en qué filas el kardex difiere';

CREATE OR REPLACE FUNCTION etl.verificar_libros(p_productos bigint, p_semilla double precision)
RETURNS TABLE (falla text, id_producto bigint, id_movimiento bigint)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- The planner takes the functions that value for so dear that it would compile all of it.
SET jit = off
-- As in a load: see etl.preparar_carga().
SET enable_nestloop = off
AS $$
SELECT * FROM etl.verificar_cuadre()
UNION ALL
SELECT * FROM etl.verificar_repeticion(p_productos, p_semilla)
UNION ALL
SELECT
    CASE s.nivel WHEN 1 THEN 'dw.resumen_diario' WHEN 2 THEN 'dw.resumen_mensual'
        ELSE 'dw.resumen_movil' END
    || ' is not the sum of the ledger' || coalesce(', ' || coalesce(s.dia, s.mes)::text, ''),
    s.id_producto, NULL
FROM dw.v_corte AS c
CROSS JOIN LATERAL etl.diferencias_de_resumen(c.zona, c.dia) AS s
ORDER BY 1, 2, 3
$$;
COMMENT ON FUNCTION etl.verificar_libros(bigint, double precision) IS
    'Todo lo que el OLAP puede comprobar solo: cada libro cuadra, una muestra se repite igual, los resúmenes son sus sumas';
SELECT etl.conceder('EXECUTE', 'etl.verificar_libros(bigint, double precision)', 'etl_cargador');
