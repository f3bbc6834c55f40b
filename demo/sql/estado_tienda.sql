-- What the shop's own tables know of each product: price and last cost.
SELECT
    p.id_producto,
    p.precio_lista,
    (
        array_agg(d.costo_unitario ORDER BY t.fecha DESC, d.id_detalle DESC)
        FILTER (WHERE t.tipo = 'ENTRADA_MERCANCIA')
    )[1] AS ultimo_costo
FROM public.productos AS p
LEFT JOIN (
    public.detalle_transaccion AS d
    INNER JOIN public.transacciones AS t ON t.id_transaccion = d.id_transaccion AND NOT t.anulada
) ON d.id_producto = p.id_producto
GROUP BY p.id_producto
