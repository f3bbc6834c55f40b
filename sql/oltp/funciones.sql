-- The functions that the queries call by name, or a view below them does, and what those call or read:
-- a function's tables are nowhere locked, and what it yields changes with its text. A name that means
-- something else there costs no more than a read of everything. After relaciones.sql.
WITH RECURSIVE objeto AS (
    SELECT
        p.oid, format('%%I.%%I', n.nspname, p.proname) AS nombre, 'f' AS clase,
        '\m' || regexp_replace(p.proname, '(\W)', '\\\1', 'g') || '"?\s*\(' AS llamada
    FROM pg_proc AS p
    INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
    -- From the first number that is not PostgreSQL's own: of its 3,000 functions none is looked at.
    WHERE p.oid >= 16384 AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.prokind = 'f'
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        )
    UNION ALL
    SELECT
        c.oid, format('%%I.%%I', n.nspname, c.relname), 'v',
        '\m' || regexp_replace(c.relname, '(\W)', '\\\1', 'g') || '\M'
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384 AND c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
), nombrado AS (
    SELECT
        o.oid, o.nombre, o.clase,
        CASE o.clase WHEN 'f' THEN pg_get_functiondef(o.oid) ELSE pg_get_viewdef(o.oid) END AS definicion
    FROM objeto AS o
    WHERE o.clase = 'f' AND EXISTS (
        SELECT FROM (
            SELECT %(queries)s::text AS texto
            UNION ALL
            SELECT pg_get_viewdef(l.relation)
            FROM pg_locks AS l
            INNER JOIN pg_class AS c ON c.oid = l.relation AND c.relkind = 'v'
            WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation'
        ) AS t
        WHERE t.texto ~* o.llamada
    )
    UNION
    SELECT
        o.oid, o.nombre, o.clase,
        CASE o.clase WHEN 'f' THEN pg_get_functiondef(o.oid) ELSE pg_get_viewdef(o.oid) END
    FROM nombrado AS n
    INNER JOIN objeto AS o ON n.definicion ~* o.llamada
)
SELECT n.nombre, n.clase, md5(string_agg(n.definicion, ',' ORDER BY n.definicion))
FROM nombrado AS n
GROUP BY 1, 2
ORDER BY 1, 2
