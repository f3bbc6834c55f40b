-- What is wanted of some rows beside what a load reads, as by book for the PLE; its slots are the shop's
-- query, what names a row, by what column and ids it is sought, and the columns, null where the query lacks them.
SELECT m.{id}::bigint, {columns}
FROM (
{query}
) AS m
WHERE m.{sought} = ANY ({ids}::{type}[])
