-- What is on each branch's shelf by the shop's own tables: what was counted last, and what moved
-- after it.
WITH linea AS (
    SELECT d.id_producto, m.id_sucursal, t.fecha, t.tipo, m.cantidad
    FROM public.detalle_transaccion AS d
    INNER JOIN public.transacciones AS t ON t.id_transaccion = d.id_transaccion AND NOT t.anulada
    CROSS JOIN LATERAL (
        VALUES
        (
            t.id_sucursal,
            CASE WHEN t.tipo IN ('VENTA', 'AJUSTE_SALIDA', 'DEVOLUCION_COMPRA', 'TRASLADO')
                THEN -d.cantidad ELSE d.cantidad END
        ),
        (t.id_sucursal_destino, d.cantidad)
    ) AS m (id_sucursal, cantidad)
    WHERE m.id_sucursal IS NOT NULL AND d.cantidad IS NOT NULL
), contada AS (
    SELECT DISTINCT ON (l.id_producto, l.id_sucursal) l.*
    FROM linea AS l
    WHERE l.tipo = 'CONTEO'
    ORDER BY l.id_producto, l.id_sucursal, l.fecha DESC
)
SELECT
    l.id_producto, l.id_sucursal,
    coalesce(c.cantidad, 0)
    + coalesce(sum(l.cantidad) FILTER (WHERE c.fecha IS NULL OR l.fecha > c.fecha), 0)
FROM linea AS l
LEFT JOIN contada AS c ON c.id_producto = l.id_producto AND c.id_sucursal = l.id_sucursal
GROUP BY l.id_producto, l.id_sucursal, c.cantidad
ORDER BY 1, 2
