-- What was sold and received in the three days before a day, of which something may come back, and
-- what came back.
SELECT
    t.id_transaccion, t.tipo, t.fecha, t.id_sucursal, d.id_detalle, d.id_producto, d.cantidad,
    d.precio_unitario, d.costo_unitario, d.id_origen
FROM public.transacciones AS t
INNER JOIN public.detalle_transaccion AS d ON d.id_transaccion = t.id_transaccion
WHERE NOT t.anulada AND t.fecha >= %(dia)s - interval '3 days' AND t.fecha < %(dia)s
    AND t.tipo IN ('VENTA', 'ENTRADA_MERCANCIA', 'DEVOLUCION_VENTA', 'DEVOLUCION_COMPRA')
ORDER BY d.id_detalle
