-- The movements of the next day by the server's clock, and by how many hours the last is ahead of it.
SELECT count(*), coalesce(extract(epoch FROM max(f.momento) - now()) / 3600, 0)::float8
FROM (
    SELECT {moment} AS momento
    FROM (
{query}
    ) AS m
    WHERE NOT m.anulado
) AS f
WHERE f.momento > now() + interval '5 minutes' AND f.momento < now() + interval '1 day'
