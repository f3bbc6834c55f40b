-- Medusa's fulfilments as sales, when they are made, which is when stocked_quantity goes down, and the
-- returns that were received. It keeps no other document of stock: what came in, what broke and what
-- was moved is told by existencias.sql alone.
--
-- Every event of an order writes all its lines and discounts again, under the order's next version:
-- prices are those of the last one, as the order's own totals are.
SELECT
    s.id AS id_movimiento,
    'VENTA' AS tipo,
    coalesce(s.inventory_item_id, l.variant_id, 'sin-variante') AS id_producto,
    f.location_id AS id_sucursal,
    s.quantity AS cantidad,
    CASE
        WHEN o.currency_code = moneda.currency_code
            THEN neto.unidad * hecho.unidades / nullif(hecho.partes, 0)
    END AS precio_unitario,
    NULL::numeric AS costo_unitario,
    f.created_at AS fecha,
    -- Cancelled; the label of a return, which is of no order; a try that was refused, which is of none
    -- either.
    f.canceled_at IS NOT NULL
    OR f.deleted_at IS NOT NULL
    OR s.deleted_at IS NOT NULL
    OR v.order_id IS NULL AS anulado,
    NULL::text AS id_origen,
    -- What a kit is sold for is spread over what it is made of, by units.
    CASE
        WHEN o.currency_code = moneda.currency_code
            THEN neto.unidad * hecho.unidades * s.quantity / nullif(hecho.partes, 0)
    END AS importe,
    tributo.tasa AS impuesto,
    false AS precio_con_impuesto,
    v.order_id AS id_documento,
    -- Of another currency there is no price: it waits as a reject, and its name says why.
    '#' || coalesce(o.custom_display_id, o.display_id::text)
    || CASE WHEN o.currency_code <> moneda.currency_code THEN ', en ' || o.currency_code ELSE '' END
        AS documento,
    s.xmin AS version_1,
    f.xmin AS version_2,
    v.xmin AS version_3,
    o.xmin AS version_4,
    l.xmin AS version_5,
    -- The youngest of many, in one: each alone is the same for all rows of a shop's first orders.
    (
        SELECT j.version_fila
        FROM unnest(ARRAY[
            linea.version_fila, rebaja.version_fila, tributo.version_fila, hecho.version_fila
        ]) AS j (version_fila)
        ORDER BY age(j.version_fila)
        LIMIT 1
    ) AS version_6
FROM public.fulfillment_item AS s
INNER JOIN public.fulfillment AS f ON f.id = s.fulfillment_id
LEFT JOIN public.order_line_item AS l ON l.id = s.line_item_id
LEFT JOIN public.order_fulfillment AS v ON v.fulfillment_id = f.id AND v.deleted_at IS NULL
LEFT JOIN public."order" AS o ON o.id = v.order_id
-- The shop's own currency: one row, so that its version would tell nothing.
LEFT JOIN public.store_currency AS moneda
    ON moneda.id = (
        SELECT min(c.id)
        FROM public.store_currency AS c
        WHERE c.is_default AND c.deleted_at IS NULL
    )
