-- The curve of accumulated sales, at no more than a hundred of its products.
WITH puesto AS (
    SELECT
        row_number() OVER (ORDER BY a.participacion_acumulada, a.participacion DESC, a.id_producto)
            AS puesto,
        count(*) OVER () AS total,
        a.participacion_acumulada, a.clase
    FROM dw.mv_abc AS a
)
SELECT p.puesto, p.puesto::numeric / p.total AS productos, p.participacion_acumulada, p.clase
FROM puesto AS p
WHERE p.puesto IN (1, p.total) OR p.puesto * 98 / p.total > (p.puesto - 1) * 98 / p.total
ORDER BY p.puesto;
