-- A window that looks for what was deleted: how many numbers in scope there are by block of them, and the sum of
-- their hashes, since numbers alone come to equal sums; the blocks begin at the ids that etl.bloques() gives.
SELECT width_bucket(m.id_movimiento::bigint, {limits}::bigint[]) AS bloque, count(*) AS filas, sum(hashint8(m.id_movimiento::bigint))::numeric AS suma
FROM (
{query}
) AS m
WHERE {condition}
GROUP BY 1
