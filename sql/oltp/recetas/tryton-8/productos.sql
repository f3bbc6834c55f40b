-- Tryton's variants. A name is what it was typed as in the database's first language; in another
-- language it stands in ir_translation, and is not to be shown where it is marked as fuzzy. Here
-- Spanish goes before; a shop that works in another language changes that line.
SELECT
    p.id AS id_producto,
    nullif(p.code, '') AS codigo,
    coalesce(CASE WHEN NOT x.fuzzy THEN nullif(x.value, '') END, t.name) AS nombre,
    categoria.name AS categoria,
    t.type <> 'service' AS inventariable,
    p.active AND t.active AS activo,
    p.xmin AS version_1,
    t.xmin AS version_2,
    x.xmin AS version_3,
    puesta.xmin AS version_4,
    categoria.xmin AS version_5
FROM public.product_product AS p
INNER JOIN public.product_template AS t ON t.id = p.template
LEFT JOIN public.ir_translation AS x
    ON x.id = (
        SELECT n.id
        FROM public.ir_translation AS n
        WHERE n.type = 'model'
            AND n.name = 'product.template,name'
            AND n.res_id = t.id
            AND n.lang LIKE 'es%'
        ORDER BY n.fuzzy, n.lang
        LIMIT 1
    )
-- Of several categories the one that was made first.
LEFT JOIN public."product_template-product_category" AS puesta
    ON puesta.id = (
        SELECT v.id
        FROM public."product_template-product_category" AS v
        INNER JOIN public.product_category AS c ON c.id = v.category
        WHERE v.template = t.id AND c.accounting IS NOT TRUE
        ORDER BY v.category, v.id
        LIMIT 1
    )
LEFT JOIN public.product_category AS categoria ON categoria.id = puesta.category
