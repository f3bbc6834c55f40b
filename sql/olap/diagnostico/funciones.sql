-- The functions that the pipeline's tasks and commands call, and whether the account may.
SELECT
    split_part(f.objeto, '(', 1) AS funcion,
    coalesce(has_function_privilege(p.oid, 'EXECUTE'), false) AS permitida,
    p.oid IS NOT NULL AS existe
FROM dw.concesiones('etl_cargador') AS f
LEFT JOIN pg_proc AS p ON p.oid = to_regprocedure(f.objeto)
WHERE f.permiso = 'EXECUTE'
ORDER BY 1
