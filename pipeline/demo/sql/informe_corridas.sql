-- The last runs, oldest first.
SELECT * FROM (
    SELECT
        c.numero, c.hasta, c.filas_leidas, c.nuevas, c.cambiadas, c.retiradas,
        c.revaluadas, c.rechazadas, c.segundos_extraccion + c.segundos_carga
    FROM dw.v_corridas AS c
    ORDER BY c.numero DESC
    LIMIT 4
) AS c
ORDER BY c.numero
