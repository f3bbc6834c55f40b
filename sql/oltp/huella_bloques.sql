-- verify: count and sum of fingerprints by block of ids, of the movements in scope; the blocks begin
-- at the ids that etl.bloques() gives.
SELECT width_bucket(h.id_movimiento, {limits}::bigint[]) AS bloque, count(*) AS filas, sum(h.huella) AS huella, sum(h.documento) AS documento
FROM (
{fingerprints}
) AS h
WHERE h.alcance
GROUP BY 1
