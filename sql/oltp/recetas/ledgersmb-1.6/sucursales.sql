-- A line names no place: LedgerSMB's warehouses are of orders that wait for an invoice.
SELECT
    0::bigint AS id_sucursal,
    '' AS nombre,
    '0'::xid AS version_1
WHERE false
