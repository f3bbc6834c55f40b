-- django-oscar's order lines as sales, when they are placed: that is when its own stock, less what is
-- allocated, goes down. It keeps no receipts and no returns of goods: what comes in is told by
-- existencias.sql alone.
--
-- A line keeps its partner's SKU whatever becomes of the product and of the partner, while its links
-- to both are emptied when they are deleted: so the SKU is the product here.
SELECT
    l.id AS id_movimiento,
    'VENTA' AS tipo,
    l.partner_sku AS id_producto,
    NULL::bigint AS id_sucursal,
    l.quantity AS cantidad,
    l.unit_price_excl_tax AS precio_unitario,
    NULL::numeric AS costo_unitario,
    o.date_placed AS fecha,
    -- The words for what is cancelled are the shop's own, in OSCAR_ORDER_STATUS_PIPELINE
    -- and OSCAR_LINE_STATUS_PIPELINE: here those of its example shop.
    o.status IN ('Cancelled', 'Canceled') OR l.status IN ('Cancelled', 'Canceled') AS anulado,
    -- After discounts.
    l.line_price_excl_tax AS importe,
    false AS precio_con_impuesto,
    l.order_id AS id_documento,
    o.number AS documento,
    l.xmin AS version_1,
    o.xmin AS version_2
FROM public.order_line AS l
INNER JOIN public.order_order AS o ON o.id = l.order_id
