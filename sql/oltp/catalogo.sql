-- adapt --detect: every table of the database with its columns, keys and foreign keys, as the catalogue has
-- them, which any account may ask; what is a partition, an extension's, or in the schemas of aparte is left out
SELECT
    n.nspname::text AS schema,
    c.relname::text AS name,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS quoted,
    pg_catalog.has_schema_privilege(n.oid, 'USAGE')
    AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable,
    (
        SELECT json_agg(
            json_build_array(
                a.attname, quote_ident(a.attname), b.typname, t.typtype, a.attnotnull
            ) ORDER BY a.attnum
        )
        FROM pg_catalog.pg_attribute AS a
        INNER JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
        INNER JOIN pg_catalog.pg_type AS b ON b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    ) AS columns,
    -- The primary key first, then what else is unique.
    (
        SELECT json_agg(k.columns ORDER BY k.indisprimary DESC, json_array_length(k.columns), k.indexrelid)
        FROM (
            SELECT
                i.indisprimary,
                i.indexrelid,
                (
                    SELECT json_agg(a.attname ORDER BY u.place)
                    FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS u (number, place)
                    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.number
                    WHERE u.place <= i.indnkeyatts
                ) AS columns
            FROM pg_catalog.pg_index AS i
            WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
        ) AS k
    ) AS keys,
    (
        SELECT json_agg(json_build_array(a.attname, m.nspname, f.relname, g.attname) ORDER BY k.conname)
        FROM pg_catalog.pg_constraint AS k
        INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
        INNER JOIN pg_catalog.pg_class AS f ON f.oid = k.confrelid
        INNER JOIN pg_catalog.pg_namespace AS m ON m.oid = f.relnamespace
        INNER JOIN pg_catalog.pg_attribute AS g ON g.attrelid = f.oid AND g.attnum = k.confkey[1]
        WHERE k.conrelid = c.oid AND k.contype = 'f' AND cardinality(k.conkey) = 1
    ) AS links
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
    AND NOT c.relispartition
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname <> ALL (%(aparte)s::text[])
    AND n.nspname !~ '^pg_(toast|temp)'
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
ORDER BY n.nspname <> 'public', 1, 2
