-- Which Vendure the shop runs. Its database does not say so: the tables that these queries read do, with
-- the columns that Vendure gives them, whichever ids the shop has. Of a shop that keeps money in another
-- kind of number, or of one before 3.6, they are others.
-- It wants this setting beside:
-- ETL_PRICES_INCLUDE_TAX=false
SELECT
    'Vendure' AS sistema,
    CASE
        WHEN tabla.columnas = 'ecd07ce53ca8953cc106ccf2d34dba84' THEN '3.7'
        WHEN to_regclass('public.asset_translation') IS NULL THEN '< 3.6'
    END AS version,
    '3.7' AS probadas
FROM public.channel AS canal
CROSS JOIN (
    SELECT
        md5(string_agg(
            c.relname || '.' || a.attname
            || CASE WHEN a.attname ~ '(^id|Id)$' THEN '' ELSE ' ' || format_type(a.atttypid, a.atttypmod) END,
            ',' ORDER BY c.relname, a.attname
        )) AS columnas
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace
        AND c.relname IN (
            'api_key', 'asset', 'asset_translation', 'channel', 'collection',
            'collection_product_variants_product_variant', 'collection_translation', 'fulfillment',
            'global_settings', 'history_entry', 'order', 'order_line', 'order_line_reference', 'product',
            'product_option_channels_channel', 'product_variant', 'product_variant_translation',
            'stock_level', 'stock_location', 'stock_movement'
        )
        AND a.attname !~ '^customFields'
) AS tabla
WHERE canal.code = '__default_channel__'
