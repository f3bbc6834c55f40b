-- The tables that a query reads whose rows' own version may be read; none where any of them holds another
-- of the same type, which might be what the query yields.
WITH leidas AS (
    SELECT c.oid, n.nspname, c.relname
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
)
SELECT l.nspname, l.relname
FROM leidas AS l
WHERE has_column_privilege(l.oid, 'xmin', 'SELECT')
    AND NOT EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE a.attrelid IN (SELECT r.oid FROM leidas AS r)
            AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'xid'::regtype
    )
ORDER BY 1, 2
