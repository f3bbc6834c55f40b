-- Tryton's moves as movements. A move is between two locations: what it is follows from which of
-- them is the shop's own (type storage), and from what the other is. Goods that only change zone
-- within a warehouse (input, storage, output) are no movement, nor are drop shipments, which enter
-- no location of the shop's: so a delivery, which is two moves, counts once.
--
-- Needs the modules stock, sale and purchase. Of several companies the first is carried, and the
-- moves of the others are listed as out of scope: for another, change the line of tipo.
WITH lugar AS MATERIALIZED (
    -- A location of the shop's, with the warehouse that it is in; goods on the road are in a
    -- location of their own, outside all warehouses.
    SELECT
        l.id,
        l.type,
        l.type = 'storage' AS propio,
        coalesce(
            (
                SELECT w.id
                FROM public.stock_location AS w
                WHERE w.type = 'warehouse' AND w."left" < l."left" AND w."right" > l."right"
                ORDER BY w."left" DESC
                LIMIT 1
            ),
            l.id
        ) AS sucursal,
        l.xmin AS version
    FROM public.stock_location AS l
)

SELECT
    m.id AS id_movimiento,
    CASE
        WHEN m.company <> (SELECT min(c.id) FROM public.company_company AS c)
            THEN 'de otra empresa'
        WHEN desde.propio AND hasta.propio THEN 'TRASLADO'
        WHEN hasta.propio AND desde.type = 'supplier' THEN 'ENTRADA_MERCANCIA'
        WHEN hasta.propio AND desde.type = 'customer' THEN 'DEVOLUCION_VENTA'
        WHEN desde.propio AND hasta.type = 'customer' THEN 'VENTA'
        WHEN desde.propio AND hasta.type = 'supplier' THEN 'DEVOLUCION_COMPRA'
        -- Production, inventories (lost and found), waste.
        WHEN hasta.propio THEN 'AJUSTE_ENTRADA'
        WHEN desde.propio THEN 'AJUSTE_SALIDA'
    END AS tipo,
    m.product AS id_producto,
    CASE WHEN desde.propio THEN desde.sucursal ELSE hasta.sucursal END AS id_sucursal,
    CASE WHEN desde.propio AND hasta.propio THEN hasta.sucursal END AS id_sucursal_destino,
    -- In the product's unit, rounded to its digits: what Tryton sums its own stock of.
    m.internal_quantity AS cantidad,
    CASE
        WHEN desde.type = 'customer' OR hasta.type = 'customer'
            THEN m.unit_price * en.factor::numeric * cambio.suya / (de.factor::numeric * cambio.ajena)
    END AS precio_unitario,
    CASE
        WHEN desde.type <> 'customer' AND hasta.type <> 'customer'
            THEN m.unit_price * en.factor::numeric * cambio.suya / (de.factor::numeric * cambio.ajena)
    END AS costo_unitario,
    -- In the unit that was typed, before it was rounded to the product's. A line that was rounded
    -- to nothing has none, and moves nothing.
    CASE
        WHEN m.internal_quantity <> 0 THEN m.quantity::numeric * m.unit_price * cambio.suya / cambio.ajena
    END AS importe,
    false AS precio_con_impuesto,
    m.effective_date AS fecha,
    m.state IS DISTINCT FROM 'done'
    OR NOT (desde.propio OR hasta.propio)
    OR (desde.propio AND hasta.propio AND desde.sucursal = hasta.sucursal) AS anulado,
    -- A return names its sale or purchase, not the line: the first move of that for the product.
    CASE
        WHEN desde.type = 'customer' AND m.origin LIKE 'sale.line,%' THEN (
            SELECT min(o.id)
            FROM public.sale_line AS devuelta
            INNER JOIN public.sale_sale AS v ON v.id = devuelta.sale
            INNER JOIN public.sale_line AS vendida
                ON vendida.sale = split_part(v.origin, ',', 2)::integer
                AND vendida.product = devuelta.product
            INNER JOIN public.stock_move AS o ON o.origin = 'sale.line,' || vendida.id
            WHERE v.origin LIKE 'sale.sale,%'
                AND devuelta.id = split_part(m.origin, ',', 2)::integer
        )
        WHEN hasta.type = 'supplier' AND m.origin LIKE 'purchase.line,%' THEN (
            SELECT min(o.id)
            FROM public.purchase_line AS devuelta
            INNER JOIN public.purchase_purchase AS c ON c.id = devuelta.purchase
            INNER JOIN public.purchase_line AS comprada
                ON comprada.purchase = split_part(c.origin, ',', 2)::integer
                AND comprada.product = devuelta.product
            INNER JOIN public.stock_move AS o ON o.origin = 'purchase.line,' || comprada.id
            WHERE c.origin LIKE 'purchase.purchase,%'
                AND devuelta.id = split_part(m.origin, ',', 2)::integer
        )
    END AS id_origen,
    m.shipment AS id_documento,
    CASE split_part(coalesce(m.shipment, m.origin), ',', 1)
        WHEN 'stock.shipment.in' THEN (
            SELECT s.number
            FROM public.stock_shipment_in AS s
            WHERE s.id = split_part(m.shipment, ',', 2)::integer
        )
        WHEN 'stock.shipment.in.return' THEN (
            SELECT s.number
            FROM public.stock_shipment_in_return AS s
            WHERE s.id = split_part(m.shipment, ',', 2)::integer
        )
        WHEN 'stock.shipment.out' THEN (
            SELECT s.number
            FROM public.stock_shipment_out AS s
            WHERE s.id = split_part(m.shipment, ',', 2)::integer
        )
        WHEN 'stock.shipment.out.return' THEN (
            SELECT s.number
            FROM public.stock_shipment_out_return AS s
            WHERE s.id = split_part(m.shipment, ',', 2)::integer
        )
        WHEN 'stock.shipment.internal' THEN (
            SELECT s.number
            FROM public.stock_shipment_internal AS s
            WHERE s.id = split_part(m.shipment, ',', 2)::integer
        )
        WHEN 'stock.inventory.line' THEN (
            SELECT i.number
            FROM public.stock_inventory_line AS l
            INNER JOIN public.stock_inventory AS i ON i.id = l.inventory
            WHERE l.id = split_part(m.origin, ',', 2)::integer
        )
    END AS documento,
    m.xmin AS version_1,
    desde.version AS version_2,
    hasta.version AS version_3,
    cambio.version AS version_4
