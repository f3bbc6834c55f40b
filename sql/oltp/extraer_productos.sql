-- The pipeline's read of productos.sql.
SELECT
    m.id_producto::bigint,
    m.codigo::text,
    m.nombre::text,
    m.categoria::text,
    {inventariable}::boolean,
    {activo}::boolean{beside}
FROM (
{query}
) AS m
WHERE {condition}
