-- adapt --detect: of some rows of a table that may hold movements, by what they say that they are: how
-- many, their quantities' sum and signs, how many have a price and a cost, and how many no date, product
-- or code of one
SELECT
    m.palabras,
    count(*) AS filas,
    coalesce(sum(m.cantidad), 0) AS suma,
    count(*) FILTER (WHERE m.cantidad < 0) AS negativas,
    count(*) FILTER (WHERE m.cantidad > 0) AS positivas,
    count(m.precio) AS con_precio,
    count(m.costo) AS con_costo,
    count(*) FILTER (WHERE m.fecha IS NULL) AS sin_fecha,
    count(*) FILTER (WHERE m.producto IS NULL) AS sin_producto,
    count(*) FILTER (WHERE m.codigo IS NULL) AS sin_codigo
FROM (
    SELECT
        {words} AS palabras,
        {quantity}::numeric AS cantidad,
        {price} AS precio,
        {cost} AS costo,
        {moment} AS fecha,
        {product} AS producto,
        {code} AS codigo
    FROM {source}
) AS m
GROUP BY m.palabras
ORDER BY filas DESC, m.palabras
LIMIT {limit}
