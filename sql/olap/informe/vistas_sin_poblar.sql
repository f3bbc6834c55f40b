-- How many of our materialized views no run has refreshed yet: asking them would fail. One of the
-- shop's own that fails is none of the report's business.
SELECT count(*) AS vistas
FROM dw.concesiones('bi_lector') AS v
INNER JOIN pg_class AS c ON v.objeto = 'dw.' || c.relname
WHERE c.relnamespace = 'dw'::regnamespace AND c.relkind = 'm'
    AND NOT c.relispopulated AND has_table_privilege(c.oid, 'SELECT');
