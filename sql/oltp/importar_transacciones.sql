-- `import`, step 5: movements, new and changed, each a document of one line, and
-- the branches that they name. What is the same gets no new row version, so that
-- the pipeline does not read it again. A column that the file lacks stays as it is.
WITH sucursales_nuevas AS (
    INSERT INTO public.sucursales (id_sucursal, nombre)
    SELECT DISTINCT s.id, 'Sucursal ' || s.id
    FROM pg_temp.importar_movimientos AS e
    CROSS JOIN LATERAL (VALUES (e.id_sucursal), (e.id_destino)) AS s (id)
    WHERE s.id IS NOT NULL
    ON CONFLICT (id_sucursal) DO NOTHING
    RETURNING id_sucursal
),

cabeceras AS (
    INSERT INTO public.transacciones AS t
    (id_transaccion, tipo, fecha, id_sucursal, anulada, id_sucursal_destino)
    SELECT
        e.id,
        e.tipo,
        e.fecha,
        CASE WHEN %(sucursal)s THEN e.id_sucursal ELSE v.id_sucursal END,
        CASE WHEN %(anulada)s THEN e.anulada ELSE coalesce(v.anulada, false) END,
        CASE WHEN %(destino)s THEN e.id_destino ELSE v.id_sucursal_destino END
    FROM pg_temp.importar_movimientos AS e
    LEFT JOIN public.transacciones AS v ON v.id_transaccion = e.id
    ON CONFLICT (id_transaccion) DO UPDATE SET
        tipo = excluded.tipo,
        fecha = excluded.fecha,
        id_sucursal = excluded.id_sucursal,
        anulada = excluded.anulada,
        id_sucursal_destino = excluded.id_sucursal_destino
    WHERE (t.tipo, t.fecha, t.id_sucursal, t.anulada, t.id_sucursal_destino) IS DISTINCT FROM (
        excluded.tipo, excluded.fecha, excluded.id_sucursal, excluded.anulada,
        excluded.id_sucursal_destino
    )
    -- An updated version carries its writer's lock in xmax; a new row has none.
    RETURNING t.id_transaccion AS id, t.xmax = 0 AS nuevo
),

renglones AS (
    INSERT INTO public.detalle_transaccion AS d
    (
        id_detalle, id_transaccion, id_producto, cantidad, precio_unitario, costo_unitario,
        id_origen, importe
    )
    SELECT
        e.id, e.id, e.id_producto, e.cantidad, e.precio_unitario, e.costo_unitario,
        CASE WHEN %(origen)s THEN e.id_origen ELSE v.id_origen END,
        CASE WHEN %(importe)s THEN e.importe ELSE v.importe END
    FROM pg_temp.importar_movimientos AS e
    LEFT JOIN public.detalle_transaccion AS v ON v.id_detalle = e.id
    ON CONFLICT (id_detalle) DO UPDATE SET
        id_producto = excluded.id_producto,
        cantidad = excluded.cantidad,
        precio_unitario = excluded.precio_unitario,
        costo_unitario = excluded.costo_unitario,
        id_origen = excluded.id_origen,
        importe = excluded.importe
    WHERE (
        d.id_producto, d.cantidad, d.precio_unitario, d.costo_unitario, d.id_origen, d.importe
    ) IS DISTINCT FROM (
        excluded.id_producto, excluded.cantidad, excluded.precio_unitario,
        excluded.costo_unitario, excluded.id_origen, excluded.importe
    )
    RETURNING d.id_detalle AS id, d.xmax = 0 AS nuevo
),

guardados AS (
    SELECT id, bool_or(nuevo) AS nuevo
    FROM (SELECT id, nuevo FROM cabeceras UNION ALL SELECT id, nuevo FROM renglones) AS ambos
    GROUP BY id
)

SELECT
    count(*) FILTER (WHERE nuevo) AS nuevos,
    count(*) FILTER (WHERE NOT nuevo) AS cambiados,
    (SELECT count(*) FROM sucursales_nuevas) AS sucursales
FROM guardados
