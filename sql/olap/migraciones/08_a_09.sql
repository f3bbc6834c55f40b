-- The guard knows of what is replaced, verify of the shop's zone, the control row of the queries and of
-- the catalogue of products that were read.

DROP FUNCTION IF EXISTS
    etl.revisar_retiros(etl.control, jsonb, jsonb), etl.verificar_bloques(timestamptz, bigint),
    etl.verificar_filas(timestamptz, bigint[], bigint);
DROP VIEW IF EXISTS etl.v_huella;

ALTER TABLE etl.control
    ADD COLUMN IF NOT EXISTS catalogo text,
    ADD COLUMN IF NOT EXISTS ajenas bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS consultas jsonb,
    ADD COLUMN IF NOT EXISTS ultimo_previsto bigint;
ALTER TABLE dw.producto ADD COLUMN IF NOT EXISTS vigente boolean NOT NULL DEFAULT true;
ALTER TABLE etl.descarte ADD COLUMN IF NOT EXISTS fuera text;
