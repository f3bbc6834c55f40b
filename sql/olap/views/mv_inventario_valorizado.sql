-- The stock and what it is worth.

CREATE OR REPLACE VIEW dw.mv_inventario_valorizado AS
SELECT
    i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.existencias,
    i.costo_promedio,
    CASE WHEN i.existencias > 0 THEN i.valor ELSE 0 END AS valor,
    CASE WHEN i.existencias < 0 THEN i.existencias ELSE 0 END AS existencias_negativas,
    CASE WHEN i.existencias < 0 THEN i.valor ELSE 0 END AS valor_negativo,
    i.precio_sugerido,
    p.inventariable,
    p.activo
FROM dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto;
COMMENT ON VIEW dw.mv_inventario_valorizado IS
    'Existencias valorizadas; lo que está por debajo de cero va en columnas propias y no resta del total';
COMMENT ON COLUMN dw.mv_inventario_valorizado.inventariable IS 'Si tiene existencias; si no, es un servicio';
COMMENT ON COLUMN dw.mv_inventario_valorizado.activo IS 'Si la tienda lo tiene aún';
SELECT etl.conceder('SELECT', 'dw.mv_inventario_valorizado', 'bi_lector');
