-- The numbers of which of some ids a query has, in any of its rows.
SELECT DISTINCT m.{number}::bigint
FROM (
{query}
) AS m
WHERE m.{column} = ANY ({values}::{type}[])
