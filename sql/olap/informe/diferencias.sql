-- Where the shop's own stock is not ours, most money first; each row with how many products differ
-- in all, what they are worth, and how many of their movements wait as rejects. One row without a
-- product where none does; none for a shop that does not tell its stock.
WITH difiere AS (
    SELECT
        d.*, count(*) OVER () AS total, sum(abs(d.valor)) OVER () AS de_todas
    FROM dw.v_diferencias_existencias AS d
)
SELECT
    d.*,
    (SELECT count(DISTINCT v.id_producto) FROM difiere AS v) AS productos,
    (
        SELECT count(*) FROM dw.v_rechazos AS r
        WHERE r.id_producto IN (SELECT v.id_producto FROM difiere AS v)
    ) AS en_espera
FROM (SELECT true AS comparadas WHERE EXISTS (SELECT FROM dw.existencias_tienda)) AS c
LEFT JOIN difiere AS d ON c.comparadas
ORDER BY abs(d.valor) DESC, abs(d.diferencia) DESC, d.id_producto, d.id_sucursal
LIMIT %(limite)s;
