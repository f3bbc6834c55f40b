-- The same shop with every type of movement: of a hundred movements four are returns of the sale before
-- them, one is an adjustment, two are transfers; every product is counted once a month in a branch, and
-- a tenth of the receipts pay freight some days later. The same ones every time.
WITH azar AS (
    SELECT
        t.id_transaccion, t.id_sucursal,
        (hashint8extended(t.id_transaccion, 5) & 1048575) / 1048576.0::float8 AS a
    FROM public.transacciones AS t
    WHERE t.tipo = 'VENTA'
)
UPDATE public.transacciones AS t
SET tipo = CASE
        WHEN z.a < 0.0425 THEN 'DEVOLUCION_VENTA'
        WHEN z.a < 0.0475 THEN 'AJUSTE_SALIDA'
        WHEN z.a < 0.0530 THEN 'AJUSTE_ENTRADA'
        ELSE 'TRASLADO'
    END,
    id_sucursal_destino = CASE WHEN z.a >= 0.0530 THEN 1 + z.id_sucursal %% 3 END
FROM azar AS z
WHERE z.id_transaccion = t.id_transaccion AND z.a < 0.0743;

UPDATE public.detalle_transaccion AS d
SET id_origen = o.id_origen
FROM (
    SELECT
        l.id_detalle, t.tipo,
        max(l.id_detalle) FILTER (WHERE t.tipo = 'VENTA') OVER (
            PARTITION BY l.id_producto ORDER BY l.id_detalle
        ) AS id_origen
    FROM public.detalle_transaccion AS l
    INNER JOIN public.transacciones AS t ON t.id_transaccion = l.id_transaccion
) AS o
WHERE o.id_detalle = d.id_detalle AND o.tipo = 'DEVOLUCION_VENTA';

WITH conteo AS (
    SELECT
        u.id + row_number() OVER (ORDER BY m.mes, p.id_producto) AS id, p.id_producto,
        least(m.mes, u.fecha) AS fecha
    FROM public.productos AS p
    CROSS JOIN (
        SELECT max(t.id_transaccion) AS id, min(t.fecha) AS desde, max(t.fecha) AS fecha
        FROM public.transacciones AS t
    ) AS u
    CROSS JOIN LATERAL generate_series(
        u.desde + interval '1 month', u.fecha, interval '1 month'
    ) AS m (mes)
), cabecera AS (
    INSERT INTO public.transacciones (id_transaccion, tipo, fecha, id_sucursal)
    SELECT c.id, 'CONTEO', c.fecha, 1 + c.id %% 3
    FROM conteo AS c
)
INSERT INTO public.detalle_transaccion (id_detalle, id_transaccion, id_producto, cantidad)
SELECT c.id, c.id, c.id_producto, hashint8extended(c.id, 6) & 63
FROM conteo AS c;

WITH flete AS (
    SELECT
        u.id + row_number() OVER (ORDER BY d.id_detalle) AS id, d.id_producto, d.id_detalle,
        least(t.fecha + interval '5 days', u.fecha) AS fecha
    FROM public.detalle_transaccion AS d
    INNER JOIN public.transacciones AS t ON t.id_transaccion = d.id_transaccion
    CROSS JOIN (
        SELECT max(v.id_transaccion) AS id, max(v.fecha) AS fecha FROM public.transacciones AS v
    ) AS u
    WHERE t.tipo = 'ENTRADA_MERCANCIA' AND hashint8extended(d.id_detalle, 7) & 1023 < 102
), cabecera AS (
    INSERT INTO public.transacciones (id_transaccion, tipo, fecha)
    SELECT f.id, 'COSTO_ADICIONAL', f.fecha
    FROM flete AS f
)
INSERT INTO public.detalle_transaccion (
    id_detalle, id_transaccion, id_producto, costo_unitario, id_origen
)
SELECT f.id, f.id, f.id_producto, 7.5, f.id_detalle
FROM flete AS f
