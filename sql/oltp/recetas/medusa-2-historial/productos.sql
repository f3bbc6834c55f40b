-- Medusa's inventory items, by the name of the variant that they are kept for: of several, the one of the
-- same SKU, else the one that takes fewest of it, which is no kit. Besides, the variants of which no
-- stock is kept, and one product for all lines of an order that are of no variant.
SELECT
    i.id AS id_producto,
    nullif(i.sku, '') AS codigo,
    coalesce(de.nombre, i.title, i.sku, i.id) AS nombre,
    categoria.name AS categoria,
    true AS inventariable,
    i.deleted_at IS NULL AND de.borrado IS NOT TRUE AS activo,
    i.xmin AS version_1,
    de.version_1 AS version_2,
    de.version_2 AS version_3,
    de.version_3 AS version_4,
    puesta.xmin AS version_5,
    categoria.xmin AS version_6
FROM public.inventory_item AS i
LEFT JOIN LATERAL (
    SELECT
        p.id,
        p.title || CASE WHEN v.title IN ('', 'Default', 'Default variant', 'Default Variant', p.title)
            THEN '' ELSE ' ' || v.title END AS nombre,
        v.deleted_at IS NOT NULL OR p.deleted_at IS NOT NULL AS borrado,
        u.xmin AS version_1,
        v.xmin AS version_2,
        p.xmin AS version_3
    FROM public.product_variant_inventory_item AS u
    INNER JOIN public.product_variant AS v ON v.id = u.variant_id
    INNER JOIN public.product AS p ON p.id = v.product_id
    WHERE u.inventory_item_id = i.id
    ORDER BY
        u.deleted_at IS NOT NULL AND i.deleted_at IS NULL,
        v.sku IS DISTINCT FROM i.sku,
        u.required_quantity,
        u.created_at,
        u.id
    LIMIT 1
) AS de ON true
-- Of several categories the one that was made first.
LEFT JOIN public.product_category_product AS puesta
    ON puesta.product_id = de.id
    AND puesta.product_category_id = (
        SELECT min(k.product_category_id)
        FROM public.product_category_product AS k
        WHERE k.product_id = de.id
    )
LEFT JOIN public.product_category AS categoria ON categoria.id = puesta.product_category_id
UNION ALL
SELECT
    v.id,
    nullif(v.sku, ''),
    p.title || CASE WHEN v.title IN ('', 'Default', 'Default variant', 'Default Variant', p.title)
        THEN '' ELSE ' ' || v.title END,
    categoria.name,
    false,
    v.deleted_at IS NULL AND p.deleted_at IS NULL,
    v.xmin,
    p.xmin,
    puesta.xmin,
    categoria.xmin,
    NULL::xid,
    NULL::xid
FROM public.product_variant AS v
INNER JOIN public.product AS p ON p.id = v.product_id
LEFT JOIN public.product_category_product AS puesta
    ON puesta.product_id = p.id
    AND puesta.product_category_id = (
        SELECT min(k.product_category_id)
        FROM public.product_category_product AS k
        WHERE k.product_id = p.id
    )
LEFT JOIN public.product_category AS categoria ON categoria.id = puesta.product_category_id
WHERE NOT v.manage_inventory
    OR NOT EXISTS (
        SELECT 1
        FROM public.product_variant_inventory_item AS u
        WHERE u.variant_id = v.id
    )
    -- Stock is kept of it today, and was not when it was sold.
    OR EXISTS (
        SELECT 1
        FROM public.order_line_item AS l
        INNER JOIN public.fulfillment_item AS s ON s.line_item_id = l.id
        INNER JOIN public.order_fulfillment AS f ON f.fulfillment_id = s.fulfillment_id
        WHERE l.variant_id = v.id AND s.inventory_item_id IS NULL
    )
UNION ALL
SELECT
    'sin-variante',
    NULL,
    'Sin variante',
    NULL,
    false,
    true,
    t.xmin,
    NULL::xid,
    NULL::xid,
    NULL::xid,
    NULL::xid,
    NULL::xid
FROM public.store AS t
WHERE t.id = (SELECT min(z.id) FROM public.store AS z)
