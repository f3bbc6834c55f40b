-- `import`, step 2: the first line that repeats the id of an earlier line.
SELECT r.linea, r.id, r.anterior
FROM (
    SELECT e.linea, e.id, lag(e.linea) OVER (PARTITION BY e.id ORDER BY e.linea) AS anterior
    FROM {etapa} AS e
) AS r
WHERE r.anterior IS NOT NULL
ORDER BY r.linea
LIMIT 1
