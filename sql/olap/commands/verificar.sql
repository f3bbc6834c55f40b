-- Proof: the ledger against the OLTP (the client compares), and against itself; what was proved last.

CREATE OR REPLACE VIEW etl.v_contenido AS
-- What a movement is: a line a column, in the order and of the types of sql/oltp/huella_contenido.sql,
-- which has the date, too, as the shop's clock wrote it.
SELECT
    k.id_movimiento, k.fecha, 1 AS signo,
    record_send(ROW(
        k.id_movimiento,
        NULL::text,
        k.tipo,
        k.id_producto,
        k.id_sucursal,
        k.cantidad,
        k.precio_unitario,
        CASE WHEN k.tipo <> 'VENTA' THEN k.costo_unitario END,
        k.importe,
        k.id_origen,
        k.id_sucursal_destino,
        k.de_todo
    )) AS contenido
FROM dw.kardex AS k
UNION ALL
SELECT
    r.id_movimiento,
    r.fecha,
    -1,
    record_send(ROW(
        r.id_movimiento,
        r.motivo,
        r.tipo,
        r.id_producto,
        coalesce(r.id_sucursal, 0),
        round(r.cantidad, 6),
        round(r.precio_unitario, 6),
        round(r.costo_unitario, 6),
        round(r.importe, 6),
        r.id_origen,
        r.id_sucursal_destino,
        NULL::boolean
    ))
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

CREATE OR REPLACE FUNCTION etl.verificar_bloques(
    p_desde timestamptz, p_tamano bigint, p_zona text, p_rapida boolean
) RETURNS TABLE (bloque bigint, filas bigint, huella numeric)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT
    c.id_movimiento / p_tamano, count(*),
    sum(c.signo * etl.huella(c.contenido, c.fecha AT TIME ZONE p_zona, p_rapida))
FROM etl.v_contenido AS c
WHERE c.fecha IS NULL OR c.fecha >= p_desde
GROUP BY c.id_movimiento / p_tamano
$$;
COMMENT ON FUNCTION etl.verificar_bloques(timestamptz, bigint, text, boolean) IS
    'Conteo y suma de huellas por bloque de números de movimiento, rápidas o de md5; la zona, como en etl.huella()';
SELECT etl.conceder('EXECUTE', 'etl.verificar_bloques(timestamptz, bigint, text, boolean)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.verificar_filas(
    p_desde timestamptz, p_bloques bigint[], p_tamano bigint, p_zona text, p_rapida boolean
) RETURNS TABLE (id_movimiento bigint, huella bigint)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.id_movimiento, c.signo * etl.huella(c.contenido, c.fecha AT TIME ZONE p_zona, p_rapida)
FROM etl.v_contenido AS c
WHERE (c.fecha IS NULL OR c.fecha >= p_desde) AND c.id_movimiento / p_tamano = ANY (p_bloques)
$$;
COMMENT ON FUNCTION etl.verificar_filas(timestamptz, bigint[], bigint, text, boolean) IS
    'La huella de cada movimiento de los bloques que no coinciden; la zona, como en etl.huella()';
SELECT etl.conceder('EXECUTE', 'etl.verificar_filas(timestamptz, bigint[], bigint, text, boolean)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.verificar_movimientos(
    p_movimientos bigint[], p_zona text, p_rapida boolean
) RETURNS TABLE (id_movimiento bigint, huella bigint)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.id_movimiento, c.signo * etl.huella(c.contenido, c.fecha AT TIME ZONE p_zona, p_rapida)
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

