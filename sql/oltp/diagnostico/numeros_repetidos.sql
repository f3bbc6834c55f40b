-- The first ids that more than one row of a query has.
SELECT m.{id}::bigint AS numero, count(*) AS filas
FROM (
{query}
) AS m
WHERE m.{id} IS NOT NULL
GROUP BY 1
HAVING count(*) > 1
ORDER BY 1
LIMIT 3
