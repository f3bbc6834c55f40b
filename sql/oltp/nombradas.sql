-- The relations that a query names, kept in pg_temp.etl_consulta: what a reader needs SELECT on, and
-- not what lies in a partition, nor below a view, which is read with its owner's rights unless it is
-- one of security_invoker.
WITH RECURSIVE nombrada AS (
    SELECT 'pg_temp.etl_consulta'::regclass::oid AS vista
    UNION
    SELECT c.oid
    FROM nombrada AS v
    INNER JOIN pg_rewrite AS r ON r.ev_class = v.vista
    INNER JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    INNER JOIN pg_class AS c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
    INNER JOIN pg_class AS o ON o.oid = v.vista
    WHERE v.vista = 'pg_temp.etl_consulta'::regclass
        OR EXISTS (
            SELECT FROM pg_options_to_table(o.reloptions) AS p
            WHERE p.option_name = 'security_invoker' AND p.option_value::boolean
        )
)
SELECT n.nspname, c.relname
FROM nombrada AS v
INNER JOIN pg_class AS c ON c.oid = v.vista
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE v.vista <> 'pg_temp.etl_consulta'::regclass
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1, 2