LEFT JOIN LATERAL (
    SELECT
        i.version,
        i.quantity,
        i.unit_price,
        i.xmin AS version_fila
    FROM public.order_item AS i
    WHERE i.item_id = l.id AND i.version <= o.version AND i.deleted_at IS NULL
    ORDER BY i.version DESC
    LIMIT 1
) AS linea ON true
LEFT JOIN LATERAL (
    SELECT
        coalesce(sum(t.rate), 0) / 100 AS tasa,
        (array_agg(t.xmin ORDER BY age(t.xmin)))[1] AS version_fila
    FROM public.order_line_item_tax_line AS t
    WHERE t.item_id = l.id AND t.deleted_at IS NULL
) AS tributo ON true
LEFT JOIN LATERAL (
    SELECT
        coalesce(sum(d.amount) FILTER (WHERE NOT d.is_tax_inclusive), 0)
        + coalesce(sum(d.amount) FILTER (WHERE d.is_tax_inclusive), 0) / (1 + tributo.tasa)
            AS monto,
        (array_agg(d.xmin ORDER BY age(d.xmin)))[1] AS version_fila
    FROM public.order_line_item_adjustment AS d
    WHERE d.item_id = l.id AND d.version = linea.version AND d.deleted_at IS NULL
) AS rebaja ON true
-- How many of the line this fulfilment was of, and of how many pieces.
LEFT JOIN LATERAL (
    SELECT
        (a.details ->> 'quantity')::numeric AS unidades,
        (
            SELECT sum(p.quantity)
            FROM public.fulfillment_item AS p
            WHERE p.fulfillment_id = f.id AND p.line_item_id = l.id AND p.deleted_at IS NULL
        ) AS partes,
        a.xmin AS version_fila
    FROM public.order_change_action AS a
    WHERE a.order_id = v.order_id
        AND a.action = 'FULFILL_ITEM'
        AND a.reference_id = f.id
        AND a.details ->> 'reference_id' = l.id
        AND a.deleted_at IS NULL
    ORDER BY a.ordering
    LIMIT 1
) AS hecho ON true
CROSS JOIN LATERAL (
    SELECT
        coalesce(linea.unit_price, l.unit_price)
        / CASE WHEN l.is_tax_inclusive THEN 1 + tributo.tasa ELSE 1 END
        - rebaja.monto / nullif(linea.quantity, 0) AS unidad
) AS neto
UNION ALL
-- What comes back is what went out for the line: of a kit its parts. Medusa takes today's recipe. What
-- comes back broken is credited, and does not enter its stock: it is a return, and leaves at once.
SELECT
    a.id || ' ' || parte.producto || que.seguido,
    que.tipo,
    parte.producto,
    r.location_id,
    parte.cantidad,
    CASE
        WHEN que.tipo = 'DEVOLUCION_VENTA' AND o.currency_code = moneda.currency_code
            THEN neto.unidad * pedido.unidades / nullif(parte.partes, 0)
    END,
    NULL::numeric,
    c.confirmed_at + que.despues,
    c.status <> 'confirmed' OR c.deleted_at IS NOT NULL OR a.deleted_at IS NOT NULL,
    CASE WHEN que.tipo = 'DEVOLUCION_VENTA' THEN parte.primera END,
    CASE
        WHEN que.tipo = 'DEVOLUCION_VENTA' AND o.currency_code = moneda.currency_code
            THEN neto.unidad * pedido.unidades * parte.cantidad / nullif(parte.partes, 0)
    END,
    tributo.tasa,
    false,
    c.order_id,
    '#' || coalesce(o.custom_display_id, o.display_id::text)
    || CASE WHEN o.currency_code <> moneda.currency_code THEN ', en ' || o.currency_code ELSE '' END,
    a.xmin,
    c.xmin,
    r.xmin,
    o.xmin,
    l.xmin,
    (
        SELECT j.version_fila
        FROM unnest(ARRAY[
            linea.version_fila, rebaja.version_fila, tributo.version_fila, parte.version_fila
        ]) AS j (version_fila)
        ORDER BY age(j.version_fila)
        LIMIT 1
    )
FROM public.order_change_action AS a
INNER JOIN public.order_change AS c ON c.id = a.order_change_id
INNER JOIN public."order" AS o ON o.id = c.order_id
INNER JOIN public.order_line_item AS l ON l.id = a.details ->> 'reference_id'
LEFT JOIN public."return" AS r ON r.id = coalesce(a.return_id, c.return_id)
INNER JOIN (
    VALUES
    ('DEVOLUCION_VENTA', 'RECEIVE_RETURN_ITEM', '', interval '0'),
    ('DEVOLUCION_VENTA', 'RECEIVE_DAMAGED_RETURN_ITEM', '', interval '0'),
    ('AJUSTE_SALIDA', 'RECEIVE_DAMAGED_RETURN_ITEM', ' roto', interval '1 microsecond')
) AS que (tipo, accion, seguido, despues) ON que.accion = a.action
LEFT JOIN public.store_currency AS moneda
    ON moneda.id = (
        SELECT min(m.id)
        FROM public.store_currency AS m
        WHERE m.is_default AND m.deleted_at IS NULL
    )
