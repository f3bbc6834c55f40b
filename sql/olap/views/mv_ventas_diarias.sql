-- Sales, margin, returns and shrinkage by day, branch and category.

CREATE OR REPLACE VIEW dw.mv_ventas_diarias AS
SELECT
    r.dia,
    r.id_sucursal,
    coalesce(s.nombre, 'Sucursal ' || r.id_sucursal) AS sucursal,
    r.categoria,
    r.unidades_vendidas AS unidades,
    r.venta_bruta,
    r.venta_neta,
    r.costo_ventas AS costo,
    r.ajuste,
    r.venta_neta - r.costo_ventas + r.ajuste AS margen,
    round(
        (r.venta_neta - r.costo_ventas + r.ajuste) * 1.00000000000000000000 / nullif(r.venta_neta, 0), 6
    ) AS margen_relativo,
    r.unidades_recibidas,
    r.costo_recibido,
    r.devoluciones,
    r.unidades_devueltas,
    r.mermas,
    r.unidades_merma
FROM dw.resumen_diario AS r
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = r.id_sucursal;
COMMENT ON VIEW dw.mv_ventas_diarias IS
    'Ventas, netas de devoluciones y descuentos, y margen por día, sucursal y categoría; margen = venta neta - costo + ajuste; las mermas, menos lo que se halló de más, van aparte';
SELECT etl.conceder('SELECT', 'dw.mv_ventas_diarias', 'bi_lector');
