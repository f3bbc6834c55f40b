-- What a shop that uses none of it pays for closings and adjustments, and what these lacked.
-- Functions whose signature changed are made anew by init.
DROP TABLE IF EXISTS etl.etapa_producto CASCADE;
ALTER TABLE IF EXISTS etl.diferencia_existencias ADD COLUMN IF NOT EXISTS atrasada_menor numeric;
