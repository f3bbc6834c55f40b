-- The pipeline's read of productos.sql.
SELECT
    m.id_producto::bigint,
    m.codigo::text,
    m.nombre::text,
    m.categoria::text,
    {inventariable}::boolean,
    {activo}::boolean,
    {costo_referencia}::numeric,
    {proveedor}::text{beside}
FROM (
{query}
) AS m
WHERE {condition}
