-- verify: every movement of the blocks that differ, in scope or not.
SELECT h.id_movimiento, h.huella, coalesce(h.alcance, false), coalesce(h.pendiente, false), h.desconocido
FROM (
{fingerprints}
) AS h
WHERE h.id_movimiento / {size} = ANY ({blocks}::bigint[])
