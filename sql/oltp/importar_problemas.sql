-- `import`, step 4b, after the products: the first line of a movement that
-- cannot be merged, and why.
--   producto  its product is neither in the file of products nor in the database
--   origen    what it returns, or adds cost to, is neither in the file nor in the database
--   ajena     its id is a line of another document, or a document with lines of
--             other ids alone: it was not a file that brought it, and merging
--             would mix two documents.
SELECT m.linea, m.motivo, m.valor
FROM (
    SELECT e.linea, 'producto' AS motivo, e.id_producto AS valor
    FROM pg_temp.importar_movimientos AS e
    WHERE NOT EXISTS (SELECT FROM public.productos AS p WHERE p.id_producto = e.id_producto)
    UNION ALL
    SELECT e.linea, 'origen', e.id_origen
    FROM pg_temp.importar_movimientos AS e
    WHERE e.id_origen IS NOT NULL
        AND NOT EXISTS (SELECT FROM pg_temp.importar_movimientos AS o WHERE o.id = e.id_origen)
        AND NOT EXISTS (SELECT FROM public.detalle_transaccion AS o WHERE o.id_detalle = e.id_origen)
    UNION ALL
    SELECT e.linea, 'ajena', e.id
    FROM pg_temp.importar_movimientos AS e
    INNER JOIN public.detalle_transaccion AS d ON d.id_detalle = e.id
    WHERE d.id_transaccion <> e.id
    UNION ALL
    SELECT e.linea, 'ajena', e.id
    FROM pg_temp.importar_movimientos AS e
    INNER JOIN public.detalle_transaccion AS d ON d.id_transaccion = e.id
    WHERE NOT EXISTS (SELECT FROM public.detalle_transaccion AS o WHERE o.id_detalle = e.id)
) AS m
ORDER BY m.linea, m.motivo
LIMIT 1
