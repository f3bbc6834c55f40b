-- Which of some values a column of a query has, in any of its rows.
SELECT DISTINCT m.{column}::bigint
FROM (
{query}
) AS m
WHERE m.{column} = ANY ({values}::bigint[])
