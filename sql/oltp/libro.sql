-- book: what the PLE wants of some rows and a load does not read; its slots are the shop's query, what
-- names a row, which rows, and the columns, null where the query lacks them.
SELECT m.{id}::bigint, {columns}
FROM (
{query}
) AS m
WHERE m.{id} = ANY (%s)
