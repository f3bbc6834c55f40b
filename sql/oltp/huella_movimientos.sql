-- verify's read of movimientos.sql: a fingerprint of each movement's content, made as the OLAP
-- makes it (etl.huella()), whether it is in scope there, and whether some version of it is so new
-- that it only comes with the next window.
-- Of what must wait in quarantine, by the rules of etl.motivo_rechazo, it is negative. Its
-- date is compared as it stands: in UTC, or as a wall clock where it has no zone.
SELECT
    c.id_movimiento,
    CASE
        WHEN NOT c.alcance THEN 0
        ELSE CASE WHEN c.motivo IS NULL THEN 1 ELSE -1 END * {fingerprint}
    END AS huella,
    c.alcance,
    c.pendiente,
    CASE WHEN c.motivo = 'producto desconocido' THEN c.id_producto END AS desconocido,
    {document} AS documento
FROM (
{understood}
) AS c
