-- Whom a product is ordered from, and the least of what came late to a product with adjustments.
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
