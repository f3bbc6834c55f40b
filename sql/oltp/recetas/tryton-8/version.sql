-- Which Tryton the shop runs: the series, which is all that its database tells, and those that
-- these queries were tried with.
-- It wants this setting beside:
-- ETL_PRICES_INCLUDE_TAX=false
SELECT
    'Tryton' AS sistema,
    c.series AS version,
    '8.2' AS probadas
FROM public.ir_configuration AS c
