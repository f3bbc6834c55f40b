-- What the runs of each of the last 28 days carried, and how long the longest took.
WITH suma AS (
    SELECT
        (c.hasta AT TIME ZONE %(zona)s)::date AS dia,
        count(*) AS corridas,
        sum(c.nuevas + c.cambiadas + c.retiradas) AS movimientos,
        max(
            coalesce(c.segundos_extraccion, 0) + coalesce(c.segundos_carga, 0)
            + coalesce(c.segundos_vistas, 0)
        ) AS segundos
    -- By its key, and no more than a run every eight minutes leaves in 28 days.
    FROM (SELECT * FROM dw.v_corridas AS v ORDER BY v.desde DESC LIMIT 5000) AS c
    WHERE c.hasta >= (%(dia)s::date - 27)::timestamp AT TIME ZONE %(zona)s
    GROUP BY 1
)
SELECT
    %(dia)s::date - n AS dia,
    coalesce(s.corridas, 0) AS corridas,
    coalesce(s.movimientos, 0) AS movimientos,
    s.segundos
FROM generate_series(27, 0, -1) AS n
LEFT JOIN suma AS s ON s.dia = %(dia)s::date - n
ORDER BY 1;