CREATE OR REPLACE FUNCTION etl.tramos_de_prueba(p_corta boolean, p_movimientos bigint[])
RETURNS TABLE (id_producto bigint, desde timestamptz)
LANGUAGE sql STABLE
-- So it is not written into what asks it.
SET search_path = pg_catalog, pg_temp
AS $$
SELECT i.id_producto, '-infinity'::timestamptz FROM dw.inventario AS i WHERE NOT p_corta
UNION ALL
SELECT s.id_producto, min(s.desde)
FROM (
    SELECT q.id_producto, q.desde FROM etl.por_probar AS q
    UNION ALL
    SELECT k.id_producto, k.fecha FROM dw.kardex AS k WHERE k.id_movimiento = ANY (p_movimientos)
) AS s
WHERE p_corta
GROUP BY s.id_producto
$$;
COMMENT ON FUNCTION etl.tramos_de_prueba(boolean, bigint[]) IS
    'Qué se repite para comprobarlo: todo, o lo tocado desde la última comprobación, y desde esos movimientos';

CREATE OR REPLACE VIEW etl.v_par AS
SELECT
    n.id_producto, n.id_movimiento, n.fecha, n.orden, n.id_origen, o.fecha AS fecha_origen, t.regla,
    round(n.cantidad * n.costo_unitario, 6) AS costo
FROM dw.kardex AS n
INNER JOIN dw.tipo_movimiento AS t ON t.tipo = n.tipo
INNER JOIN dw.kardex AS o
    ON o.id_movimiento = n.id_origen AND o.id_producto = n.id_producto AND o.tipo = t.tipo_origen
WHERE n.id_origen IS NOT NULL AND (t.regla = 'sumar_costo' OR o.fecha <= n.fecha);
COMMENT ON VIEW etl.v_par IS
    'Del kardex, cada movimiento que nombra a otro que le sirve de origen';

CREATE OR REPLACE VIEW etl.v_circunstancia AS
SELECT
    u.id_producto, u.id_movimiento, sum(u.adicional) AS adicional,
    bool_or(u.en_su_entrada) AS en_su_entrada, bool_or(u.recordar) AS recordar,
    max(u.id_origen) AS id_origen, bool_or(u.olvidar) AS olvidar
FROM (
    SELECT p.id_producto, p.id_origen AS id_movimiento, p.costo AS adicional,
        NULL::boolean AS en_su_entrada, NULL::boolean AS recordar, NULL::bigint AS id_origen,
        NULL::boolean AS olvidar
    FROM etl.v_par AS p
    WHERE p.regla = 'sumar_costo'
    UNION ALL
    SELECT p.id_producto, p.id_movimiento, NULL, true, NULL, NULL, NULL
    FROM etl.v_par AS p
    WHERE p.regla = 'sumar_costo'
    UNION ALL
    SELECT p.id_producto, p.id_origen, NULL, NULL, true, NULL, NULL
    FROM etl.v_par AS p
    WHERE p.regla <> 'sumar_costo'
    UNION ALL
    SELECT
        p.id_producto, p.id_movimiento, NULL, NULL, NULL, p.id_origen,
        row_number() OVER (
            PARTITION BY p.id_producto, p.id_origen
            ORDER BY p.fecha DESC, p.orden DESC, p.id_movimiento DESC
        ) = 1
    FROM etl.v_par AS p
    WHERE p.regla <> 'sumar_costo'
) AS u
GROUP BY u.id_producto, u.id_movimiento;
COMMENT ON VIEW etl.v_circunstancia IS
    'Del kardex entero, lo que sus movimientos necesitan unos de otros: lo que etl.circunstancia es para una carga';

