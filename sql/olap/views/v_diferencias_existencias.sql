-- Where the shop's own stock is not ours.

CREATE OR REPLACE VIEW dw.v_diferencias_existencias AS
SELECT
    d.id_producto,
    CASE WHEN p.id_producto IS NULL
        THEN (SELECT min(t.clave) FROM dw.existencias_tienda AS t WHERE t.id_producto = d.id_producto)
        ELSE p.codigo END AS codigo,
    p.nombre, d.id_sucursal, d.nuestras, d.tienda,
    coalesce(d.tienda, 0) - d.nuestras AS diferencia,
    round((coalesce(d.tienda, 0) - d.nuestras) * coalesce(i.costo_promedio, 0), 6) AS valor,
    d.desde, s.nombre AS sucursal
FROM etl.diferencia_existencias AS d
LEFT JOIN dw.producto AS p ON p.id_producto = d.id_producto
LEFT JOIN dw.inventario AS i ON i.id_producto = d.id_producto
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = d.id_sucursal;
COMMENT ON VIEW dw.v_diferencias_existencias IS
    'Los productos cuyas existencias no son las que la tienda dice tener: tienda menos nuestras, y lo que vale a nuestro costo';
COMMENT ON COLUMN dw.v_diferencias_existencias.id_sucursal IS 'Nulo si la tienda las da por producto';
COMMENT ON COLUMN dw.v_diferencias_existencias.tienda IS 'Nulo si la tienda no da ninguna de ese producto';
COMMENT ON COLUMN dw.v_diferencias_existencias.desde IS 'El fin de la ventana en que apareció';
SELECT etl.conceder('SELECT', 'dw.v_diferencias_existencias', 'bi_lector');
