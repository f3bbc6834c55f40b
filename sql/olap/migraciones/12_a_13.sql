-- The ledger's keys but the first are indexes, which a first load makes once its rows are there.

ALTER TABLE IF EXISTS dw.kardex DROP CONSTRAINT IF EXISTS kardex_movimiento_unico;
DROP VIEW IF EXISTS etl.v_clase CASCADE;
ALTER TABLE etl.control ADD COLUMN IF NOT EXISTS revaluar boolean NOT NULL DEFAULT false;
