-- adapt --detect: of some rows of a table that may hold movements, by what they say that they are: how
-- many, their quantities' sum and signs, how many have a price and a cost, and how many no date
SELECT
    m.palabras,
    count(*) AS filas,
    coalesce(sum(m.cantidad), 0) AS suma,
    count(*) FILTER (WHERE m.cantidad < 0) AS negativas,
    count(*) FILTER (WHERE m.cantidad > 0) AS positivas,
    count(m.precio) AS con_precio,
    count(m.costo) AS con_costo,
    count(*) FILTER (WHERE m.fecha IS NULL) AS sin_fecha
FROM (
    SELECT
        {words} AS palabras,
        {quantity}::numeric AS cantidad,
        {price} AS precio,
        {cost} AS costo,
        {moment} AS fecha
    FROM {source}
) AS m
GROUP BY m.palabras
ORDER BY filas DESC, m.palabras
LIMIT {limit}
