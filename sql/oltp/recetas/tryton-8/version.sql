-- Which Tryton the shop runs: the series, which is all that its database tells, and those that
-- these queries were tried with. 7.0 does not tell it: it is the one whose exports have records, which
-- came with it, and whose access to fields names no model, as 7.2's does.
-- It wants this setting beside:
-- ETL_PRICES_INCLUDE_TAX=false
SELECT
    'Tryton' AS sistema,
    coalesce(
        to_jsonb(c) ->> 'series',
        CASE
            WHEN EXISTS (
                SELECT 1
                FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = to_regclass('public.ir_export') AND a.attname = 'records'
            )
            AND NOT EXISTS (
                SELECT 1
                FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = to_regclass('public.ir_model_field_access') AND a.attname = 'model'
            )
                THEN '7.0'
        END
    ) AS version,
    '7.0, 8.2' AS probadas
FROM public.ir_configuration AS c
