-- Received lines of the week before a day, one of which was mistyped.
SELECT d.id_detalle, d.costo_unitario
FROM public.detalle_transaccion AS d
INNER JOIN public.transacciones AS t ON t.id_transaccion = d.id_transaccion
WHERE t.tipo = 'ENTRADA_MERCANCIA' AND NOT t.anulada
    AND t.fecha >= %(dia)s - interval '9 days' AND t.fecha < %(dia)s - interval '3 days'
ORDER BY d.id_detalle
