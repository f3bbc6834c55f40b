-- The relations that this transaction has looked at: PostgreSQL locks each that a
-- query names, and each below a view. What an account with SELECT alone can ask.
SELECT
    format('%I.%I', n.nspname, c.relname) AS relacion,
    c.relkind::text AS clase,
    CASE
        WHEN c.relkind = 'v' THEN md5(pg_get_viewdef(c.oid))
        -- Another expression changes what every row yields, and no row's version.
        ELSE (
            SELECT md5(string_agg(a.attname || ' ' || pg_get_expr(e.adbin, e.adrelid), ',' ORDER BY a.attnum))
            FROM pg_attribute AS a
            INNER JOIN pg_attrdef AS e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
            WHERE a.attrelid = c.oid AND a.attgenerated = 'v'
        )
    END AS definicion
FROM pg_locks AS l
INNER JOIN pg_class AS c ON c.oid = l.relation
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation'
    AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1
