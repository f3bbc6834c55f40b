-- Transactions of others that have an id, since only these hold back the horizon, and are
-- older than a limit. pg_locks shows the ids to everybody; xact_start and backend_type of
-- another account's session are null without pg_read_all_stats, and then the id's age tells.
SELECT
    a.pid,
    a.usename::text AS usuario,
    a.datname::text AS base,
    a.application_name AS aplicacion,
    a.xact_start AS desde,
    x.edad
FROM pg_stat_activity AS a
INNER JOIN (
    SELECT l.pid, max(age(l.transactionid)) AS edad
    FROM pg_locks AS l
    WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
    GROUP BY l.pid
) AS x ON x.pid = a.pid
WHERE a.pid <> pg_backend_pid()
    AND coalesce(
        a.xact_start < clock_timestamp() - %(seconds)s * interval '1 second',
        x.edad >= %(transactions)s
    )
ORDER BY x.edad DESC, a.pid
LIMIT 10
