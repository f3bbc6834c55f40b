-- Of the tables that a query reads, the columns of a version's type that no trigger keeps; of type xid,
-- where they may be read. Of type xid8, a materialized view is no table: it shows what another one keeps.
SELECT n.nspname, c.relname, a.attname
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
    AND a.atttypid = %(type)s::regtype
    AND (c.relkind = 'r' OR c.relkind = 'm' AND %(type)s = 'xid')
    AND (%(type)s = 'xid8' OR has_column_privilege(c.oid, a.attnum, 'SELECT'))
    AND NOT EXISTS (
        -- Before each row of an UPDATE, and not disabled.
        SELECT FROM pg_trigger AS t
        WHERE t.tgrelid = c.oid AND t.tgtype & 19 = 19 AND t.tgenabled <> 'D'
    )
ORDER BY 1, 2, 3
