-- An opening that says nothing of branches stands at none.

INSERT INTO dw.apertura_sucursal (id_producto, id_sucursal, existencias)
SELECT a.id_producto, 0, a.existencias
FROM dw.apertura AS a
WHERE NOT EXISTS (SELECT FROM dw.apertura_sucursal AS s WHERE s.id_producto = a.id_producto);
