-- verify: what sql/oltp/huella_rapida.sql is, as the OLAP makes it.
etl.huella_rapida(
    c.id_movimiento, c.tipo, c.id_producto, coalesce(c.id_sucursal, 0), c.cantidad,
    c.precio_unitario, CASE WHEN c.tipo <> 'VENTA' THEN c.costo_unitario END, c.reloj
)
