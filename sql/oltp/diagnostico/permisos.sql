-- What the account may do to the source tables beyond reading them.
SELECT
    format('%%I.%%I', n.nspname, c.relname) AS tabla,
    ARRAY(
        SELECT p.permiso
        FROM unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p (permiso)
        WHERE CASE
            WHEN p.permiso IN ('INSERT', 'UPDATE') THEN has_any_column_privilege(c.oid, p.permiso)
            ELSE has_table_privilege(c.oid, p.permiso)
        END
    ) AS permisos
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = ANY (%(oids)s::oid[])
ORDER BY 1
