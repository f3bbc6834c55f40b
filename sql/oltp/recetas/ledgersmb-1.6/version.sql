-- Which LedgerSMB made this database, or upgraded it last.
-- It wants this setting beside:
-- ETL_PRICES_INCLUDE_TAX=false
SELECT
    'LedgerSMB' AS sistema,
    d.value AS version,
    '1.6.33' AS probadas
FROM public.defaults AS d
WHERE d.setting_key = 'version'
