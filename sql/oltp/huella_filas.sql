-- verify: every movement of the blocks that differ, in scope or not.
SELECT h.id_movimiento, h.huella, coalesce(h.alcance, false), coalesce(h.pendiente, false), h.desconocido, h.documento
FROM (
{fingerprints}
) AS h
WHERE width_bucket(h.id_movimiento, {limits}::bigint[]) = ANY ({blocks}::integer[])
