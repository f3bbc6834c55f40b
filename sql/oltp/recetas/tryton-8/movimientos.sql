-- Tryton's moves as movements. A move is between two locations: what it is follows from which of
-- them is the shop's own (type storage), and from what the other is. Goods that only change zone
-- within a warehouse (input, storage, output) are no movement: so a delivery, which is two moves,
-- counts once. Nor is what enters no location of the shop's, such as a drop shipment, or goods that a
-- supplier keeps on consignment below the shop's storage, which are of type supplier.
--
-- Needs the modules stock, sale and purchase. Of several companies the first is carried, and the
-- moves of the others are listed as out of scope: for another, change the line of tipo.
SELECT
    m.id AS id_movimiento,
    CASE
        WHEN m.company <> (SELECT min(c.id) FROM public.company_company AS c)
            THEN 'de otra empresa'
        WHEN desde.type = 'storage' AND hasta.type = 'storage' THEN 'TRASLADO'
        WHEN hasta.type = 'storage' AND desde.type = 'supplier' THEN 'ENTRADA_MERCANCIA'
        WHEN hasta.type = 'storage' AND desde.type = 'customer' THEN 'DEVOLUCION_VENTA'
        WHEN desde.type = 'storage' AND hasta.type = 'customer' THEN 'VENTA'
        WHEN desde.type = 'storage' AND hasta.type = 'supplier' THEN 'DEVOLUCION_COMPRA'
        -- Production, inventories (lost and found), waste.
        WHEN hasta.type = 'storage' THEN 'AJUSTE_ENTRADA'
        WHEN desde.type = 'storage' THEN 'AJUSTE_SALIDA'
    END AS tipo,
    m.product AS id_producto,
    CASE
        WHEN desde.type = 'storage' THEN coalesce(de_donde.id, desde.id)
        ELSE coalesce(a_donde.id, hasta.id)
    END AS id_sucursal,
    CASE
        WHEN desde.type = 'storage' AND hasta.type = 'storage' THEN coalesce(a_donde.id, hasta.id)
    END AS id_sucursal_destino,
    -- In the product's unit, rounded to its digits: what Tryton sums its own stock of.
    m.internal_quantity AS cantidad,
    CASE
        WHEN desde.type = 'customer' OR hasta.type = 'customer'
            THEN pagado.precio * en.factor::numeric / de.factor::numeric
    END AS precio_unitario,
    CASE
        WHEN desde.type <> 'customer' AND hasta.type <> 'customer'
            THEN pagado.precio * en.factor::numeric / de.factor::numeric
    END AS costo_unitario,
    -- In the unit that was typed, before it was rounded to the product's. A line that was rounded
    -- to nothing has none, and moves nothing.
    CASE
        WHEN m.internal_quantity <> 0 THEN m.quantity::numeric * pagado.precio
    END AS importe,
    false AS precio_con_impuesto,
    m.effective_date AS fecha,
    m.state IS DISTINCT FROM 'done'
    OR (desde.type <> 'storage' AND hasta.type <> 'storage')
    OR (
        desde.type = 'storage'
        AND hasta.type = 'storage'
        AND coalesce(de_donde.id = a_donde.id, false)
    ) AS anulado,
    -- A return names its sale or purchase, not the line: the first move of that for the product, of
    -- the same lot if it has one. Without Tryton's module of lots the table has no such column.
    CASE
        WHEN desde.type = 'customer' AND m.origin LIKE 'sale.line,%' THEN (
            SELECT o.id
            FROM public.sale_line AS devuelta
            INNER JOIN public.sale_sale AS v ON v.id = devuelta.sale
            INNER JOIN public.sale_line AS vendida
                ON vendida.sale = split_part(v.origin, ',', 2)::integer
                AND vendida.product = devuelta.product
            INNER JOIN public.stock_move AS o ON o.origin = 'sale.line,' || vendida.id
            WHERE v.origin LIKE 'sale.sale,%'
                AND devuelta.id = split_part(m.origin, ',', 2)::integer
            ORDER BY to_jsonb(o) ->> 'lot' IS DISTINCT FROM to_jsonb(m) ->> 'lot', o.id
            LIMIT 1
        )
        WHEN hasta.type = 'supplier' AND m.origin LIKE 'purchase.line,%' THEN (
            SELECT o.id
            FROM public.purchase_line AS devuelta
            INNER JOIN public.purchase_purchase AS c ON c.id = devuelta.purchase
            INNER JOIN public.purchase_line AS comprada
                ON comprada.purchase = split_part(c.origin, ',', 2)::integer
                AND comprada.product = devuelta.product
            INNER JOIN public.stock_move AS o ON o.origin = 'purchase.line,' || comprada.id
            WHERE c.origin LIKE 'purchase.purchase,%'
                AND devuelta.id = split_part(m.origin, ',', 2)::integer
            ORDER BY to_jsonb(o) ->> 'lot' IS DISTINCT FROM to_jsonb(m) ->> 'lot', o.id
            LIMIT 1
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
    desde.xmin AS version_2,
    hasta.xmin AS version_3,
    suya.xmin AS version_4,
    ajena.xmin AS version_5
FROM public.stock_move AS m
INNER JOIN public.stock_location AS desde ON desde.id = m.from_location
INNER JOIN public.stock_location AS hasta ON hasta.id = m.to_location
-- The warehouse that each is in; goods on the road are in none, and their location stands for one.
LEFT JOIN LATERAL (
    SELECT w.id
    FROM public.stock_location AS w
    WHERE w.type = 'warehouse' AND w."left" < desde."left" AND w."right" > desde."right"
    ORDER BY w."left" DESC
    LIMIT 1
) AS de_donde ON true
LEFT JOIN LATERAL (
    SELECT w.id
    FROM public.stock_location AS w
    WHERE w.type = 'warehouse' AND w."left" < hasta."left" AND w."right" > hasta."right"
    ORDER BY w."left" DESC
    LIMIT 1
) AS a_donde ON true
INNER JOIN public.company_company AS empresa ON empresa.id = m.company
INNER JOIN public.product_product AS p ON p.id = m.product
INNER JOIN public.product_template AS t ON t.id = p.template
-- The factors of a unit that was used, and the unit of a product that was moved, never change.
INNER JOIN public.product_uom AS de ON de.id = m.unit
INNER JOIN public.product_uom AS en ON en.id = t.default_uom
-- Into the company's currency, at the rates of the day.
LEFT JOIN public.currency_currency_rate AS suya
    ON m.currency <> empresa.currency
    AND suya.id = (
        SELECT r.id
        FROM public.currency_currency_rate AS r
        WHERE r.currency = empresa.currency AND r.date <= m.effective_date
        ORDER BY r.date DESC
        LIMIT 1
    )
LEFT JOIN public.currency_currency_rate AS ajena
    ON m.currency <> empresa.currency
    AND ajena.id = (
        SELECT r.id
        FROM public.currency_currency_rate AS r
        WHERE r.currency = m.currency AND r.date <= m.effective_date
        ORDER BY r.date DESC
        LIMIT 1
    )
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN m.currency = empresa.currency THEN m.unit_price
            ELSE m.unit_price * suya.rate / ajena.rate
        END AS precio
) AS pagado
