-- Celerp's events of lots as movements: what each event changes of what is on hand of a lot is one.
-- What a lot holds after an event follows from the last quantity, status and place that it was given, as
-- in Celerp's own replay; on hand is what its books hold, goods out on memo and on consignment included.
--
-- A shipment of a part of a lot splits it first, into a lot of the same product: what one transaction
-- does to a product at a place beside its documents is one movement, and none where it comes to
-- nothing. What customers bring back is at no place until somebody moves it: that is a branch of its own. Only the first company is carried: for another, change the line of empresa.
WITH empresa AS (
    SELECT
        c.id,
        coalesce(c.settings ->> 'currency', 'USD') AS moneda
    FROM public.companies AS c
    ORDER BY c.created_at, c.id
    LIMIT 1
),

evento AS (
    SELECT
        e.id,
        e.entity_id AS lote,
        e.ts,
        e.event_type AS hecho,
        e.source AS por,
        e.data,
        e.metadata,
        e.xmin AS version_fila,
        CASE
            WHEN texto.cantidad ~ '^-?[0-9.]+(e[-+]?[0-9]+)?$'
                THEN round(texto.cantidad::float8::numeric, 6)
        END AS cantidad,
        CASE e.event_type
            WHEN 'item.consumed' THEN -round((e.data ->> 'quantity_consumed')::float8::numeric, 6)
            WHEN 'item.produced' THEN round((e.data ->> 'quantity_produced')::float8::numeric, 6)
            ELSE 0
        END AS mas,
        lower(texto.estado) AS estado,
        texto.sitio,
        CASE
            WHEN e.data ->> 'inventory_on_books' = 'true'
                OR e.event_type = 'item.inventory_on_books.recorded'
                THEN 'si'
            WHEN texto.estado IS NOT NULL THEN 'no'
        END AS guardado,
        CASE
            WHEN texto.costo_total ~ '^[0-9.]+(e[-+]?[0-9]+)?$' THEN texto.costo_total::float8::numeric
        END + coalesce((
            SELECT sum(j.value::float8::numeric)
            FROM json_each_text(
                CASE WHEN json_typeof(e.data -> 'landed_costs') = 'object' THEN e.data -> 'landed_costs' END
            ) AS j
            WHERE e.event_type = 'item.created'
        ), 0) AS costo_total,
        CASE
            WHEN texto.costo ~ '^[0-9.]+(e[-+]?[0-9]+)?$' THEN texto.costo::float8::numeric
        END AS costo,
        CASE WHEN e.event_type = 'item.fulfilled' THEN e.metadata ->> 'source_line_id' END AS linea
    FROM public.ledger AS e
    INNER JOIN empresa ON empresa.id = e.company_id
    CROSS JOIN LATERAL (
        SELECT
            CASE
                WHEN e.event_type IN ('item.created', 'item.snapshot', 'item.patched')
                    THEN e.data ->> 'quantity'
                WHEN e.event_type = 'item.updated' THEN e.data #>> '{fields_changed,quantity,new}'
                WHEN e.event_type = 'item.quantity.adjusted' THEN e.data ->> 'new_qty'
                WHEN e.event_type = 'item.fulfilled' THEN e.data ->> 'quantity_fulfilled'
                WHEN e.event_type = 'item.fulfillment_reversed' THEN e.data ->> 'quantity_restored'
                WHEN e.event_type = 'item.merge_undone' THEN '0'
            END AS cantidad,
            CASE
                WHEN e.event_type IN ('item.created', 'item.snapshot', 'item.patched')
                    THEN e.data ->> 'status'
                WHEN e.event_type = 'item.updated' THEN e.data #>> '{fields_changed,status,new}'
                WHEN e.event_type = 'item.status.set' THEN e.data ->> 'new_status'
                WHEN e.event_type = 'item.fulfilled'
                    THEN CASE WHEN e.data ->> 'doc_type' = 'memo' THEN 'memo_out' ELSE 'sold' END
                WHEN e.event_type = 'item.fulfillment_reversed' THEN 'available'
                WHEN e.event_type IN ('item.supplier_return_undone', 'item.unmerged')
                    THEN e.data ->> 'restored_status'
                WHEN e.event_type IN ('item.written_off', 'item.returned_to_supplier') THEN 'disposed'
                WHEN e.event_type = 'item.source_deactivated' THEN 'merged'
                WHEN e.event_type IN ('item.merge_undone', 'item.disposed') THEN 'archived'
                WHEN e.event_type = 'item.expired' THEN 'expired'
            END AS estado,
            CASE
                WHEN e.event_type IN ('item.created', 'item.snapshot', 'item.patched')
                    THEN e.data ->> 'location_id'
                WHEN e.event_type = 'item.updated' THEN e.data #>> '{fields_changed,location_id,new}'
                WHEN e.event_type = 'item.transferred' THEN e.data ->> 'to_location_id'
            END AS sitio,
            CASE
                WHEN e.event_type IN ('item.created', 'item.snapshot', 'item.patched', 'item.cost_adjusted')
                    THEN e.data ->> 'cost_total'
                WHEN e.event_type = 'item.updated' THEN e.data #>> '{fields_changed,cost_total,new}'
                WHEN e.event_type = 'item.quantity.adjusted' THEN e.data ->> 'cost_base'
                WHEN e.data ->> 'price_type' = 'cost_total' THEN e.data ->> 'new_price'
            END AS costo_total,
            CASE
                WHEN e.event_type IN ('item.created', 'item.snapshot', 'item.patched')
                    THEN e.data ->> 'cost_price'
                WHEN e.event_type = 'item.updated' THEN e.data #>> '{fields_changed,cost_price,new}'
                WHEN e.data ->> 'price_type' = 'cost_price' THEN e.data ->> 'new_price'
            END AS costo
    ) AS texto
    WHERE e.event_type IN (
        'item.created', 'item.snapshot', 'item.patched', 'item.updated', 'item.pricing.set',
        'item.status.set', 'item.transferred', 'item.quantity.adjusted', 'item.cost_adjusted',
        'item.fulfilled', 'item.fulfillment_reversed', 'item.expired', 'item.disposed',
        'item.written_off', 'item.returned_to_supplier', 'item.supplier_return_undone',
        'item.source_deactivated', 'item.unmerged', 'item.merge_undone', 'item.consumed',
        'item.produced', 'item.inventory_on_books.recorded'
    )
),

