-- Tickets of the two days before a day, one of which its customer brings back.
SELECT t.id_transaccion
FROM public.transacciones AS t
WHERE t.tipo = 'VENTA' AND NOT t.anulada
    AND t.fecha >= %(dia)s - interval '2 days' AND t.fecha < %(dia)s
ORDER BY t.id_transaccion
