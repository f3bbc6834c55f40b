-- The ledger of a product, as the command kardex shows it, and of all, as book does

CREATE OR REPLACE FUNCTION etl.buscar_producto(p_id_producto bigint, p_codigo text)
RETURNS TABLE (id_producto bigint, codigo text, nombre text, categoria text, clave text)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT p.id_producto, p.codigo, p.nombre, p.categoria, p.clave
FROM dw.producto AS p
WHERE p.id_producto = p_id_producto AND p.clave IS NULL OR p.clave = btrim(p_codigo)
UNION ALL
SELECT p.id_producto, p.codigo, p.nombre, p.categoria, p.clave
FROM dw.producto AS p
-- lower() alone folds no accent where the database's locale is C.
WHERE lower(translate(btrim(p.codigo), 'ÁÉÍÓÚÜÑ', 'áéíóúüñ'))
    = lower(translate(btrim(p_codigo), 'ÁÉÍÓÚÜÑ', 'áéíóúüñ'))
    AND NOT EXISTS (
        SELECT FROM dw.producto AS x
        WHERE x.id_producto = p_id_producto AND x.clave IS NULL OR x.clave = btrim(p_codigo)
            -- Of codes that differ in case alone the one that is typed is meant.
            OR btrim(x.codigo) = btrim(p_codigo) AND btrim(p.codigo) <> btrim(p_codigo)
    )
ORDER BY 1
$$;
COMMENT ON FUNCTION etl.buscar_producto(bigint, text) IS
    'El producto de ese id, que es el de la tienda; si no lo hay, los que tienen ese código, que deberían ser uno; si no hay ninguno, los que lo tienen con otras mayúsculas.';
SELECT etl.conceder('EXECUTE', 'etl.buscar_producto(bigint, text)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.libro_producto(
    p_id_producto bigint, p_desde date, p_hasta date, p_zona text
) RETURNS TABLE (
    fecha timestamptz, id_movimiento bigint, tipo text, id_sucursal bigint, sucursal text,
    cantidad numeric, costo_unitario numeric, costo_total numeric, ajuste numeric,
    existencias numeric, costo_promedio numeric, valor numeric, provisional boolean,
    variacion numeric, regla text, signo smallint, nombre text, operacion text,
    operacion_destino text, sucursal_destino text, fecha_documento timestamptz, capa smallint,
    reverso boolean, documento text
)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
-- The bounds are written out in each condition, so that the primary key serves them as a range.
SELECT
    l.fecha, l.id_movimiento, l.tipo, l.id_sucursal, l.sucursal, l.cantidad, l.costo_unitario,
    l.costo_total, l.ajuste, l.existencias, l.costo_promedio, l.valor, l.provisional, l.variacion,
    -- What has no stock moves nothing, whatever its type.
    CASE WHEN l.variacion = 0 AND t.signo <> 0 AND t.regla NOT IN ('contar', 'sumar_costo') THEN 'ninguna'
        ELSE t.regla END,
    t.signo, t.nombre,
    CASE WHEN etl.es_inicial(l.id_movimiento) THEN '16' WHEN l.costo_unitario IS NOT NULL THEN coalesce(t.sunat_con_costo, t.sunat) ELSE t.sunat END,
    t.sunat_destino, l.sucursal_destino, l.fecha_documento, l.capa, l.reverso, coalesce(d.documento, d.clave)
