-- What counts found, in units and in money.

CREATE OR REPLACE VIEW dw.v_conteos AS
SELECT
    k.fecha,
    k.id_movimiento,
    k.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    k.id_sucursal,
    CASE WHEN k.de_todo THEN 'Todas' ELSE coalesce(s.nombre, 'Sucursal ' || k.id_sucursal) END AS sucursal,
    k.cantidad AS contado,
    k.cantidad - k.variacion AS esperado,
    k.variacion AS diferencia,
    k.costo_total AS valor,
    k.ajuste,
    coalesce(k.de_todo, false) AS de_todo,
    p.inventariable,
    coalesce(d.documento, d.clave) AS documento
FROM dw.kardex AS k
INNER JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo AND t.regla = 'contar'
INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = k.id_sucursal
LEFT JOIN dw.documento_movimiento AS d ON d.id_movimiento = k.id_movimiento
WHERE k.orden = 3 AND NOT k.reverso AND NOT EXISTS (
    SELECT FROM dw.kardex AS x WHERE x.reverso AND x.id_movimiento = k.id_movimiento AND x.capa = k.capa + 1
);
COMMENT ON VIEW dw.v_conteos IS
    'Los conteos: lo contado, lo que debía haber y la diferencia, en unidades y en dinero; negativo es lo que falta';
COMMENT ON COLUMN dw.v_conteos.de_todo IS 'Si lo es de todas las sucursales';
COMMENT ON COLUMN dw.v_conteos.inventariable IS
    'Si el producto tiene existencias; si no, contarlo no cambia nada';
SELECT etl.conceder('SELECT', 'dw.v_conteos', 'bi_lector');