FROM public.stock_move AS m
INNER JOIN lugar AS desde ON desde.id = m.from_location
INNER JOIN lugar AS hasta ON hasta.id = m.to_location
INNER JOIN public.company_company AS empresa ON empresa.id = m.company
INNER JOIN public.product_product AS p ON p.id = m.product
INNER JOIN public.product_template AS t ON t.id = p.template
-- The factors of a unit that was used, and the unit of a product that was moved, never change.
INNER JOIN public.product_uom AS de ON de.id = m.unit
INNER JOIN public.product_uom AS en ON en.id = t.default_uom
-- Into the company's currency, at the rates of the day.
LEFT JOIN LATERAL (
    SELECT
        1::numeric AS suya,
        1::numeric AS ajena,
        NULL::xid AS version
    WHERE m.currency = empresa.currency
    UNION ALL
    (
        SELECT
            a.rate,
            b.rate,
            CASE WHEN age(a.xmin) < age(b.xmin) THEN a.xmin ELSE b.xmin END
        FROM public.currency_currency_rate AS a
        INNER JOIN public.currency_currency_rate AS b ON b.currency = m.currency
        WHERE m.currency <> empresa.currency
            AND a.currency = empresa.currency
            AND a.date <= m.effective_date
            AND b.date <= m.effective_date
        ORDER BY a.date DESC, b.date DESC
        LIMIT 1
    )
) AS cambio ON true
