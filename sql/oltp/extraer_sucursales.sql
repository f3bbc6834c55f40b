-- The pipeline's read of sucursales.sql.
SELECT
    m.id_sucursal::bigint,
    m.nombre::text{beside}
FROM (
{query}
) AS m
WHERE {condition}
