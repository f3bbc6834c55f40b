-- The pipeline's read of existencias.sql.
SELECT
    m.id_producto::bigint,
    {id_sucursal}::bigint,
    m.existencias::numeric,
    {costo_referencia}::numeric{beside}
FROM (
{query}
) AS m
WHERE {condition}
