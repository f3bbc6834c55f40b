-- adapt: products that lines name and productos.sql does not yield; with each, how many there are in all.
SELECT c.id_producto, count(*) AS movimientos, min(c.id_movimiento) AS ejemplo, count(*) OVER () AS en_total
FROM (
{understood}
) AS c
WHERE NOT c.conocido AND c.anulado IS NOT TRUE AND c.entendido IS NOT NULL
GROUP BY c.id_producto
ORDER BY 2 DESC, 1
LIMIT {limit}
