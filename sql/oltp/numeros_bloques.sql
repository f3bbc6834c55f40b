-- A window that looks for what was deleted: count and sum of the numbers in scope by block of them; the
-- blocks begin at the ids that etl.bloques() gives.
SELECT width_bucket(m.id_movimiento::bigint, {limits}::bigint[]) AS bloque, count(*) AS filas, sum(m.id_movimiento::bigint) AS suma
FROM (
{query}
) AS m
WHERE {condition}
GROUP BY 1
