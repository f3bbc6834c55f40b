-- Sales and margin by product and month.

CREATE MATERIALIZED VIEW IF NOT EXISTS dw.mv_margen_producto_mes AS
SELECT
    r.mes,
    r.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    sum(r.unidades_vendidas) AS unidades,
    sum(r.venta_bruta) AS venta_bruta,
    sum(r.venta_neta) AS venta_neta,
    sum(r.costo_ventas) AS costo,
    sum(r.ajuste) AS ajuste,
    sum(r.venta_neta - r.costo_ventas + r.ajuste) AS margen,
    round(sum(r.venta_neta - r.costo_ventas + r.ajuste) / nullif(sum(r.venta_neta), 0), 6)
        AS margen_relativo
FROM dw.resumen_mensual AS r
INNER JOIN dw.producto AS p ON p.id_producto = r.id_producto
GROUP BY r.mes, r.id_producto, p.codigo, p.nombre, p.categoria
ORDER BY r.mes, r.id_producto
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS mv_margen_producto_mes_clave
    ON dw.mv_margen_producto_mes (mes, id_producto);
COMMENT ON MATERIALIZED VIEW dw.mv_margen_producto_mes IS
    'Ventas y margen por producto y mes; margen = venta neta - costo + ajuste';
SELECT etl.conceder('SELECT', 'dw.mv_margen_producto_mes', 'bi_lector');
