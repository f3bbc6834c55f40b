-- The snapshot that a window is read in: its bounds, and which server it is of.
-- The insert position is taken after the snapshot, so that it covers the commit of
-- everything that the snapshot sees. A standby has no WAL functions of its own.
SELECT
    pg_snapshot_xmin(s.snapshot)::text::bigint AS horizonte,
    pg_snapshot_xmax(s.snapshot)::text::bigint AS tope,
    statement_timestamp() AS leida,
    s.replica,
    CASE
        WHEN s.replica THEN pg_last_wal_replay_lsn()
        ELSE pg_current_wal_insert_lsn()
    END::text AS lsn,
    (SELECT system_identifier FROM pg_control_system())::text AS sistema,
    CASE
        WHEN s.replica THEN lpad(upper(to_hex((SELECT timeline_id FROM pg_control_checkpoint()))), 8, '0')
        ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
    END AS linea_de_tiempo,
    (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())::bigint AS base
FROM (SELECT pg_current_snapshot() AS snapshot, pg_is_in_recovery() AS replica) AS s
