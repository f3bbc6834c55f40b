-- What can be sold, by its partner's SKU; and what was sold and is no more, as its last line has it.
SELECT
    s.partner_sku AS id_producto,
    coalesce(nullif(p.upc, ''), s.partner_sku) AS codigo,
    coalesce(nullif(p.title, ''), padre.title) AS nombre,
    k.name AS categoria,
    coalesce(clase.track_stock, true) AS inventariable,
    true AS activo,
    s.xmin AS version_1,
    p.xmin AS version_2,
    padre.xmin AS version_3,
    clase.xmin AS version_4,
    puesta.xmin AS version_5,
    k.xmin AS version_6
FROM public.partner_stockrecord AS s
INNER JOIN public.catalogue_product AS p ON p.id = s.product_id
LEFT JOIN public.catalogue_product AS padre ON padre.id = p.parent_id
LEFT JOIN public.catalogue_productclass AS clase
    ON clase.id = coalesce(p.product_class_id, padre.product_class_id)
LEFT JOIN public.catalogue_productcategory AS puesta
    ON puesta.id = (
        SELECT min(c.id)
        FROM public.catalogue_productcategory AS c
        WHERE c.product_id = coalesce(p.parent_id, p.id)
    )
LEFT JOIN public.catalogue_category AS k ON k.id = puesta.category_id
-- Two partners may have one SKU.
WHERE NOT EXISTS (
    SELECT 1
    FROM public.partner_stockrecord AS otra
    WHERE otra.partner_sku = s.partner_sku AND otra.id < s.id
)
UNION ALL
SELECT
    l.partner_sku,
    coalesce(nullif(l.upc, ''), l.partner_sku),
    l.title,
    NULL,
    true,
    false,
    l.xmin,
    NULL::xid,
    NULL::xid,
    NULL::xid,
    NULL::xid,
    NULL::xid
FROM public.order_line AS l
WHERE NOT EXISTS (
    SELECT 1
    FROM public.partner_stockrecord AS s
    WHERE s.partner_sku = l.partner_sku
)
AND NOT EXISTS (
    SELECT 1
    FROM public.order_line AS otra
    WHERE otra.partner_sku = l.partner_sku AND otra.id > l.id
)