CROSS JOIN LATERAL (SELECT (a.details ->> 'quantity')::numeric AS unidades) AS pedido
CROSS JOIN LATERAL (
    SELECT
        salida.producto,
        salida.primera,
        salida.version_fila,
        pedido.unidades * salida.piezas / nullif(salida.unidades, 0) AS cantidad,
        sum(pedido.unidades * salida.piezas / nullif(salida.unidades, 0)) OVER () AS partes
    FROM (
        SELECT
            coalesce(s.inventory_item_id, l.variant_id, 'sin-variante') AS producto,
            min(s.id) AS primera,
            sum(s.quantity) AS piezas,
            sum((h.details ->> 'quantity')::numeric) AS unidades,
            (array_agg(f.xmin ORDER BY age(f.xmin)))[1] AS version_fila
        FROM public.fulfillment_item AS s
        INNER JOIN public.fulfillment AS f ON f.id = s.fulfillment_id
        INNER JOIN public.order_change_action AS h
            ON h.order_id = c.order_id
            AND h.action = 'FULFILL_ITEM'
            AND h.reference_id = f.id
            AND h.details ->> 'reference_id' = l.id
            AND h.deleted_at IS NULL
        WHERE s.line_item_id = l.id
            AND s.deleted_at IS NULL
            AND f.deleted_at IS NULL
            AND f.canceled_at IS NULL
        GROUP BY 1
    ) AS salida
) AS parte
LEFT JOIN LATERAL (
    SELECT
        i.version,
        i.quantity,
        i.unit_price,
        i.xmin AS version_fila
    FROM public.order_item AS i
    WHERE i.item_id = l.id AND i.version <= o.version AND i.deleted_at IS NULL
    ORDER BY i.version DESC
    LIMIT 1
) AS linea ON true
LEFT JOIN LATERAL (
    SELECT
        coalesce(sum(t.rate), 0) / 100 AS tasa,
        (array_agg(t.xmin ORDER BY age(t.xmin)))[1] AS version_fila
    FROM public.order_line_item_tax_line AS t
    WHERE t.item_id = l.id AND t.deleted_at IS NULL
) AS tributo ON true
LEFT JOIN LATERAL (
    SELECT
        coalesce(sum(d.amount) FILTER (WHERE NOT d.is_tax_inclusive), 0)
        + coalesce(sum(d.amount) FILTER (WHERE d.is_tax_inclusive), 0) / (1 + tributo.tasa)
            AS monto,
        (array_agg(d.xmin ORDER BY age(d.xmin)))[1] AS version_fila
    FROM public.order_line_item_adjustment AS d
    WHERE d.item_id = l.id AND d.version = linea.version AND d.deleted_at IS NULL
) AS rebaja ON true
CROSS JOIN LATERAL (
    SELECT
        coalesce(linea.unit_price, l.unit_price)
        / CASE WHEN l.is_tax_inclusive THEN 1 + tributo.tasa ELSE 1 END
        - rebaja.monto / nullif(linea.quantity, 0) AS unidad
) AS neto
UNION ALL
-- What was there when the history began is a count of each place; what changed since and is not of a
-- document is an adjustment of its own time. Medusa changes the stock in one transaction and
-- writes the document in others, a moment before or after: so a change is a document's where one of the
-- same item, place and quantity is at most half a minute away (of returns of any quantity, since
-- those of a kit go by today's recipe).
SELECT
    'historial ' || h.id,
    CASE WHEN h.antes IS NULL THEN 'CONTEO' ELSE 'AJUSTE_ENTRADA' END,
    h.inventory_item_id,
    h.location_id,
    h.despues - coalesce(h.antes, 0),
    NULL::numeric,
    NULL::numeric,
    h.momento,
    -- An item that was deleted keeps its stock here.
    (h.antes IS NOT NULL AND coalesce(salida.es, vuelta.es, false))
    OR (h.borrado AND i.deleted_at IS NOT NULL),
    NULL::text,
    NULL::numeric,
    NULL::numeric,
    NULL::boolean,
    NULL::text,
    NULL::text,
    h.xmin,
    NULL::xid,
    i.xmin,
    NULL::xid,
    NULL::xid,
    (
        SELECT j.version_fila
        FROM unnest(ARRAY[salida.version_fila, vuelta.version_fila]) AS j (version_fila)
        ORDER BY age(j.version_fila)
        LIMIT 1
    )
FROM historial.existencias AS h
LEFT JOIN public.inventory_item AS i ON i.id = h.inventory_item_id
-- In halves of a minute, and those beside, so that the two are joined by their hashes.
LEFT JOIN (
    SELECT
        e.inventory_item_id,
        e.location_id,
        e.cambio,
        e.media + cerca.paso AS media,
        true AS es,
        (array_agg(e.version_fila ORDER BY age(e.version_fila)))[1] AS version_fila
    FROM (
        SELECT
            s.inventory_item_id,
            f.location_id,
            que.signo * s.quantity AS cambio,
            floor(extract(epoch FROM CASE que.signo WHEN 1 THEN f.canceled_at ELSE f.created_at END) / 30)
                AS media,
            f.xmin AS version_fila
        FROM public.fulfillment_item AS s
        INNER JOIN public.fulfillment AS f ON f.id = s.fulfillment_id
        CROSS JOIN (VALUES (-1), (1)) AS que (signo)
        WHERE s.inventory_item_id IS NOT NULL
    ) AS e
    CROSS JOIN (VALUES (-1), (0), (1)) AS cerca (paso)
    WHERE e.media IS NOT NULL
    GROUP BY 1, 2, 3, 4
) AS salida
    ON salida.inventory_item_id = h.inventory_item_id
    AND salida.location_id = h.location_id
    AND salida.cambio = h.despues - h.antes
    AND salida.media = floor(extract(epoch FROM h.momento) / 30)
LEFT JOIN (
    SELECT
        e.inventory_item_id,
        e.location_id,
        e.media + cerca.paso AS media,
        true AS es,
        (array_agg(e.version_fila ORDER BY age(e.version_fila)))[1] AS version_fila
    FROM (
        SELECT
            u.inventory_item_id,
            r.location_id,
            floor(extract(epoch FROM c.confirmed_at) / 30) AS media,
            c.xmin AS version_fila
        FROM public.order_change_action AS a
        INNER JOIN public.order_change AS c ON c.id = a.order_change_id
        INNER JOIN public.order_line_item AS l ON l.id = a.details ->> 'reference_id'
        INNER JOIN public."return" AS r ON r.id = coalesce(a.return_id, c.return_id)
        INNER JOIN public.product_variant_inventory_item AS u ON u.variant_id = l.variant_id
        WHERE a.action = 'RECEIVE_RETURN_ITEM' AND c.status = 'confirmed' AND a.deleted_at IS NULL
    ) AS e
    CROSS JOIN (VALUES (-1), (0), (1)) AS cerca (paso)
    GROUP BY 1, 2, 3
) AS vuelta
    ON vuelta.inventory_item_id = h.inventory_item_id
    AND vuelta.location_id = h.location_id
    AND h.despues > h.antes
    AND vuelta.media = floor(extract(epoch FROM h.momento) / 30)