CREATE OR REPLACE FUNCTION etl.repetir_libro(
    p_corta boolean, p_movimientos bigint[], p_parte bigint
) RETURNS TABLE (falla text, id_producto bigint, id_movimiento bigint)
LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT
        -- Each row: what there was, plus what entered, less what left, plus the adjustment.
        CASE
            WHEN f.existencias <> f.existencias_previas + f.variacion
                OR f.valor <> f.valor_previo + f.signo * f.costo_total + f.ajuste
                THEN 'the ledger does not foot'
            ELSE 'a replay gives other figures'
        END,
        f.id_producto, f.id_movimiento
    FROM (
        SELECT
            m.*,
            dw.valuar(m.regla, m.cantidad, m.costo_propio, m.circunstancia) OVER w AS paso,
            lag(m.existencias) OVER w AS existencias_previas,
            lag(m.valor) OVER w AS valor_previo
        FROM (
            WITH tramo AS MATERIALIZED (
                SELECT
                    q.id_producto,
                    -- What names others is followed from the beginning.
                    CASE WHEN o.id_producto IS NULL AND c.id_producto IS NULL THEN q.desde
                        ELSE '-infinity' END AS desde,
                    c.id_producto IS NOT NULL AS sigue_sucursales
                FROM etl.tramos_de_prueba(p_corta, p_movimientos) AS q
                LEFT JOIN (
                    SELECT DISTINCT k.id_producto FROM dw.kardex AS k WHERE k.id_origen IS NOT NULL
                ) AS o ON o.id_producto = q.id_producto
                LEFT JOIN (
                    SELECT DISTINCT k.id_producto FROM dw.kardex AS k
                    WHERE k.orden = 3 AND k.de_todo IS NULL
                ) AS c ON c.id_producto = q.id_producto
                WHERE q.id_producto & 1 <> 1 - p_parte
            )
            SELECT
                t.id_producto, '-infinity'::timestamptz AS fecha, (-1)::smallint AS orden,
                0::bigint AS id_movimiento, 'SALDO'::text AS tipo, 'saldo'::text AS regla,
                0::smallint AS signo, (-1)::smallint AS orden_del_tipo,
                coalesce(u.existencias, a.existencias, 0)::numeric AS cantidad,
                coalesce(u.costo_promedio, a.costo_promedio, 0)::numeric AS costo_propio,
                NULL::numeric AS costo_unitario,
                coalesce(u.existencias, a.existencias, 0)::numeric AS existencias,
                coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0)::numeric AS valor,
                NULL::numeric AS costo_promedio, NULL::numeric AS costo_total,
                NULL::numeric AS ajuste, NULL::numeric AS variacion, false AS provisional,
                NULL::numeric AS salto_costo,
                ROW(
                    coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0),
                    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, s.sucursales, s.por_sucursal,
                    NULL
                )::dw.circunstancia AS circunstancia
            FROM tramo AS t
            LEFT JOIN dw.apertura AS a ON a.id_producto = t.id_producto
            LEFT JOIN LATERAL (
                SELECT k.existencias, k.valor, k.costo_promedio
                FROM dw.kardex AS k
                WHERE k.id_producto = t.id_producto AND k.fecha < t.desde
                ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
                LIMIT 1
            ) AS u ON p_corta
            LEFT JOIN (
                SELECT
                    b.id_producto, array_agg(b.id_sucursal) AS sucursales,
                    array_agg(b.existencias::numeric) AS por_sucursal
                FROM dw.apertura_sucursal AS b
                GROUP BY b.id_producto
            ) AS s ON s.id_producto = t.id_producto AND t.sigue_sucursales
            UNION ALL
            SELECT
                k.id_producto, k.fecha, k.orden, k.id_movimiento, k.tipo, p.regla, p.signo, p.orden,
                k.cantidad::numeric,
                CASE WHEN k.tipo <> 'VENTA' THEN k.costo_unitario::numeric END,
                k.costo_unitario::numeric, k.existencias::numeric, k.valor::numeric,
                k.costo_promedio::numeric, k.costo_total::numeric, k.ajuste::numeric,
                k.variacion::numeric, k.provisional, k.salto_costo,
                CASE WHEN x.id_movimiento IS NOT NULL OR k.importe IS NOT NULL OR t.sigue_sucursales
                    THEN ROW(
                        k.importe, x.adicional, x.en_su_entrada,
                        CASE WHEN x.recordar THEN k.id_movimiento END, x.id_origen, x.olvidar, NULL,
                        CASE WHEN t.sigue_sucursales THEN k.id_sucursal END,
                        CASE WHEN t.sigue_sucursales THEN k.id_sucursal_destino END,
                        k.de_todo, NULL, NULL, NULL
                    )::dw.circunstancia
                END
            FROM tramo AS t
            CROSS JOIN LATERAL (
                SELECT * FROM dw.kardex AS f
                WHERE f.id_producto = t.id_producto AND f.fecha >= t.desde
                OFFSET 0
            ) AS k
            INNER JOIN dw.tipo_movimiento AS p ON p.tipo = k.tipo
            LEFT JOIN etl.v_circunstancia AS x ON x.id_movimiento = k.id_movimiento
        ) AS m
        WINDOW w AS (
            PARTITION BY m.id_producto ORDER BY m.fecha, m.orden, m.id_movimiento
            ROWS UNBOUNDED PRECEDING
        )
    ) AS f
    WHERE f.tipo <> 'SALDO' AND (
        -- A rule of the shop's own that yields no value must not pass for one that agrees.
        ((f.paso).existencias = f.existencias AND (f.paso).valor = f.valor
            AND (f.paso).costo_promedio = f.costo_promedio
            AND (f.paso).costo_total = f.costo_total AND (f.paso).ajuste = f.ajuste
            AND (f.paso).variacion = f.variacion) IS NOT TRUE
        OR f.existencias <> f.existencias_previas + f.variacion
        OR f.valor <> f.valor_previo + f.signo * f.costo_total + f.ajuste
        OR f.orden <> f.orden_del_tipo
        OR f.provisional
        <> ((f.paso).al_promedio AND (f.existencias < 0 OR f.costo_promedio = 0))
        OR f.tipo = 'VENTA' AND f.costo_unitario IS DISTINCT FROM f.costo_promedio
        OR f.tipo <> 'ENTRADA_MERCANCIA' AND f.salto_costo IS NOT NULL
        -- Which cost is far from the average is a setting's matter; how far it is, is not.
        OR f.tipo = 'ENTRADA_MERCANCIA' AND (f.salto_costo = 0) IS DISTINCT FROM (
            CASE WHEN f.costo_unitario = 0 THEN true WHEN f.salto_costo IS NOT NULL THEN false END
        )
        OR f.salto_costo <> 0 AND f.salto_costo IS DISTINCT FROM greatest(
            round(f.costo_unitario * 1.00000000000000000000 / nullif((f.paso).promedio_previo, 0), 6),
            0.000001
        )
    );
