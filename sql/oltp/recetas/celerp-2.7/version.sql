-- Which Celerp the shop runs: the newest release that has worked on its database.
-- It wants this setting beside:
-- ETL_PRICES_INCLUDE_TAX=false
SELECT
    'Celerp' AS sistema,
    m.value AS version,
    '2.7' AS probadas
FROM public.instance_meta AS m
WHERE m.key = 'newest_celerp_version'
