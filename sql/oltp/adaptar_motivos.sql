-- adapt: what would wait in quarantine and why, by type, with one of each.
SELECT c.tipo, c.motivo, count(*) AS movimientos, min(c.id_movimiento) AS ejemplo
FROM (
{understood}
) AS c
WHERE c.motivo IS NOT NULL
GROUP BY c.tipo, c.motivo
ORDER BY 3 DESC, 1, 2
LIMIT {limit}
