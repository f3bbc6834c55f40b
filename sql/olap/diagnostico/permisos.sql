-- What the account may do to the OLAP's tables and views directly. The loader's role has
-- INSERT on the staging tables and nothing else. The catalogue is open to every account.
SELECT
    n.nspname || '.' || c.relname AS tabla,
    ARRAY(
        SELECT p.permiso
        FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p (permiso)
        WHERE has_table_privilege(c.oid, p.permiso)
    ) AS permisos,
    f.objeto IS NOT NULL AS etapa
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN dw.concesiones('etl_cargador') AS f
    ON f.permiso = 'INSERT' AND f.objeto = n.nspname || '.' || c.relname
WHERE n.nspname IN ('dw', 'etl') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY 1
