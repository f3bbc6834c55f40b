-- One row of which no version is a transaction's.
SELECT m.{id}
FROM (
{query}
) AS m
WHERE {condition}
LIMIT 1
