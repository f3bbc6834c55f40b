-- Which files hold the source tables: a restore in place or a rewrite changes them.
SELECT
    n.nspname || '.' || c.relname AS tabla,
    c.oid::bigint AS oid,
    pg_relation_filenode(c.oid)::bigint AS archivo
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
ORDER BY 1
