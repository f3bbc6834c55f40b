-- The last runs, the latest first.
SELECT
    c.desde, c.hasta, c.nuevas, c.cambiadas, c.retiradas, c.rechazadas,
    coalesce(c.segundos_extraccion, 0) + coalesce(c.segundos_carga, 0)
        + coalesce(c.segundos_vistas, 0) AS segundos
FROM dw.v_corridas AS c
ORDER BY c.desde DESC
LIMIT %(limite)s;
