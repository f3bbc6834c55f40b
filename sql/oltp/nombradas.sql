-- The relations that a query names, kept in pg_temp.etl_consulta: what a reader needs SELECT on,
-- and not what lies below a view, which is read with its owner's rights, or in a partition.
SELECT DISTINCT n.nspname, c.relname
FROM pg_depend AS d
INNER JOIN pg_rewrite AS r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
INNER JOIN pg_class AS c ON c.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.ev_class = 'pg_temp.etl_consulta'::regclass
    AND c.oid <> r.ev_class
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1, 2
