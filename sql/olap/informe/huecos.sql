-- Where a window of the last 14 days is far longer than the usual one: runs failed there, or none came.
WITH ventana AS (
    SELECT c.desde, c.hasta, c.hasta - c.desde AS largo
    FROM dw.v_corridas AS c
    ORDER BY c.desde DESC
    LIMIT 2500
), usual AS (
    SELECT greatest(
        interval '26 hours', 1.5 * percentile_cont(0.5) WITHIN GROUP (ORDER BY v.largo)
    ) AS largo
    FROM ventana AS v
    WHERE v.desde > (SELECT min(o.desde) FROM ventana AS o)
)
SELECT v.desde, v.hasta, u.largo AS usual
FROM usual AS u
LEFT JOIN ventana AS v ON v.largo > u.largo AND v.hasta >= (%(dia)s::date - 14)::timestamp AT TIME ZONE %(zona)s
    -- The first one is history.
    AND v.desde > (SELECT min(o.desde) FROM ventana AS o)
ORDER BY v.desde DESC;