END
$$;
COMMENT ON FUNCTION etl.repetir_libro(boolean, bigint[], bigint) IS
    'Repite desde su apertura, o desde lo que cambió, los productos de número par (0) o impar (1), y dice en qué filas el kardex difiere o no cuadra con la anterior';

CREATE OR REPLACE FUNCTION etl.verificar_inventario(p_corta boolean, p_movimientos bigint[])
RETURNS TABLE (falla text, id_producto bigint, id_movimiento bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT
    CASE
        WHEN (i.existencias, i.valor, i.costo_promedio) IS DISTINCT FROM (
            coalesce(u.existencias, a.existencias, 0),
            coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0),
            coalesce(u.costo_promedio, a.costo_promedio, 0)
        ) THEN 'the stock is not its ledger''s last row'
        ELSE 'the suggested price is not that of its cost'
    END,
    t.id_producto, u.id_movimiento
FROM etl.tramos_de_prueba(p_corta, p_movimientos) AS t
INNER JOIN dw.inventario AS i ON i.id_producto = t.id_producto
LEFT JOIN dw.apertura AS a ON a.id_producto = i.id_producto
LEFT JOIN dw.v_politica_producto AS v ON v.id_producto = i.id_producto
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
-- A policy that was edited since comes with the next load.
OR i.precio_sugerido IS DISTINCT FROM
    dw.calcular_precio_sugerido(i.costo_promedio, v.margen, v.impuesto, v.redondeo)
AND (SELECT c.politica IN (etl.huella_politica(true), etl.huella_politica(false)) FROM etl.control AS c)
UNION ALL
SELECT
    'the last sale or average value of the stock is not its ledger''s', i.id_producto,
    w.id_movimiento
