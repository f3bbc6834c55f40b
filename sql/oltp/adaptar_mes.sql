-- adapt: what counts of a month, by the type that it is understood as.
SELECT
    c.entendido AS tipo,
    count(*) AS movimientos,
    sum(c.entendida) AS cantidad,
    sum(coalesce(c.importe_entendido, round(c.entendida * c.monto, 6))) AS importe
FROM (
{understood}
) AS c
WHERE c.alcance AND c.motivo IS NULL AND c.fecha >= {first} AND c.fecha < {end}
GROUP BY c.entendido
ORDER BY 2 DESC, 1
