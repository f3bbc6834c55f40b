-- What bi_lector may read in dw, with what the catalogue says of it: of a column without a comment,
-- that of the column of the same name that it is made of.
SELECT
    'dw.' || c.relname AS vista,
    obj_description(c.oid, 'pg_class') AS comentario,
    a.attname::text AS columna,
    format_type(a.atttypid, NULL) AS tipo,
    coalesce(
        col_description(c.oid, a.attnum),
        (
            SELECT min(col_description(d.refobjid, d.refobjsubid))
            FROM pg_rewrite AS r
            INNER JOIN pg_depend AS d
                ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refobjsubid > 0
            INNER JOIN pg_attribute AS o
                ON o.attrelid = d.refobjid AND o.attnum = d.refobjsubid AND o.attname = a.attname
            WHERE r.ev_class = c.oid
        )
    ) AS comentario_columna
FROM pg_class AS c
INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE
    c.relnamespace = 'dw'::regnamespace
    AND c.relkind IN ('r', 'v', 'm')
    AND has_table_privilege('bi_lector', c.oid, 'SELECT')
ORDER BY c.relname, a.attnum