FROM dw.v_corte AS c
CROSS JOIN LATERAL etl.fines_de_mes(c.dia, c.zona) AS f (fines)
CROSS JOIN etl.tramos_de_prueba(p_corta, p_movimientos) AS t
INNER JOIN dw.inventario AS i ON i.id_producto = t.id_producto
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
INNER JOIN dw.v_politica_producto AS v ON v.id_producto = i.id_producto
CROSS JOIN LATERAL (
    SELECT n.politica IN (etl.huella_politica(true), etl.huella_politica(false)) AS misma
    FROM etl.control AS n
) AS n
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
        WHEN n.misma THEN round(w.precio_unitario * (1 + v.impuesto), 6)
        ELSE i.ultimo_precio
    END,
    dw.venta_neta(1, w.precio_unitario, p.impuesto), etl.valor_promedio(i.id_producto, f.fines)
)
UNION ALL
SELECT DISTINCT 'the product has a ledger but no stock row', k.id_producto, NULL::bigint
FROM dw.kardex AS k
WHERE NOT p_corta AND NOT EXISTS (SELECT FROM dw.inventario AS i WHERE i.id_producto = k.id_producto)
UNION ALL
SELECT 'the product has a ledger but no stock row', t.id_producto, NULL::bigint
FROM etl.tramos_de_prueba(p_corta, p_movimientos) AS t
WHERE p_corta AND NOT EXISTS (SELECT FROM dw.inventario AS i WHERE i.id_producto = t.id_producto)
    AND EXISTS (SELECT FROM dw.kardex AS k WHERE k.id_producto = t.id_producto)
UNION ALL
SELECT 'the stock of the branches is not that of the product', i.id_producto, NULL::bigint
FROM dw.inventario AS i
LEFT JOIN (
    SELECT e.id_producto, sum(e.existencias) AS existencias
    FROM dw.existencias_sucursal AS e
    GROUP BY e.id_producto
) AS s ON s.id_producto = i.id_producto
WHERE i.existencias <> coalesce(s.existencias, 0)
$$;
COMMENT ON FUNCTION etl.verificar_inventario(boolean, bigint[]) IS
    'Productos cuyo inventario falta, no es el del final de su kardex o tiene un precio que no es el de su costo';

