-- A full read: how many movements there are of each type that is not known, the most first.
SELECT m.tipo::text, count(*)
FROM (
{query}
) AS m
WHERE {condition}
GROUP BY 1
ORDER BY 2 DESC
LIMIT {limit}
