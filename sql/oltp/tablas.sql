-- Which files hold the source tables: a restore in place or a rewrite changes them. Of a partition,
-- or a table that inherits, the root too: one that is added to a known root is no new source.
SELECT
    n.nspname || '.' || c.relname AS tabla,
    c.oid::bigint AS oid,
    pg_relation_filenode(c.oid)::bigint AS archivo,
    (
        WITH RECURSIVE arriba AS (
            SELECT c.oid, 0 AS paso
            UNION ALL
            SELECT i.inhparent, a.paso + 1
            FROM arriba AS a
            INNER JOIN pg_inherits AS i ON i.inhrelid = a.oid
        )
        SELECT s.nspname || '.' || r.relname
        FROM arriba AS a
        INNER JOIN pg_class AS r ON r.oid = a.oid
        INNER JOIN pg_namespace AS s ON s.oid = r.relnamespace
        ORDER BY a.paso DESC
        LIMIT 1
    ) AS raiz
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
ORDER BY 1
