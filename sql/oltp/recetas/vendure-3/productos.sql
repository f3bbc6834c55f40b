-- Vendure's variants, by the name of the default channel's language, else of the first that there is.
-- Of several collections the one that was made first.
SELECT
    v.id AS id_producto,
    nullif(v.sku, '') AS codigo,
    coalesce(nullif(x.name, ''), v.sku) AS nombre,
    k.name AS categoria,
    -- What Vendure keeps no stock of is sold and is none.
    CASE v."trackInventory" WHEN 'TRUE' THEN true WHEN 'FALSE' THEN false ELSE todo."trackInventory" END
        AS inventariable,
    v."deletedAt" IS NULL AND p."deletedAt" IS NULL AS activo,
    v.xmin AS version_1,
    p.xmin AS version_2,
    x.xmin AS version_3,
    puesta.xmin AS version_4,
    k.xmin AS version_5
FROM public.product_variant AS v
LEFT JOIN public.product AS p ON p.id = v."productId"
INNER JOIN public.channel AS canal ON canal.code = '__default_channel__'
CROSS JOIN public.global_settings AS todo
LEFT JOIN public.product_variant_translation AS x
    ON x.id = (
        SELECT t.id
        FROM public.product_variant_translation AS t
        WHERE t."baseId" = v.id
        ORDER BY t."languageCode" <> canal."defaultLanguageCode", t."languageCode"
        LIMIT 1
    )
LEFT JOIN public.collection_product_variants_product_variant AS puesta
    ON puesta."productVariantId" = v.id
    AND puesta."collectionId" = (
        SELECT c.id
        FROM public.collection_product_variants_product_variant AS e
        INNER JOIN public.collection AS c ON c.id = e."collectionId"
        WHERE e."productVariantId" = v.id AND NOT c."isRoot"
        ORDER BY c."createdAt", c.id
        LIMIT 1
    )
LEFT JOIN public.collection_translation AS k
    ON k.id = (
        SELECT t.id
        FROM public.collection_translation AS t
        WHERE t."baseId" = puesta."collectionId"
        ORDER BY t."languageCode" <> canal."defaultLanguageCode", t."languageCode"
        LIMIT 1
    )
