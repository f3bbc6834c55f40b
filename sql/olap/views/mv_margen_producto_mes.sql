-- Sales, margin, returns and shrinkage by product and month.

CREATE OR REPLACE VIEW dw.mv_margen_producto_mes AS
SELECT
    r.mes,
    r.id_producto,
    p.codigo,
    p.nombre,
    coalesce(c.categoria, p.categoria) AS categoria,
    r.unidades,
    r.venta_bruta,
    r.venta_neta,
    r.costo,
    r.ajuste,
    r.venta_neta - r.costo + r.ajuste AS margen,
    round((r.venta_neta - r.costo + r.ajuste) * 1.00000000000000000000 / nullif(r.venta_neta, 0), 6) AS margen_relativo,
    r.devoluciones,
    r.unidades_devueltas,
    r.mermas,
    r.unidades_merma,
    p.inventariable
FROM (
    SELECT
        s.mes, (s.mes + interval '1 month')::date AS hasta, s.id_producto, sum(s.unidades_vendidas) AS unidades,
        sum(s.venta_bruta) AS venta_bruta, sum(s.venta_neta) AS venta_neta,
        sum(s.costo_ventas) AS costo, sum(s.ajuste) AS ajuste,
        sum(s.devoluciones) AS devoluciones, sum(s.unidades_devueltas) AS unidades_devueltas,
        sum(s.mermas) AS mermas, sum(s.unidades_merma) AS unidades_merma
    FROM dw.resumen_mensual AS s
    GROUP BY s.mes, s.id_producto
) AS r
INNER JOIN dw.producto AS p ON p.id_producto = r.id_producto
-- A month that is closed stays in the category that it was closed in.
LEFT JOIN (
    SELECT
        f.id_producto, (f.desde AT TIME ZONE v.zona)::date AS desde, (f.hasta AT TIME ZONE v.zona)::date AS hasta,
        f.categoria
    FROM etl.producto_cerrado AS f
    CROSS JOIN dw.v_corte AS v
) AS c ON c.id_producto = r.id_producto AND r.hasta > c.desde AND r.hasta <= c.hasta;
COMMENT ON VIEW dw.mv_margen_producto_mes IS
    'Ventas, netas de devoluciones y descuentos, y margen por producto y mes; margen = venta neta - costo + ajuste; las mermas, menos lo que se halló de más, van aparte';
COMMENT ON COLUMN dw.mv_margen_producto_mes.inventariable IS
    'Si tiene existencias; si no, es un servicio: su venta no tiene costo';
SELECT etl.conceder('SELECT', 'dw.mv_margen_producto_mes', 'bi_lector');
