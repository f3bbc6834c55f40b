-- Warehouses are of what is shipped, and invoices need none.
SELECT
    0::bigint AS id_sucursal,
    '' AS nombre,
    '0'::xid AS version_1
WHERE false
