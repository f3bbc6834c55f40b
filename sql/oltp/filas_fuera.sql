-- A full read: the movements out of scope that are listed one by one, and by what they are out.
SELECT
    m.id_movimiento::bigint,
    m.tipo::text,
    m.id_producto::bigint,
    m.fecha::{type}::text,
    CASE WHEN {wrong_type} THEN 'tipo' ELSE 'fecha' END AS fuera
FROM (
{query}
) AS m
WHERE {condition}
LIMIT {limit}
