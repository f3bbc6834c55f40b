-- The pure functions of the valuation, which a shop may replace, as the catalogue has them.
SELECT
    'dw.' || p.proname || '(' || pg_get_function_arguments(p.oid) || ')' AS funcion,
    obj_description(p.oid, 'pg_proc') AS comentario
FROM pg_proc AS p
WHERE
    p.pronamespace = 'dw'::regnamespace
    AND p.proname IN (
        'actualizar_costo_promedio', 'actualizar_stock_venta', 'calcular_precio_sugerido', 'venta_neta'
    )
ORDER BY p.proname
