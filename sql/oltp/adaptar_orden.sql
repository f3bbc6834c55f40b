-- adapt: how many movements there are, how many have no number, and how many have a lower one than some
-- movement of an earlier day.
SELECT count(*), count(*) FILTER (WHERE d.id_movimiento IS NULL), count(*) FILTER (WHERE d.id_movimiento < d.antes)
FROM (
    SELECT
        m.id_movimiento::bigint AS id_movimiento,
        max(m.id_movimiento::bigint) OVER (
            ORDER BY m.fecha::date RANGE BETWEEN UNBOUNDED PRECEDING AND '1 day' PRECEDING
        ) AS antes
    FROM (
{query}
    ) AS m
) AS d
