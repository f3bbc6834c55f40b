-- A receipt of a product dated just before its so many last movements. Parameter: tail.
WITH producto AS (
    SELECT d.id_producto
    FROM public.detalle_transaccion AS d
    GROUP BY d.id_producto
    HAVING count(*) > %(tail)s
    ORDER BY count(*)
    LIMIT 1
), momento AS (
    SELECT p.id_producto, t.fecha - interval '1 microsecond' AS fecha
    FROM producto AS p
    INNER JOIN public.detalle_transaccion AS d ON d.id_producto = p.id_producto
    INNER JOIN public.transacciones AS t ON t.id_transaccion = d.id_transaccion
    ORDER BY t.fecha DESC
    OFFSET %(tail)s - 1
    LIMIT 1
), cabecera AS (
    INSERT INTO public.transacciones (tipo, fecha, id_sucursal)
    SELECT 'ENTRADA_MERCANCIA', m.fecha, 1 FROM momento AS m
    RETURNING id_transaccion
)
INSERT INTO public.detalle_transaccion (id_transaccion, id_producto, cantidad, costo_unitario)
SELECT c.id_transaccion, m.id_producto, 50, 7.77
FROM cabecera AS c
CROSS JOIN momento AS m
