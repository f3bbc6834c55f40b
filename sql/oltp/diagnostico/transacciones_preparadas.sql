-- Every prepared transaction of the server: of whichever database, it holds back the horizon.
SELECT p.gid, p.owner::text AS dueno, p.database::text AS base, p.prepared AS desde
FROM pg_prepared_xacts AS p
ORDER BY p.prepared, p.gid
LIMIT 10
