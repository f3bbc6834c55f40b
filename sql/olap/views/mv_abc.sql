-- The products that make most of a year's sales.

CREATE OR REPLACE VIEW dw.mv_abc AS
WITH venta AS (
    SELECT v.id_producto, v.venta_neta_365 AS venta_neta, v.unidades_365 AS unidades
    FROM dw.resumen_movil AS v
    INNER JOIN dw.producto AS p ON p.id_producto = v.id_producto AND p.inventariable
    WHERE v.venta_neta_365 > 0
), acumulada AS (
    SELECT
        v.*,
        sum(v.venta_neta) OVER (ORDER BY v.venta_neta DESC, v.id_producto) AS acumulado,
        sum(v.venta_neta) OVER () AS total
    FROM venta AS v
)
SELECT
    a.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    a.unidades AS unidades_365_dias,
    a.venta_neta AS venta_neta_365_dias,
    round(a.venta_neta * 1.00000000000000000000 / a.total, 6) AS participacion,
    round(a.acumulado * 1.00000000000000000000 / a.total, 6) AS participacion_acumulada,
    CASE
        WHEN a.acumulado - a.venta_neta < 0.80 * a.total THEN 'A'
        WHEN a.acumulado - a.venta_neta < 0.95 * a.total THEN 'B'
        ELSE 'C'
    END AS clase
FROM acumulada AS a
INNER JOIN dw.producto AS p ON p.id_producto = a.id_producto;
COMMENT ON VIEW dw.mv_abc IS
    'Clase ABC por venta de 365 días, neta de devoluciones y descuentos, cortada en 80 y 95 % de lo acumulado antes del producto';
SELECT etl.conceder('SELECT', 'dw.mv_abc', 'bi_lector');
