-- Backfill: how many movements in scope each day of the earlier history has. By the OLTP's rules
-- for the zone, which may be others than the OLAP's: the days only bound the pieces.
SELECT date_trunc('day', m.fecha::timestamptz) AS dia, count(*) AS filas
FROM (
{query}
) AS m
WHERE {condition}
GROUP BY 1
ORDER BY 1
