-- The pure functions of the valuation, which a shop may replace, as the catalogue has them.
SELECT
    'dw.' || p.proname || '(' || pg_get_function_arguments(p.oid) || ')' AS funcion,
    obj_description(p.oid, 'pg_proc') AS comentario
FROM pg_proc AS p
INNER JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.pronamespace = 'dw'::regnamespace AND p.provolatile = 'i' AND l.lanname = 'sql'
ORDER BY p.proname
