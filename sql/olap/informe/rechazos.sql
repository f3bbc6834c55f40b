-- Movements that cannot be valued, by their reason.
SELECT
    r.motivo, count(*) AS movimientos, min(r.primera_hasta) AS desde,
    count(*) OVER () AS total,
    sum(count(*)) OVER () AS movimientos_total
FROM dw.v_rechazos AS r
GROUP BY r.motivo
ORDER BY movimientos DESC, r.motivo
LIMIT %(limite)s;