FROM (
    SELECT
        -- An opening that holds from a day of the period on bears its own date.
        CASE WHEN u.existencias IS NULL
            THEN greatest(a.fecha, etl.inicio_del_dia(p_desde, p_zona))
            ELSE etl.inicio_del_dia(p_desde, p_zona)
        END AS fecha,
        NULL::timestamptz AS fecha_documento, NULL::smallint AS orden, NULL::smallint AS capa,
        NULL::bigint AS id_movimiento, 'SALDO'::text AS tipo,
        NULL::bigint AS id_sucursal, NULL::text AS sucursal, NULL::numeric AS cantidad,
        NULL::numeric AS costo_unitario, NULL::numeric AS costo_total, 0::numeric AS ajuste,
        coalesce(u.existencias, a.existencias, 0)::numeric AS existencias,
        coalesce(u.costo_promedio, a.costo_promedio, 0)::numeric AS costo_promedio,
        coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0)::numeric AS valor,
        false AS provisional, 0::numeric AS variacion, NULL::text AS sucursal_destino,
        false AS reverso
    FROM (SELECT p_id_producto AS id_producto) AS p
    LEFT JOIN etl.v_apertura AS a
        ON a.id_producto = p.id_producto AND (
            a.fecha IS NULL
            OR a.fecha < coalesce(etl.inicio_del_dia(p_hasta + 1, p_zona), 'infinity')
        )
    LEFT JOIN LATERAL (
        SELECT k.existencias, k.costo_promedio, k.valor
        FROM dw.kardex AS k
        WHERE k.id_producto = p_id_producto
            AND k.fecha < coalesce(etl.inicio_del_dia(p_desde, p_zona), '-infinity')
        ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
        LIMIT 1
    ) AS u ON true
    UNION ALL
    SELECT
        k.fecha, k.fecha_documento, k.orden, k.capa, k.id_movimiento, k.tipo, k.id_sucursal,
        coalesce(s.nombre, 'Sucursal ' || k.id_sucursal), k.cantidad, k.costo_unitario,
        k.costo_total, k.ajuste, k.existencias, k.costo_promedio, k.valor, k.provisional,
        k.variacion,
        CASE WHEN k.id_sucursal_destino IS NOT NULL
            THEN coalesce(d.nombre, 'Sucursal ' || k.id_sucursal_destino) END,
        k.reverso
    FROM dw.kardex AS k
    LEFT JOIN dw.sucursal AS s ON s.id_sucursal = k.id_sucursal
    LEFT JOIN dw.sucursal AS d ON d.id_sucursal = k.id_sucursal_destino
    WHERE k.id_producto = p_id_producto
        AND k.fecha >= coalesce(etl.inicio_del_dia(p_desde, p_zona), '-infinity')
        AND k.fecha < coalesce(etl.inicio_del_dia(p_hasta + 1, p_zona), 'infinity')
) AS l
LEFT JOIN dw.tipo_movimiento AS t ON t.tipo = l.tipo
LEFT JOIN dw.documento_movimiento AS d ON d.id_movimiento = l.id_movimiento
ORDER BY l.id_movimiento IS NOT NULL, l.fecha, l.fecha_documento, l.orden, l.id_movimiento, l.capa
$$;
COMMENT ON FUNCTION etl.libro_producto(bigint, date, date, text) IS
    'El libro de un producto entre dos días de la zona, ambos incluidos: su saldo inicial (tipo SALDO) y luego cada movimiento en su orden';
SELECT etl.conceder('EXECUTE', 'etl.libro_producto(bigint, date, date, text)', 'etl_cargador');

-- The book: the ledgers of all products, one after the other. What etl.libro() calls for each product is
-- as above; it is itself inlined into what asks for it, so that rows come as they are read and neither
-- side holds all of them: hence no SECURITY DEFINER, and the order that the function scan knows already.

CREATE OR REPLACE FUNCTION etl.productos_libro()
RETURNS TABLE (id_producto bigint, codigo text, nombre text, categoria text)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT p.id_producto, p.codigo, p.nombre, p.categoria
FROM dw.producto AS p
-- What never had a stock is in no book of stock.
WHERE p.inventariable OR EXISTS (
    SELECT FROM dw.kardex AS k WHERE k.id_producto = p.id_producto AND k.variacion <> 0
)
ORDER BY p.codigo COLLATE "C" NULLS LAST, p.id_producto
$$;
COMMENT ON FUNCTION etl.productos_libro() IS 'Los productos, en el orden en que van en el libro';
SELECT etl.conceder('EXECUTE', 'etl.productos_libro()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.libro(p_desde date, p_hasta date, p_zona text) RETURNS TABLE (
    numero bigint, id_producto bigint, codigo text, nombre_producto text, categoria text,
    fecha timestamptz, id_movimiento bigint, tipo text, id_sucursal bigint, sucursal text,
    cantidad numeric, costo_unitario numeric, costo_total numeric, ajuste numeric,
    existencias numeric, costo_promedio numeric, valor numeric, provisional boolean,
    variacion numeric, regla text, signo smallint, nombre text, operacion text,
    operacion_destino text, sucursal_destino text, fecha_documento timestamptz, capa smallint,
    reverso boolean, documento text
)
LANGUAGE sql STABLE
AS $$
SELECT p.numero, p.id_producto, p.codigo, p.nombre, p.categoria, l.*
FROM etl.productos_libro() WITH ORDINALITY AS p (id_producto, codigo, nombre, categoria, numero)
CROSS JOIN LATERAL etl.libro_producto(p.id_producto, p_desde, p_hasta, p_zona) AS l
ORDER BY p.numero
$$;
COMMENT ON FUNCTION etl.libro(date, date, text) IS
    'El libro de cada producto, uno tras otro, cada uno como lo da etl.libro_producto()';