CREATE OR REPLACE FUNCTION etl.verificar_sumas_tocadas(p_zona text, p_corte date, p_movimientos bigint[])
RETURNS TABLE (falla text, id_producto bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
-- The months of what was touched, product by product, from the ledger.
SELECT 'dw.resumen_mensual is not the sum of the ledger, ' || coalesce(l.mes, r.mes), coalesce(l.id_producto, r.id_producto)
FROM (
    SELECT
        date_trunc('month', k.dia::timestamp)::date AS mes, k.id_sucursal, k.id_producto,
        count(*) AS movimientos,
        coalesce(-sum(k.variacion) FILTER (WHERE k.clase = 'ventas'), 0) AS unidades_vendidas,
        coalesce(sum(round(k.unidades * k.precio, 6)) FILTER (WHERE k.clase = 'ventas'), 0) AS venta_bruta,
        coalesce(sum(k.neta) FILTER (WHERE k.clase = 'ventas'), 0) AS venta_neta,
        coalesce(-sum(k.entra) FILTER (WHERE k.clase = 'ventas'), 0) AS costo_ventas,
        coalesce(sum(k.ajuste), 0) AS ajuste,
        coalesce(sum(k.variacion) FILTER (WHERE k.clase = 'compras'), 0) AS unidades_recibidas,
        coalesce(sum(k.entra) FILTER (WHERE k.clase = 'compras'), 0) AS costo_recibido,
        coalesce(-sum(k.neta) FILTER (WHERE k.resta), 0) AS devoluciones,
        coalesce(sum(k.variacion) FILTER (WHERE k.resta), 0) AS unidades_devueltas,
        coalesce(-sum(k.entra) FILTER (WHERE k.clase = 'merma'), 0) AS mermas,
        coalesce(-sum(k.variacion) FILTER (WHERE k.clase = 'merma'), 0) AS unidades_merma
    FROM (
        SELECT
            m.*, c.clase, c.resta, c.signo * m.costo_total AS entra, n.unidades, n.precio,
            dw.venta_neta(n.unidades, n.precio, m.impuesto) AS neta
        FROM (
            SELECT f.*, t.desde, p.impuesto, (f.fecha AT TIME ZONE p_zona)::date AS dia
            FROM etl.tramos_de_prueba(true, p_movimientos) AS t
            INNER JOIN dw.producto AS p ON p.id_producto = t.id_producto
            CROSS JOIN LATERAL (
                SELECT * FROM dw.kardex AS k
                WHERE k.id_producto = t.id_producto
                    -- Two days more than the month: a clock's midnight is not UTC's.
                    AND k.fecha >= date_trunc('month', t.desde) - interval '2 days'
                OFFSET 0
            ) AS f
            OFFSET 0
        ) AS m
        INNER JOIN etl.v_clase AS c
            ON c.tipo = m.tipo AND c.con_costo = (m.costo_unitario IS NOT NULL)
        CROSS JOIN LATERAL (
            SELECT
                CASE WHEN m.importe IS NOT NULL THEN 1.000000 ELSE m.cantidad END
                * CASE WHEN c.resta THEN -1 ELSE 1 END AS unidades,
                coalesce(m.importe, m.precio_unitario) AS precio
        ) AS n
    ) AS k
    WHERE k.dia >= date_trunc('month', k.desde AT TIME ZONE p_zona)
    GROUP BY 1, 2, 3
) AS l
FULL JOIN (
    SELECT r.*
    FROM dw.resumen_mensual AS r
    INNER JOIN etl.tramos_de_prueba(true, p_movimientos) AS t ON t.id_producto = r.id_producto
    WHERE r.mes >= date_trunc('month', t.desde AT TIME ZONE p_zona)
) AS r ON r.mes = l.mes AND r.id_sucursal = l.id_sucursal AND r.id_producto = l.id_producto
WHERE (
    l.movimientos, l.unidades_vendidas, l.venta_bruta, l.venta_neta, l.costo_ventas, l.ajuste,
    l.unidades_recibidas, l.costo_recibido, l.devoluciones, l.unidades_devueltas, l.mermas,
    l.unidades_merma
) IS DISTINCT FROM (
    r.movimientos, r.unidades_vendidas, r.venta_bruta, r.venta_neta, r.costo_ventas, r.ajuste,
    r.unidades_recibidas, r.costo_recibido, r.devoluciones, r.unidades_devueltas, r.mermas,
    r.unidades_merma
)
UNION ALL
-- The summaries against each other: the days of a month, and the days of 90 and of 365.
SELECT
    CASE WHEN s.mes IS NULL THEN 'dw.resumen_movil is not the sum of dw.resumen_diario, ' || s.categoria
        ELSE 'dw.resumen_diario is not the sum of dw.resumen_mensual, ' || s.mes END, NULL
FROM (
    SELECT
        date_trunc('month', d.dia::timestamp)::date AS mes, d.id_sucursal, d.categoria,
        d.movimientos AS a, d.unidades_vendidas AS b, d.venta_bruta AS c, d.venta_neta AS d,
        d.costo_ventas AS e, d.ajuste AS f, d.unidades_recibidas AS g, d.costo_recibido AS h,
        d.devoluciones AS i, d.unidades_devueltas AS j, d.mermas AS k, d.unidades_merma AS l
    FROM dw.resumen_diario AS d
    UNION ALL
    SELECT
        m.mes, m.id_sucursal, p.categoria, -m.movimientos, -m.unidades_vendidas, -m.venta_bruta,
        -m.venta_neta, -m.costo_ventas, -m.ajuste, -m.unidades_recibidas, -m.costo_recibido,
        -m.devoluciones, -m.unidades_devueltas, -m.mermas, -m.unidades_merma
    FROM dw.resumen_mensual AS m
    INNER JOIN dw.producto AS p ON p.id_producto = m.id_producto
    UNION ALL
    SELECT
        NULL, NULL, d.categoria, 0, d.unidades_vendidas,
        CASE WHEN d.dia > p_corte - 90 THEN d.unidades_vendidas ELSE 0 END, d.venta_neta,
        d.costo_ventas, 0, 0, 0, 0, 0, 0, 0
    FROM dw.resumen_diario AS d
    WHERE d.dia > p_corte - 365 AND d.dia <= p_corte
    UNION ALL
    SELECT
        NULL, NULL, coalesce(p.categoria, '-'), 0, -m.unidades_365, -m.unidades_90, -m.venta_neta_365,
        -m.costo_ventas_365, 0, 0, 0, 0, 0, 0, 0
    FROM dw.resumen_movil AS m
    LEFT JOIN dw.producto AS p ON p.id_producto = m.id_producto
) AS s
-- Of the months that were touched, of which the shop has few.
WHERE s.mes IS NULL OR s.mes >= (
    SELECT date_trunc('month', min(greatest(t.desde, '1900-01-01')) AT TIME ZONE p_zona)
    FROM etl.tramos_de_prueba(true, p_movimientos) AS t
)
GROUP BY s.mes, s.id_sucursal, s.categoria
HAVING (
    sum(s.a), sum(s.b), sum(s.c), sum(s.d), sum(s.e), sum(s.f), sum(s.g), sum(s.h), sum(s.i), sum(s.j),
    sum(s.k), sum(s.l)
) IS DISTINCT FROM (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
$$;
COMMENT ON FUNCTION etl.verificar_sumas_tocadas(text, date, bigint[]) IS
    'Los meses de lo tocado contra el kardex, y los resúmenes entre sí: los días con los meses, los 90 y 365 días con los días';

CREATE OR REPLACE FUNCTION etl.verificar_sumas(p_zona text, p_corte date)
RETURNS TABLE (falla text, id_producto bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT
    CASE s.nivel WHEN 1 THEN 'dw.resumen_diario' WHEN 2 THEN 'dw.resumen_mensual'
        WHEN 3 THEN 'dw.resumen_movil' ELSE 'dw.resumen_sucursal' END
    || ' is not the sum of the ledger' || coalesce(', ' || coalesce(s.dia, s.mes)::text, ''),
    s.id_producto
FROM etl.diferencias_de_resumen(p_zona, p_corte) AS s
$$;
COMMENT ON FUNCTION etl.verificar_sumas(text, date) IS
    'Los resúmenes que no son las sumas de todo el kardex';

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
    ELSIF p_corta THEN
        RETURN QUERY SELECT * FROM etl.verificar_inventario(p_corta, p_movimientos);
        RETURN QUERY
        SELECT s.falla, s.id_producto, NULL::bigint
        FROM dw.v_corte AS c
        CROSS JOIN LATERAL etl.verificar_sumas_tocadas(c.zona, c.dia, p_movimientos) AS s;
    ELSE
        RETURN QUERY SELECT * FROM etl.verificar_inventario(p_corta, p_movimientos);
        RETURN QUERY
        SELECT s.falla, s.id_producto, NULL::bigint
        FROM dw.v_corte AS c
        CROSS JOIN LATERAL etl.verificar_sumas(c.zona, c.dia) AS s;
    END IF;
END
$$;
COMMENT ON FUNCTION etl.verificar_libros(bigint, boolean, bigint[]) IS
    'Lo que el OLAP puede comprobar solo, en tres partes que se preguntan a la vez: los productos de número par (0) e impar (1) se repiten igual y cuadran; inventario y resúmenes son los suyos (2). De todo, o de lo tocado desde la última comprobación';
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
            SELECT md5(string_agg(concat(a, s), '|' ORDER BY a.id_producto, s.id_sucursal))
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
