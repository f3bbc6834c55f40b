-- A row version that is none: its value, where every row has the same one and that is no transaction's
-- (none, bootstrap's, that of rows of long ago) or, if it is the shop's own, many rows share it. Nothing
-- else is looked for, so that a version that moves costs one row.
WITH lectura AS NOT MATERIALIZED (
{query}
)
SELECT v.version::text
FROM (
    SELECT m.{column} AS version FROM lectura AS m WHERE m.{column} IS NOT NULL LIMIT 1
) AS v
WHERE (
    v.version::text IN ('0', '1', '2')
    OR {own} AND 20 = (SELECT count(*) FROM (SELECT 1 FROM lectura AS m LIMIT 20) AS f)
)
AND NOT EXISTS (SELECT 1 FROM lectura AS m WHERE m.{column} <> v.version)
