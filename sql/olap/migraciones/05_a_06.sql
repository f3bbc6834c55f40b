-- etl.tramo, of which nothing is kept from load to load, counts what enters.

DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass('etl.tramo') AND a.attname = 'altas'
    ) THEN
        RETURN;
    END IF;
    DROP FUNCTION IF EXISTS etl.contar_altas();
    DROP VIEW IF EXISTS etl.v_diferencia;
    DROP TABLE IF EXISTS etl.tramo;
END
$$;

ALTER TABLE etl.control ADD COLUMN IF NOT EXISTS movimientos_oltp bigint;
