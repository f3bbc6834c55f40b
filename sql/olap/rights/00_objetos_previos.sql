-- For finish/30_duenos.sql: what is in dw before this init, some of it perhaps the shop's own.

CREATE TEMPORARY TABLE de_antes ON COMMIT DROP AS
SELECT 'pg_class'::regclass AS clase, c.oid FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('dw')
UNION ALL
SELECT 'pg_proc'::regclass, p.oid FROM pg_proc AS p WHERE p.pronamespace = to_regnamespace('dw');
