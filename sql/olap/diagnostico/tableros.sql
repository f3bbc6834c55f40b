-- What the dashboards' account, which asks this, may SELECT in dw and etl: each view that it is
-- promised, there or not, and every other table, since the ledger itself is not for it.
SELECT
    v.objeto AS relacion,
    true AS prometida,
    coalesce(
        has_schema_privilege(c.relnamespace, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
        false
    ) AS legible
FROM dw.concesiones('bi_lector') AS v
LEFT JOIN (
    pg_class AS c INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
) ON n.nspname || '.' || c.relname = v.objeto
WHERE v.permiso = 'SELECT'
UNION ALL
SELECT
    n.nspname || '.' || c.relname,
    false,
    has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('dw', 'etl') AND c.relkind IN ('r', 'p', 'f')
    AND NOT EXISTS (
        SELECT FROM dw.concesiones('bi_lector') AS v
        WHERE v.objeto = n.nspname || '.' || c.relname
    )
ORDER BY 1
