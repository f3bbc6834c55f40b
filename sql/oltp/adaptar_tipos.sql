-- adapt: of each type as the query yields it, how many there are, their dates, quantities and amounts,
-- and how many count, wait or are left out.
SELECT
    c.tipo,
    count(*) AS movimientos,
    count(*) FILTER (WHERE c.alcance AND c.motivo IS NULL) AS cuentan,
    count(*) FILTER (WHERE c.motivo IS NOT NULL) AS rechazados,
    count(*) FILTER (WHERE c.anulado) AS anulados,
    count(*) FILTER (WHERE c.anulado IS NOT TRUE AND c.fecha < {since}) AS anteriores,
    bool_or(c.entendido IS NOT NULL) AS conocido,
    min(c.fecha)::text AS primera,
    max(c.fecha)::text AS ultima,
    count(*) - count(c.fecha) AS sin_fecha,
    min(c.cantidad) AS cantidad_menor,
    max(c.cantidad) AS cantidad_mayor,
    count(*) - count(c.cantidad) AS sin_cantidad,
    min(c.precio_unitario) AS precio_menor,
    max(c.precio_unitario) AS precio_mayor,
    count(*) - count(c.precio_unitario) AS sin_precio,
    min(c.costo_unitario) AS costo_menor,
    max(c.costo_unitario) AS costo_mayor,
    count(*) - count(c.costo_unitario) AS sin_costo
FROM (
{understood}
) AS c
GROUP BY c.tipo
ORDER BY 2 DESC, 1
LIMIT {limit}
