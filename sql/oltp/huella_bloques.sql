-- verify: count and sum of fingerprints by block of ids, of the movements in scope.
SELECT h.id_movimiento / {size} AS bloque, count(*) AS filas, sum(h.huella) AS huella
FROM (
{fingerprints}
) AS h
WHERE h.alcance
GROUP BY h.id_movimiento / {size}
