-- One product's ledger, as the command kardex shows it.

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
SELECT etl.conceder('EXECUTE', 'etl.buscar_producto(bigint, text)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.libro_producto(
    p_id_producto bigint, p_desde date, p_hasta date, p_zona text
) RETURNS TABLE (
    fecha timestamptz, id_movimiento bigint, tipo text, id_sucursal bigint, sucursal text,
    cantidad numeric, costo_unitario numeric, costo_total numeric, ajuste numeric,
    existencias numeric, costo_promedio numeric, valor numeric, provisional boolean,
    variacion numeric, regla text, signo smallint, nombre text, operacion text,
    operacion_destino text, sucursal_destino text
)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
-- The bounds are written out in each condition, so that the primary key serves them as a range.
SELECT
    l.fecha, l.id_movimiento, l.tipo, l.id_sucursal, l.sucursal, l.cantidad, l.costo_unitario,
    l.costo_total, l.ajuste, l.existencias, l.costo_promedio, l.valor, l.provisional, l.variacion,
    t.regla, t.signo, t.nombre,
    CASE WHEN l.costo_unitario IS NOT NULL THEN coalesce(t.sunat_con_costo, t.sunat) ELSE t.sunat END,
    t.sunat_destino, l.sucursal_destino
FROM (
    SELECT
        -- An opening that holds from a day of the period on bears its own date.
        CASE WHEN u.existencias IS NULL
            THEN greatest(a.fecha, etl.inicio_del_dia(p_desde, p_zona))
            ELSE etl.inicio_del_dia(p_desde, p_zona)
        END AS fecha,
        NULL::smallint AS orden, NULL::bigint AS id_movimiento, 'SALDO'::text AS tipo,
        NULL::bigint AS id_sucursal, NULL::text AS sucursal, NULL::numeric AS cantidad,
        NULL::numeric AS costo_unitario, NULL::numeric AS costo_total, 0::numeric AS ajuste,
        coalesce(u.existencias, a.existencias, 0)::numeric AS existencias,
        coalesce(u.costo_promedio, a.costo_promedio, 0)::numeric AS costo_promedio,
        coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0)::numeric AS valor,
        false AS provisional, 0::numeric AS variacion, NULL::text AS sucursal_destino
    FROM (SELECT p_id_producto AS id_producto) AS p
    LEFT JOIN dw.apertura AS a
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
        k.fecha, k.orden, k.id_movimiento, k.tipo, k.id_sucursal,
        coalesce(s.nombre, 'Sucursal ' || k.id_sucursal), k.cantidad, k.costo_unitario,
        k.costo_total, k.ajuste, k.existencias, k.costo_promedio, k.valor, k.provisional,
        k.variacion,
        CASE WHEN k.id_sucursal_destino IS NOT NULL
            THEN coalesce(d.nombre, 'Sucursal ' || k.id_sucursal_destino) END
    FROM dw.kardex AS k
    LEFT JOIN dw.sucursal AS s ON s.id_sucursal = k.id_sucursal
    LEFT JOIN dw.sucursal AS d ON d.id_sucursal = k.id_sucursal_destino
    WHERE k.id_producto = p_id_producto
        AND k.fecha >= coalesce(etl.inicio_del_dia(p_desde, p_zona), '-infinity')
        AND k.fecha < coalesce(etl.inicio_del_dia(p_hasta + 1, p_zona), 'infinity')
) AS l
LEFT JOIN dw.tipo_movimiento AS t ON t.tipo = l.tipo
ORDER BY l.id_movimiento IS NOT NULL, l.fecha, l.orden, l.id_movimiento
$$;
COMMENT ON FUNCTION etl.libro_producto(bigint, date, date, text) IS
    'El libro de un producto entre dos días de la zona, ambos incluidos: su saldo inicial (tipo SALDO) y luego cada movimiento en su orden';
SELECT etl.conceder('EXECUTE', 'etl.libro_producto(bigint, date, date, text)', 'etl_cargador');
