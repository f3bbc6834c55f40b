-- A window that looks for what was deleted: the numbers that there are in the blocks that differ.
SELECT m.id_movimiento::bigint
FROM (
{query}
) AS m
WHERE {condition}
