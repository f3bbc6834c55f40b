-- A full read: how many movements of each type are left out by it, the most first; with each of them
-- the greatest number of all movements.
SELECT
    m.tipo::text,
    count(*) FILTER (WHERE {condition}),
    max(max(m.id_movimiento::bigint)) OVER ()
FROM (
{query}
) AS m
GROUP BY 1
ORDER BY 2 DESC
LIMIT {limit}
