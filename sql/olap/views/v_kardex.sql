-- The ledger with the names of products and branches.

CREATE OR REPLACE VIEW dw.v_kardex AS
SELECT
    k.id_producto, p.codigo, p.nombre, p.categoria, k.fecha, k.id_movimiento, k.tipo,
    k.id_sucursal, coalesce(s.nombre, 'Sucursal ' || k.id_sucursal) AS sucursal, k.cantidad,
    k.precio_unitario, k.costo_unitario, k.costo_total, k.ajuste, k.existencias, k.valor,
    k.costo_promedio, k.provisional, nullif(k.salto_costo, 0) AS salto_costo, k.orden, k.version
FROM dw.kardex AS k
INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = k.id_sucursal;
COMMENT ON VIEW dw.v_kardex IS 'El kardex con los nombres de producto y sucursal';
SELECT etl.conceder('SELECT', 'dw.v_kardex', 'bi_lector');
