-- What a shop that uses none of it pays for closings and adjustments, and what these lacked.
-- Functions whose signature changed are made anew by init.
DROP TABLE IF EXISTS etl.etapa_producto CASCADE;
ALTER TABLE IF EXISTS etl.diferencia_existencias ADD COLUMN IF NOT EXISTS atrasada_menor numeric;
-- What was found before is undone whatever its size.
DO $$
BEGIN
    IF to_regclass('etl.diferencia_existencias') IS NOT NULL THEN
        UPDATE etl.diferencia_existencias SET atrasada_menor = 0 WHERE atrasada <> 0;
    END IF;
END
$$;
