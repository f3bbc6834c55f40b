-- Tickets of the two days before a day, one of which its customer brings back whole.
SELECT t.id_transaccion
FROM public.transacciones AS t
WHERE t.tipo = 'VENTA' AND NOT t.anulada
    AND t.fecha >= %(dia)s - interval '2 days' AND t.fecha < %(dia)s
    AND NOT EXISTS (
        SELECT
        FROM public.detalle_transaccion AS d
        INNER JOIN public.detalle_transaccion AS v ON v.id_origen = d.id_detalle
        WHERE d.id_transaccion = t.id_transaccion
    )
ORDER BY t.id_transaccion
