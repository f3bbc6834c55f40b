-- Vendure's shipments as sales, what was cancelled after it had been shipped as returns, and what was
-- typed over a level of stock as adjustments. What is ordered or allocated, and not shipped yet, moves
-- nothing.
--
-- SALE and CANCELLATION of stock_movement are not used: of a line that is kept at two locations each
-- location has a row with the quantity of the whole line, a line that was never allocated has none, and
-- all of a location's go when it is closed. The lines of shipments and of cancellations stay.
SELECT
    d.id || CASE WHEN parte.numero > 1 THEN '-' || parte.numero ELSE '' END AS id_movimiento,
    d.tipo,
    coalesce(l."productVariantId", s."productVariantId") AS id_producto,
    parte.ubicacion AS id_sucursal,
    parte.cantidad,
    -- Of minor units. In another currency than the shop's it has none, and waits as a reject.
    CASE
        WHEN o."currencyCode" = canal."defaultCurrencyCode" THEN round(precio.de_una / 100, 6)
    END AS precio_unitario,
    NULL::numeric AS costo_unitario,
    -- Rounded to the minor unit, as Vendure does for the line.
    CASE
        WHEN o."currencyCode" = canal."defaultCurrencyCode"
            THEN round(
                l."listPrice" * parte.cantidad + precio.rebaja * parte.cantidad / precio.entre
            ) / 100
    END AS importe,
    precio.impuesto,
    l."listPriceIncludesTax" AS precio_con_impuesto,
    d.momento AT TIME ZONE zona.reset_val AS fecha,
    d.anulado,
    d.id_origen,
    l."orderId" AS id_documento,
    o.code || CASE
        WHEN o."currencyCode" <> canal."defaultCurrencyCode" THEN ', en ' || o."currencyCode"
        ELSE ''
    END AS documento,
    e.xmin AS version_1,
    f.xmin AS version_2,
    h.xmin AS version_3,
    s.xmin AS version_4,
    l.xmin AS version_5,
    o.xmin AS version_6
