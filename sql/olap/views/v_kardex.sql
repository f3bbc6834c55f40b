-- The ledger with the names of products and branches.

CREATE OR REPLACE VIEW dw.v_kardex AS
SELECT
    k.id_producto, p.codigo, p.nombre, p.categoria, k.fecha, k.id_movimiento, k.tipo,
    k.id_sucursal, coalesce(s.nombre, 'Sucursal ' || k.id_sucursal) AS sucursal, k.cantidad,
    k.precio_unitario, k.costo_unitario, k.costo_total, k.ajuste, k.existencias, k.valor,
    k.costo_promedio, k.provisional, nullif(k.salto_costo, 0) AS salto_costo, k.orden, k.version,
    k.variacion, k.importe, k.id_origen, k.id_sucursal_destino,
    CASE WHEN k.id_sucursal_destino IS NOT NULL
        THEN coalesce(d.nombre, 'Sucursal ' || k.id_sucursal_destino) END AS sucursal_destino,
    t.nombre AS nombre_tipo, k.fecha_documento, k.capa, k.reverso, k.impuesto, k.precio_con_impuesto, p.inventariable,
    o.id_documento, coalesce(o.documento, o.clave) AS documento
FROM dw.kardex AS k
INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = k.id_sucursal
LEFT JOIN dw.sucursal AS d ON d.id_sucursal = k.id_sucursal_destino
LEFT JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo
LEFT JOIN dw.documento_movimiento AS o ON o.id_movimiento = k.id_movimiento;
COMMENT ON VIEW dw.v_kardex IS 'El kardex con los nombres de producto, sucursal y tipo';
COMMENT ON COLUMN dw.v_kardex.inventariable IS 'Si el producto tiene existencias; si no, la fila no movió nada';
COMMENT ON COLUMN dw.v_kardex.nombre IS 'Del producto';
COMMENT ON COLUMN dw.v_kardex.tipo IS
    'Con el que se valorizó: de una cantidad negativa, el contrario del que da movimientos.sql';
COMMENT ON COLUMN dw.v_kardex.documento IS
    'Como lo llaman en la tienda, si movimientos.sql lo da; si no, su id cuando no es un número';
SELECT etl.conceder('SELECT', 'dw.v_kardex', 'bi_lector');
