-- verify: every movement of a read that has some of them only, in scope or not.
SELECT h.id_movimiento, h.huella, coalesce(h.alcance, false), coalesce(h.pendiente, false), h.desconocido, h.documento
FROM (
{fingerprints}
) AS h
