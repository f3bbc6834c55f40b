-- How many seconds a zone's clock is ahead of UTC at given moments, in seconds since 1970:
-- asked of both servers, whose time zone data can be of different years.
SELECT extract(epoch FROM to_timestamp(u.momento) AT TIME ZONE %(zone)s)::bigint - u.momento
FROM unnest(%(moments)s::bigint[]) WITH ORDINALITY AS u (momento, orden)
ORDER BY u.orden
