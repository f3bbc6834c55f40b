-- How many of the materialized views no run has refreshed yet: asking them would fail.
SELECT count(*) AS vistas
FROM pg_class AS c
WHERE c.relnamespace = 'dw'::regnamespace AND c.relkind = 'm'
    AND left(c.relname, 3) = 'mv_' AND NOT c.relispopulated
    AND has_table_privilege(c.oid, 'SELECT');
