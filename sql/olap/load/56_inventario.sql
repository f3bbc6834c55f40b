-- What is known of each product at the end of its ledger: stock, prices, and what it was worth.

CREATE OR REPLACE FUNCTION etl.fines_de_mes(p_corte date, p_zona text) RETURNS timestamptz[]
LANGUAGE sql STABLE
AS $$
-- A month is over at the first instant of the next.
SELECT coalesce(array_agg(etl.inicio_del_dia((g.mes + interval '1 month')::date, p_zona) ORDER BY g.mes), '{}')
FROM generate_series(
    date_trunc('month', (p_corte - 364)::timestamp), date_trunc('month', p_corte::timestamp),
    interval '1 month'
) AS g (mes)
WHERE (g.mes + interval '1 month - 1 day')::date BETWEEN p_corte - 364 AND p_corte
$$;
COMMENT ON FUNCTION etl.fines_de_mes(date, text) IS
    'Los fines de mes de los 365 días que terminan en el corte';

CREATE OR REPLACE FUNCTION etl.valor_promedio(p_producto bigint, p_fines timestamptz[])
-- A table of one row is written into the query that asks for it; a value is worked out by one of its own.
RETURNS TABLE (valor_promedio numeric)
LANGUAGE sql STABLE
AS $$
-- Before its first movement and its opening a product has no value that would count.
SELECT avg(greatest(f.valor, 0))
FROM (
    SELECT coalesce(
        (
            SELECT k.valor
            FROM dw.kardex AS k
            WHERE k.id_producto = p_producto AND k.fecha < n.fin
            ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
            LIMIT 1
        ),
        (
            SELECT round(a.existencias * a.costo_promedio, 6)
            FROM etl.v_apertura AS a
            WHERE a.id_producto = p_producto AND a.fecha < n.fin
        )
    ) AS valor
    FROM unnest(p_fines) AS n (fin)
    -- Each is sought once: what asks whether there is one would be put in its place, too.
    OFFSET 0
) AS f
WHERE f.valor IS NOT NULL
$$;
COMMENT ON FUNCTION etl.valor_promedio(bigint, timestamptz[]) IS
    'Promedio de lo que valía un producto en esos instantes (lo negativo cuenta 0); nulo si en ninguno existía aún';

CREATE OR REPLACE FUNCTION etl.ultima_venta(p_producto bigint)
-- As etl.valor_promedio(), written into the query that asks for it.
RETURNS TABLE (
    id_movimiento bigint, fecha timestamptz, fecha_documento timestamptz, precio_unitario numeric,
    impuesto numeric, precio_con_impuesto boolean
)
LANGUAGE sql STABLE
AS $$
SELECT k.id_movimiento, k.fecha, k.fecha_documento, k.precio_unitario, k.impuesto, k.precio_con_impuesto
FROM (
    -- In this order, and no further than to the first that is one: of a new ledger the planner expects
    -- so few sales that it would read and sort all of the product's.
    SELECT * FROM dw.kardex AS f
    WHERE f.id_producto = p_producto
    ORDER BY f.fecha DESC, f.fecha_documento DESC, f.orden DESC, f.id_movimiento DESC, f.capa DESC
    OFFSET 0
) AS k
WHERE k.tipo = 'VENTA' AND NOT k.reverso
    -- What was taken back was no sale.
    AND (
        SELECT true FROM dw.kardex AS x
        WHERE x.reverso AND x.id_movimiento = k.id_movimiento AND x.capa = k.capa + 1
        LIMIT 1
    ) IS NOT TRUE
LIMIT 1
$$;
COMMENT ON FUNCTION etl.ultima_venta(bigint) IS
    'La última venta de un producto en el kardex que no fue reversada; ninguna fila si no la hay';

CREATE OR REPLACE FUNCTION etl.actualizar_inventario(
    p_numero bigint, p_corte date, p_zona text, p_todos boolean
) RETURNS void
LANGUAGE sql
AS $$
INSERT INTO dw.inventario AS i (
    id_producto, existencias, valor, costo_promedio, precio_sugerido, version,
    ultima_venta, ultimo_precio, ultimo_neto, valor_promedio, primera
)
SELECT
    t.id_producto,
    coalesce(u.existencias, a.existencias, 0),
    coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0),
    coalesce(u.costo_promedio, a.costo_promedio, 0),
    dw.calcular_precio_sugerido(
        CASE WHEN p.inventariable THEN coalesce(u.costo_promedio, a.costo_promedio, 0) ELSE 0 END,
        v.margen, v.impuesto, v.redondeo
    ),
    p_numero, w.fecha,
    -- A suggested price has its tax within; a price that the shop types without it gets it.
    round(
        w.precio_unitario * CASE WHEN coalesce(w.precio_con_impuesto, p.precio_con_impuesto) THEN 1
            ELSE 1 + coalesce(w.impuesto, v.impuesto) END,
        6
    ),
    dw.venta_neta(1, w.precio_unitario, etl.tasa_de_venta(
        w.impuesto, w.precio_con_impuesto, p.precio_con_impuesto, p.impuesto, p.tasas,
        (w.fecha_documento AT TIME ZONE p_zona)::date
    )),
    m.valor_promedio,
    (SELECT min(k.fecha) FROM dw.kardex AS k WHERE k.id_producto = t.id_producto)
FROM (
    SELECT s.id_producto FROM etl.tramo AS s
    UNION
    SELECT n.id_producto FROM dw.inventario AS n WHERE p_todos
) AS t
INNER JOIN dw.producto AS p ON p.id_producto = t.id_producto
INNER JOIN etl.politica_al(p_corte) AS v ON v.id_producto = t.id_producto
CROSS JOIN etl.fines_de_mes(p_corte, p_zona) AS f (fines)
CROSS JOIN LATERAL etl.valor_promedio(t.id_producto, f.fines) AS m
LEFT JOIN etl.v_apertura AS a ON a.id_producto = t.id_producto
-- Each from the end of the product's ledger, by its key: the cost does not follow the history.
LEFT JOIN LATERAL (
    SELECT k.existencias, k.valor, k.costo_promedio
    FROM dw.kardex AS k
    WHERE k.id_producto = t.id_producto
    ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
    LIMIT 1
) AS u ON true
LEFT JOIN LATERAL etl.ultima_venta(t.id_producto) AS w ON true
ON CONFLICT (id_producto) DO UPDATE SET
    existencias = excluded.existencias, valor = excluded.valor,
    costo_promedio = excluded.costo_promedio, precio_sugerido = excluded.precio_sugerido,
    version = excluded.version, ultima_venta = excluded.ultima_venta,
    ultimo_precio = excluded.ultimo_precio, ultimo_neto = excluded.ultimo_neto,
    valor_promedio = excluded.valor_promedio, primera = excluded.primera
WHERE (
    i.existencias, i.valor, i.costo_promedio, i.precio_sugerido, i.ultima_venta, i.ultimo_precio,
    i.ultimo_neto, i.valor_promedio, i.primera
) IS DISTINCT FROM (
    excluded.existencias, excluded.valor, excluded.costo_promedio, excluded.precio_sugerido,
    excluded.ultima_venta, excluded.ultimo_precio, excluded.ultimo_neto, excluded.valor_promedio,
    excluded.primera
)
$$;
COMMENT ON FUNCTION etl.actualizar_inventario(bigint, date, text, boolean) IS
    'Lo que se sabe de cada producto tocado al final de su kardex, con su precio sugerido; de todos, si cambió la política de precios o con qué fines de mes se promedia';
