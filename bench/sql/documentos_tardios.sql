-- Receipts and sales of 300 days before a date, of the products whose later movements are so
-- many in all, from the middle of the ranking. Parameters: documents, date, rows.
WITH cola AS (
    SELECT d.id_producto, count(*) AS movimientos
    FROM public.detalle_transaccion AS d
    INNER JOIN public.transacciones AS t ON t.id_transaccion = d.id_transaccion
    WHERE t.fecha > %(date)s - interval '300 days'
    GROUP BY d.id_producto
), elegido AS (
    SELECT s.id_producto, row_number() OVER (ORDER BY s.id_producto) - 1 AS n, count(*) OVER () AS de
    FROM (
        SELECT c.id_producto, sum(c.movimientos) OVER (ORDER BY c.movimientos DESC, c.id_producto) AS suma
        FROM cola AS c
        WHERE c.movimientos < %(rows)s / 100
    ) AS s
    WHERE s.suma <= %(rows)s
), documento AS (
    SELECT
        nextval(pg_get_serial_sequence('public.transacciones', 'id_transaccion')) AS id,
        e.id_producto, g.n
    FROM generate_series(0, %(documents)s - 1) AS g (n)
    INNER JOIN elegido AS e ON e.n = g.n %% e.de
), cabecera AS (
    INSERT INTO public.transacciones (id_transaccion, tipo, fecha, id_sucursal)
    SELECT
        d.id, CASE WHEN d.n %% 2 = 0 THEN 'ENTRADA_MERCANCIA' ELSE 'VENTA' END,
        %(date)s - interval '300 days' + d.n * interval '1 second', 1
    FROM documento AS d
)
INSERT INTO public.detalle_transaccion (
    id_transaccion, id_producto, cantidad, precio_unitario, costo_unitario
)
SELECT
    d.id, d.id_producto, 2, CASE WHEN d.n %% 2 = 1 THEN 9 END, CASE WHEN d.n %% 2 = 0 THEN 7.77 END
FROM documento AS d
