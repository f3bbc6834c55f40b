-- Which SQL-Ledger the dataset is of, as it says itself: 3.2.6 keeps its data as since 3.2.1.
-- It wants this setting beside:
-- ETL_PRICES_INCLUDE_TAX=false
SELECT
    'SQL-Ledger' AS sistema,
    d.fldvalue AS version,
    '3.2.1' AS probadas
FROM public.defaults AS d
WHERE d.fldname = 'version'