-- Which event of the lot gave it what it has: the number of those until here.
contado AS (
    SELECT
        e.*,
        count(e.cantidad) OVER hasta AS n_cantidad,
        count(e.estado) OVER hasta AS n_estado,
        count(e.sitio) OVER hasta AS n_sitio,
        count(e.guardado) OVER hasta AS n_guardado,
        count(coalesce(e.costo_total, e.costo)) OVER hasta AS n_costo,
        count(e.linea) OVER hasta AS n_linea
    FROM evento AS e
    WINDOW hasta AS (PARTITION BY e.lote ORDER BY e.id)
),

lote AS (
    SELECT
        c.*,
        greatest(
            0,
            coalesce(max(c.cantidad) OVER (PARTITION BY c.lote, c.n_cantidad), 0)
            + sum(c.mas) OVER (PARTITION BY c.lote, c.n_cantidad ORDER BY c.id)
        ) AS tiene,
        coalesce(max(c.estado) OVER (PARTITION BY c.lote, c.n_estado), 'available') AS esta,
        coalesce(nullif(max(c.sitio) OVER (PARTITION BY c.lote, c.n_sitio), ''), 'sin-lugar') AS donde,
        max(c.guardado) OVER (PARTITION BY c.lote, c.n_guardado) = 'si' AS en_libros,
        max(c.linea) OVER (PARTITION BY c.lote, c.n_linea) AS de_linea
    FROM contado AS c
),

hay AS (
    SELECT
        l.*,
        CASE
            WHEN l.esta IN ('deleted', 'void', 'sold', 'fulfilled', 'merged', 'draft', 'disposed') THEN 0
            WHEN l.esta IN ('archived', 'expired') AND l.en_libros IS NOT TRUE THEN 0
            ELSE l.tiene
        END AS despues,
        first_value(coalesce(l.costo_total / nullif(l.tiene, 0), l.costo))
            OVER (PARTITION BY l.lote, l.n_costo ORDER BY l.id) AS cuesta
    FROM lote AS l
),

