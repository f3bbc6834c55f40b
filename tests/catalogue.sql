-- Every object of dw and etl as the catalogue has it: what it is, its name, its definition.
WITH ours AS (
    SELECT n.oid, n.nspname::text AS nombre FROM pg_namespace AS n WHERE n.nspname IN ('dw', 'etl')
)
SELECT
    'relation', c.oid::regclass::text,
    concat_ws(' ', c.relkind, c.relpersistence, c.reloptions::text, c.relispartition, c.relhassubclass)
FROM pg_class AS c
INNER JOIN ours AS o ON o.oid = c.relnamespace
UNION ALL
SELECT
    'column', a.attrelid::regclass || '.' || a.attname,
    concat_ws(
        ' ', row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum),
        format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attstorage,
        pg_get_expr(d.adbin, d.adrelid)
    )
FROM pg_attribute AS a
INNER JOIN pg_class AS c ON c.oid = a.attrelid
INNER JOIN ours AS o ON o.oid = c.relnamespace
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', k.conrelid::regclass || ' ' || k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint AS k
INNER JOIN ours AS o ON o.oid = k.connamespace
-- Those are told of each column; only PostgreSQL 18 gives them names.
WHERE k.contype <> 'n'
UNION ALL
SELECT 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
INNER JOIN ours AS o ON o.oid = c.relnamespace
UNION ALL
SELECT 'view', c.oid::regclass::text, pg_get_viewdef(c.oid)
FROM pg_class AS c
INNER JOIN ours AS o ON o.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm')
UNION ALL
SELECT
    'function', p.oid::regprocedure::text,
    CASE WHEN p.prokind = 'a' THEN (SELECT g.aggtransfn::text FROM pg_aggregate AS g WHERE g.aggfnoid = p.oid)
    ELSE pg_get_functiondef(p.oid) END
FROM pg_proc AS p
INNER JOIN ours AS o ON o.oid = p.pronamespace
UNION ALL
SELECT 'type', t.oid::regtype::text, t.typtype::text
FROM pg_type AS t
INNER JOIN ours AS o ON o.oid = t.typnamespace
UNION ALL
SELECT 'trigger', t.tgrelid::regclass || ' ' || t.tgname, pg_get_triggerdef(t.oid)
FROM pg_trigger AS t
INNER JOIN pg_class AS c ON c.oid = t.tgrelid
INNER JOIN ours AS o ON o.oid = c.relnamespace
-- Those of a key to another table have numbers for names.
WHERE NOT t.tgisinternal
UNION ALL
SELECT 'comment', b.clase || ' ' || b.objeto, b.comentario
FROM (
    SELECT 'relation', c.oid::regclass::text, obj_description(c.oid, 'pg_class')
    FROM pg_class AS c INNER JOIN ours AS o ON o.oid = c.relnamespace
    UNION ALL
    SELECT 'column', a.attrelid::regclass || '.' || a.attname, col_description(a.attrelid, a.attnum)
    FROM pg_attribute AS a
    INNER JOIN pg_class AS c ON c.oid = a.attrelid
    INNER JOIN ours AS o ON o.oid = c.relnamespace
    WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, obj_description(p.oid, 'pg_proc')
    FROM pg_proc AS p INNER JOIN ours AS o ON o.oid = p.pronamespace
    UNION ALL
    SELECT 'type', t.oid::regtype::text, obj_description(t.oid, 'pg_type')
    FROM pg_type AS t INNER JOIN ours AS o ON o.oid = t.typnamespace
    UNION ALL
    SELECT 'schema', o.nombre, obj_description(o.oid, 'pg_namespace') FROM ours AS o
) AS b (clase, objeto, comentario)
UNION ALL
SELECT 'grant', g.objeto, concat_ws(' ', g.quien, g.permiso)
FROM (
    SELECT c.oid::regclass::text, coalesce(nullif(x.grantee, 0)::regrole::text, 'PUBLIC'), x.privilege_type
    FROM pg_class AS c
    INNER JOIN ours AS o ON o.oid = c.relnamespace
    CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS x
    WHERE c.relkind IN ('r', 'v', 'm')
    UNION ALL
    SELECT p.oid::regprocedure::text, coalesce(nullif(x.grantee, 0)::regrole::text, 'PUBLIC'), x.privilege_type
    FROM pg_proc AS p
    INNER JOIN ours AS o ON o.oid = p.pronamespace
    CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS x
    UNION ALL
    SELECT o.nombre, coalesce(nullif(x.grantee, 0)::regrole::text, 'PUBLIC'), x.privilege_type
    FROM ours AS o
    INNER JOIN pg_namespace AS n ON n.oid = o.oid
    CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS x
) AS g (objeto, quien, permiso)