FROM (
    SELECT
        'E' || e.id AS id,
        'VENTA' AS tipo,
        e."orderLineId" AS linea,
        e.quantity::bigint AS cantidad,
        f."createdAt" AS momento,
        f.state IN ('Created', 'Cancelled') AS anulado,
        NULL AS id_origen,
        e.id AS fila,
        f.id AS envio
    FROM public.order_line_reference AS e
    INNER JOIN public.fulfillment AS f ON f.id = e."fulfillmentId"
    UNION ALL
    -- A line has come back as far as more was shipped than it is of now. That is told of its latest
    -- cancellations: those before took back what had not been shipped.
    SELECT
        c.id,
        'DEVOLUCION_VENTA',
        c.linea,
        least(c.cantidad, greatest(0, enviado.cantidad - c.queda - c.despues)),
        c.momento,
        false,
        enviado.ultimo,
        c.fila,
        enviado.cambiado
    FROM (
        SELECT
            'C' || h.id || '-' || q.numero AS id,
            l.id AS linea,
            l.quantity AS queda,
            (q.cual ->> 'quantity')::bigint AS cantidad,
            coalesce(sum((q.cual ->> 'quantity')::bigint) OVER (
                PARTITION BY l.id
                ORDER BY h."createdAt" DESC, h.id DESC, q.numero DESC
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0)::bigint AS despues,
            h."createdAt" AS momento,
            h.id AS fila
        FROM public.history_entry AS h
        CROSS JOIN LATERAL jsonb_array_elements(
            CASE WHEN h.type = 'ORDER_CANCELLATION' THEN h.data::jsonb -> 'lines' END
        ) WITH ORDINALITY AS q (cual, numero)
        INNER JOIN public.order_line AS l
            ON l."orderId" = h."orderId" AND l.id::text = q.cual ->> 'orderLineId'
    ) AS c
    CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(e.quantity) FILTER (WHERE f.state NOT IN ('Created', 'Cancelled')), 0)::bigint
                AS cantidad,
            'E' || (
                array_agg(e.id ORDER BY f."createdAt" DESC, e.id DESC)
                FILTER (WHERE f.state NOT IN ('Created', 'Cancelled') AND f."createdAt" <= c.momento)
            )[1] AS ultimo,
            -- Of several shipments the one that was written last tells of a change.
            (array_agg(f.id ORDER BY age(f.xmin)))[1] AS cambiado
        FROM public.order_line_reference AS e
        INNER JOIN public.fulfillment AS f ON f.id = e."fulfillmentId"
        WHERE e."orderLineId" = c.linea
    ) AS enviado
    UNION ALL
    SELECT
        'M' || s.id,
        CASE WHEN s.quantity < 0 THEN 'AJUSTE_SALIDA' ELSE 'AJUSTE_ENTRADA' END,
        NULL,
        abs(s.quantity)::bigint,
        s."createdAt",
        false,
        NULL,
        s.id,
        NULL
    FROM public.stock_movement AS s
    WHERE s.type = 'ADJUSTMENT'
) AS d
-- Each version is that of a table: of a restored shop all may be of one transaction.
LEFT JOIN public.order_line_reference AS e ON e.id = d.fila AND d.tipo = 'VENTA'
LEFT JOIN public.fulfillment AS f ON f.id = d.envio
LEFT JOIN public.history_entry AS h ON h.id = d.fila AND d.tipo = 'DEVOLUCION_VENTA'
LEFT JOIN public.stock_movement AS s ON s.id = d.fila AND d.linea IS NULL
LEFT JOIN public.order_line AS l ON l.id = d.linea
LEFT JOIN public."order" AS o ON o.id = l."orderId"
CROSS JOIN LATERAL (
    SELECT
        l."listPrice" + descontado.rebaja / descontado.entre AS de_una,
        descontado.rebaja,
        descontado.entre,
        (
            SELECT sum((t ->> 'taxRate')::numeric) / 100
            FROM jsonb_array_elements(l."taxLines"::jsonb) AS t
        ) AS impuesto
    FROM (
        SELECT
            coalesce(sum((a ->> 'amount')::numeric), 0) AS rebaja,
            -- What was ordered, of which the discounts are; a line that was added later has none.
            coalesce(nullif(greatest(l."orderPlacedQuantity", l.quantity), 0), d.cantidad, 1) AS entre
        FROM jsonb_array_elements(l.adjustments::jsonb) AS a
    ) AS descontado
) AS precio
-- Where it was allocated, first what was allocated first, as Vendure takes it; where it was not, or
-- where that location is no more, at the first.
CROSS JOIN LATERAL (
    SELECT
        u.ubicacion,
        u.cantidad,
        row_number() OVER (ORDER BY u.antes) AS numero
    FROM (
        SELECT
            a.ubicacion,
            sum(least(a.cantidad, d.cantidad - a.antes))::bigint AS cantidad,
            min(a.antes) AS antes
        FROM (
            SELECT
                s."stockLocationId" AS ubicacion,
                s.quantity AS cantidad,
                sum(s.quantity) OVER (ORDER BY s."createdAt", b."createdAt", s.id) - s.quantity AS antes
            FROM public.stock_movement AS s
            INNER JOIN public.stock_location AS b ON b.id = s."stockLocationId"
            WHERE s."orderLineId" = d.linea
                AND s.type = 'ALLOCATION'
                AND s."createdAt" <= d.momento
        ) AS a
        WHERE a.antes < d.cantidad
        GROUP BY a.ubicacion
        UNION ALL
        SELECT s."stockLocationId", d.cantidad, 0
        WHERE d.linea IS NULL
        UNION ALL
        SELECT
            (SELECT b.id FROM public.stock_location AS b ORDER BY b."createdAt", b.id LIMIT 1),
            greatest(0, d.cantidad - asignado.cantidad),
            asignado.cantidad
        FROM (
            SELECT coalesce(sum(s.quantity), 0)::bigint AS cantidad
            FROM public.stock_movement AS s
            WHERE s."orderLineId" = d.linea
                AND s.type = 'ALLOCATION'
                AND s."createdAt" <= d.momento
        ) AS asignado
        WHERE d.linea IS NOT NULL AND (asignado.cantidad < d.cantidad OR d.cantidad = 0)
    ) AS u
) AS parte
INNER JOIN public.channel AS canal ON canal.code = '__default_channel__'
-- PostgreSQL writes these times, by its own clock and in its own zone.
INNER JOIN pg_catalog.pg_settings AS zona ON zona.name = 'TimeZone'
