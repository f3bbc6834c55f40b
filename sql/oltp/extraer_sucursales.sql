-- The pipeline's read of sucursales.sql.
SELECT
    m.id_sucursal::bigint,
    m.nombre::text
FROM (
{query}
) AS m
WHERE {condition}
