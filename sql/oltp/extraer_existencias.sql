-- The pipeline's read of existencias.sql.
SELECT
    m.id_producto::bigint,
    {id_sucursal}::bigint,
    m.existencias::numeric,
    {costo_referencia}::numeric
FROM (
{query}
) AS m
WHERE {condition}