cambio AS (
    SELECT
        h.*,
        coalesce(p.state ->> 'catalog_item_id', h.lote) AS producto,
        p.xmin AS version_lote,
        coalesce(lag(h.despues) OVER suyo, 0) AS antes,
        h.despues - coalesce(lag(h.despues) OVER suyo, 0) AS delta,
        lag(h.esta) OVER suyo AS estaba,
        lag(h.donde) OVER suyo AS estaba_en,
        coalesce(max(h.despues) OVER (suyo ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) = 0 AS nace
    FROM hay AS h
    INNER JOIN empresa ON true
    LEFT JOIN public.projections AS p ON p.company_id = empresa.id AND p.entity_id = h.lote
    WINDOW suyo AS (PARTITION BY h.lote ORDER BY h.id)
),

documentado AS (
    SELECT
        c.*,
        CASE
            WHEN c.delta > 0 AND c.metadata ->> 'source_return_cn' IS NOT NULL THEN 'DEVOLUCION_VENTA'
            WHEN c.delta > 0 AND c.estaba = 'sold' THEN 'DEVOLUCION_VENTA'
            WHEN c.delta < 0 AND c.esta = 'sold' AND c.data ->> 'source_doc_id' IS NOT NULL THEN 'VENTA'
            WHEN c.delta > 0 AND c.metadata ->> 'source_doc' IS NOT NULL THEN 'ENTRADA_MERCANCIA'
            WHEN c.delta > 0 AND c.hecho = 'item.supplier_return_undone' THEN 'ENTRADA_MERCANCIA'
            WHEN c.delta < 0 AND c.hecho = 'item.returned_to_supplier' THEN 'DEVOLUCION_COMPRA'
            WHEN c.delta < 0 AND c.por = 'receive_undo' THEN 'DEVOLUCION_COMPRA'
        END AS tipo
    FROM cambio AS c
),

-- The sale, or the receipt, of a lot that an event takes back: the last one before it.
movido AS (
    SELECT
        d.*,
        max(d.id) FILTER (WHERE d.tipo = 'VENTA') OVER antes AS vendido_en,
        max(d.id) FILTER (WHERE d.tipo = 'ENTRADA_MERCANCIA') OVER antes AS recibido_en
    FROM documentado AS d
    WINDOW antes AS (PARTITION BY d.lote ORDER BY d.id)
)

SELECT
    m.id AS id_movimiento,
    m.tipo,
    m.producto AS id_producto,
    m.donde AS id_sucursal,
    NULL::text AS id_sucursal_destino,
    abs(m.delta) AS cantidad,
    CASE
        WHEN m.tipo IN ('VENTA', 'DEVOLUCION_VENTA') THEN round(vale.importe / abs(m.delta), 6)
    END AS precio_unitario,
    CASE
        WHEN m.tipo IN ('ENTRADA_MERCANCIA', 'DEVOLUCION_COMPRA')
            THEN round(coalesce(recibo.importe / m.delta, m.cuesta), 6)
    END AS costo_unitario,
    CASE
        WHEN m.tipo IN ('VENTA', 'DEVOLUCION_VENTA') THEN round(vale.importe, 6)
        WHEN m.tipo = 'ENTRADA_MERCANCIA' THEN round(coalesce(recibo.importe, m.cuesta * m.delta), 6)
    END AS importe,
    false AS precio_con_impuesto,
    m.ts AS fecha,
    false AS anulado,
    CASE
        WHEN m.tipo = 'DEVOLUCION_VENTA' AND m.estaba = 'sold' THEN m.vendido_en
        WHEN m.tipo = 'DEVOLUCION_VENTA' THEN vendido.id
        WHEN m.tipo = 'DEVOLUCION_COMPRA' AND m.por = 'receive_undo' THEN m.recibido_en
    END AS id_origen,
    m.doc AS id_documento,
    coalesce(d.state ->> 'doc_number', d.state ->> 'ref_id', m.data ->> 'doc_number', m.doc) AS documento,
    m.version_fila AS version_1,
    m.version_lote AS version_2,
    d.xmin AS version_3
FROM (
    SELECT
        v.*,
        coalesce(
            v.metadata ->> 'source_return_cn',
            v.data ->> 'source_doc_id',
            v.metadata ->> 'source_doc',
            v.metadata ->> 'source_receive_undo'
        ) AS doc
    FROM movido AS v
    WHERE v.tipo IS NOT NULL
) AS m
INNER JOIN empresa ON true
LEFT JOIN public.projections AS d ON d.company_id = empresa.id AND d.entity_id = m.doc
LEFT JOIN (
    SELECT
        v.lote,
        max(v.id) AS id
    FROM documentado AS v
    WHERE v.tipo = 'VENTA'
    GROUP BY v.lote
) AS vendido ON vendido.lote = m.metadata ->> 'valued_from'
-- In the books' currency, after the line's discount and its part of the document's, without taxes.
LEFT JOIN LATERAL (
    SELECT
        abs(m.delta) * linea.importe / nullif(linea.cantidad, 0)
        * (1 - coalesce(
            (d.state ->> 'discount_amount')::numeric / nullif((d.state ->> 'subtotal')::numeric, 0), 0
        ))
        * CASE
            WHEN upper(coalesce(d.state ->> 'currency', empresa.moneda)) = upper(empresa.moneda) THEN 1
            ELSE (d.state ->> 'conversion_rate')::float8::numeric
        END AS importe
    FROM (
        SELECT
            sum(u.importe) AS importe,
            sum(u.cantidad) AS cantidad
        FROM (
            SELECT
                coalesce(
                    nullif(i.value ->> 'line_total', '')::float8::numeric,
                    (i.value ->> 'quantity')::float8::numeric
                    * (i.value ->> 'unit_price')::float8::numeric
                ) AS importe,
                (i.value ->> 'quantity')::float8::numeric AS cantidad,
                -- A credit note's lines are told by what they are of.
                rank() OVER (
                    ORDER BY
                        m.metadata ->> 'source_return_cn' IS NULL
                        AND i.value ->> 'line_id' IS DISTINCT FROM m.de_linea,
                        coalesce(i.value ->> 'item_id', i.value ->> 'entity_id')
                        NOT IN (m.lote, m.metadata ->> 'valued_from'),
                        i.value ->> 'sku' IS DISTINCT FROM m.data ->> 'sku'
                ) AS orden
            FROM json_array_elements(
                CASE WHEN json_typeof(d.state -> 'line_items') = 'array' THEN d.state -> 'line_items' END
            ) AS i
        ) AS u
        WHERE u.orden = 1
    ) AS linea
) AS vale ON m.tipo IN ('VENTA', 'DEVOLUCION_VENTA')
-- Received into a lot that there was already: what the receipt of the same transaction says.
LEFT JOIN LATERAL (
    SELECT
        m.delta * sum((i.value ->> 'lot_cost_added')::float8::numeric)
        / nullif(sum((i.value ->> 'lot_quantity_added')::float8::numeric), 0) AS importe
    FROM public.ledger AS r
    CROSS JOIN LATERAL json_array_elements(r.data -> 'received_items') AS i
    WHERE r.company_id = empresa.id
        AND r.entity_id = m.doc
        AND r.event_type = 'doc.received'
        AND r.ts = m.ts
        AND i.value ->> 'item_id' = m.lote
) AS recibo ON m.hecho = 'item.quantity.adjusted' AND m.tipo = 'ENTRADA_MERCANCIA'
UNION ALL
SELECT
    t.id,
    'TRASLADO',
    t.producto,
    t.estaba_en,
    t.donde,
    least(t.antes, t.despues),
    NULL,
    NULL,
    NULL,
    false,
    t.ts,
    false,
    NULL,
    NULL,
    NULL,
    t.version_fila,
    t.version_lote,
    NULL::xid
FROM movido AS t
WHERE t.antes > 0 AND t.despues > 0 AND t.donde IS DISTINCT FROM t.estaba_en
UNION ALL
-- Negative, so that it is another one than that of a transfer or a document of the same event.
SELECT
    -a.id,
    CASE WHEN a.delta > 0 THEN 'AJUSTE_ENTRADA' ELSE 'AJUSTE_SALIDA' END,
    a.producto,
    a.donde,
    NULL,
    abs(a.delta),
    NULL,
    -- Stock of a lot that had none before has its own cost; what is found or comes back the average.
    CASE WHEN a.delta > 0 AND a.nacen THEN round(a.cuesta, 6) END,
    NULL,
    false,
    a.ts,
    false,
    NULL,
    a.lista,
    replace(a.lista, 'list:', ''),
    a.version_fila,
    a.version_lote,
    NULL::xid
FROM (
    SELECT
        min(s.id) AS id,
        s.ts,
        s.producto,
        s.donde,
        sum(s.delta) AS delta,
        max(coalesce(s.metadata ->> 'audit_id', s.metadata ->> 'writeoff_id')) AS lista,
        bool_and(s.nace) FILTER (WHERE s.delta > 0) AS nacen,
        sum(s.delta * s.cuesta) FILTER (WHERE s.delta > 0) / nullif(sum(s.delta) FILTER (WHERE s.delta > 0), 0)
            AS cuesta,
        (array_agg(s.version_fila ORDER BY age(s.version_fila)))[1] AS version_fila,
        (array_agg(s.version_lote ORDER BY age(s.version_lote)))[1] AS version_lote
    FROM movido AS s
    WHERE s.tipo IS NULL AND s.delta <> 0
    GROUP BY s.ts, s.producto, s.donde
    HAVING sum(s.delta) <> 0
) AS a