SELECT etl.conceder('EXECUTE', 'etl.libro(date, date, text)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.hay_sucursales() RETURNS boolean
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT EXISTS (SELECT FROM dw.existencias_sucursal AS e WHERE e.id_sucursal <> 0)
$$;
COMMENT ON FUNCTION etl.hay_sucursales() IS 'Si algo se ha movido en alguna sucursal';
SELECT etl.conceder('EXECUTE', 'etl.hay_sucursales()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.sucursales_producto(p_id_producto bigint, p_hasta date, p_zona text)
RETURNS TABLE (id_sucursal bigint, sucursal text, existencias numeric)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
-- What there is now, less what came after that day; an opening of after it is not there yet.
SELECT e.id_sucursal, coalesce(s.nombre, 'Sucursal ' || e.id_sucursal), e.existencias
FROM (
    SELECT c.id_sucursal, sum(c.existencias) AS existencias
    FROM (
        SELECT r.id_sucursal, r.variacion AS existencias
        FROM dw.resumen_sucursal AS r
        WHERE r.id_producto = p_id_producto
        UNION ALL
        SELECT a.id_sucursal, a.existencias
        FROM dw.apertura_sucursal AS a
        INNER JOIN etl.v_apertura AS t ON t.id_producto = a.id_producto
        WHERE a.id_producto = p_id_producto AND (
            t.fecha IS NULL
            OR t.fecha < coalesce(etl.inicio_del_dia(p_hasta + 1, p_zona), 'infinity')
        )
        UNION ALL
        SELECT m.id_sucursal, -m.variacion
        FROM dw.kardex AS k
        CROSS JOIN LATERAL etl.por_sucursal(k.id_sucursal, k.id_sucursal_destino, k.variacion, k.cantidad) AS m
        WHERE k.id_producto = p_id_producto
            AND k.fecha >= coalesce(etl.inicio_del_dia(p_hasta + 1, p_zona), 'infinity')
    ) AS c
    GROUP BY c.id_sucursal
    HAVING sum(c.existencias) <> 0
) AS e
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = e.id_sucursal
ORDER BY e.id_sucursal
$$;
COMMENT ON FUNCTION etl.sucursales_producto(bigint, date, text) IS
    'Dónde estaban las existencias de un producto al terminar un día de la zona; sin día, ahora';
SELECT etl.conceder('EXECUTE', 'etl.sucursales_producto(bigint, date, text)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.libro_sucursales(p_hasta date, p_zona text)
RETURNS TABLE (id_producto bigint, id_sucursal bigint, sucursal text, existencias numeric)
LANGUAGE sql STABLE
AS $$
SELECT p.id_producto, s.*
FROM etl.productos_libro() WITH ORDINALITY AS p (id_producto, codigo, nombre, categoria, numero)
CROSS JOIN LATERAL etl.sucursales_producto(p.id_producto, p_hasta, p_zona) AS s
ORDER BY p.numero
$$;
COMMENT ON FUNCTION etl.libro_sucursales(date, text) IS
    'Las existencias por sucursal de cada producto, en el orden de etl.libro()';
SELECT etl.conceder('EXECUTE', 'etl.libro_sucursales(date, text)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.cierre_del_libro(p_desde date, p_hasta date, p_zona text)
RETURNS TABLE (dia date, huella text, movimientos bigint, existencias numeric, valor numeric)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT
    c.dia, c.huella,
    -- Of a period that begins otherwise than one that was closed, the closings do not tell.
    CASE WHEN c.hasta = p.hasta AND (
        EXISTS (SELECT FROM dw.cierre AS a WHERE a.hasta = p.desde)
        OR NOT EXISTS (SELECT FROM dw.kardex AS k WHERE k.fecha < p.desde)
    ) THEN (
        SELECT sum(a.movimientos)::bigint FROM dw.cierre AS a WHERE a.hasta > p.desde AND a.hasta <= p.hasta
    ) END,
    CASE WHEN c.hasta = p.hasta THEN c.existencias END,
    CASE WHEN c.hasta = p.hasta THEN c.valor END
FROM (
    SELECT
        coalesce(etl.inicio_del_dia(p_desde, p_zona), '-infinity') AS desde,
        coalesce(etl.inicio_del_dia(p_hasta + 1, p_zona), 'infinity') AS hasta
) AS p
INNER JOIN dw.cierre AS c ON c.hasta >= p.hasta AND c.huella IS NOT NULL
ORDER BY c.hasta
LIMIT 1
$$;
COMMENT ON FUNCTION etl.cierre_del_libro(date, date, text) IS
    'El cierre que deja como está el libro de unos días de la zona, y si termina con ellos, qué dice de ellos; sin fila, está abierto';
SELECT etl.conceder('EXECUTE', 'etl.cierre_del_libro(date, date, text)', 'etl_cargador');
