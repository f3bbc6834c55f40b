-- Movements of a shop, the same ones every time: each value is a hash of the movement's number.
-- Parameters: first and last number, moment of the first, days that they span, products.
-- A product's popularity is skewed (2.5th power), and six in a hundred are receipts.
WITH azar AS (
    SELECT
        g.id,
        (hashint8extended(g.id, 1) & 1048575) / 1048576.0::float8 AS a,
        (hashint8extended(g.id, 2) & 1048575) / 1048576.0::float8 AS b,
        (hashint8extended(g.id, 3) & 1048575) / 1048576.0::float8 AS c,
        (hashint8extended(g.id, 4) & 1048575) / 1048576.0::float8 AS d
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS g (id)
), movimiento AS (
    SELECT
        z.id,
        z.a < 0.06 AS entrada,
        1 + floor(%(products)s * power(z.b, 2.5))::bigint AS id_producto,
        1 + floor(z.c * 3)::bigint AS id_sucursal,
        1 + floor(z.d * 5)::numeric AS cantidad,
        %(start)s::timestamptz
        + (z.id - %(first)s) * (%(days)s * interval '1 day'
        / (%(last)s::bigint - %(first)s::bigint + 1)) AS fecha
    FROM azar AS z
), cabecera AS (
    INSERT INTO public.transacciones (id_transaccion, tipo, fecha, id_sucursal)
    SELECT
        m.id, CASE WHEN m.entrada THEN 'ENTRADA_MERCANCIA' ELSE 'VENTA' END, m.fecha,
        m.id_sucursal
    FROM movimiento AS m
)
INSERT INTO public.detalle_transaccion (
    id_detalle, id_transaccion, id_producto, cantidad, precio_unitario, costo_unitario
)
SELECT
    m.id, m.id, m.id_producto,
    CASE WHEN m.entrada THEN m.cantidad * 16 ELSE m.cantidad END,
    CASE WHEN NOT m.entrada THEN (m.id_producto %% 97 + 3) * 1.3 + m.cantidad / 100 END,
    CASE WHEN m.entrada THEN round((m.id_producto %% 97 + 3) * (0.8 + m.cantidad / 30), 2) END
FROM movimiento AS m
