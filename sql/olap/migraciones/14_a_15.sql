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
-- What is accepted is so for the transaction of one load.
DO $$
BEGIN
    IF to_regclass('etl.control') IS NOT NULL THEN
        UPDATE etl.control SET aceptar_fuente = NULL;
    END IF;
    IF to_regprocedure('etl.aceptar_ajustes(boolean)') IS NOT NULL THEN
        UPDATE etl.control SET aceptar_ajustes = false;
    END IF;
END
$$;
DROP FUNCTION IF EXISTS etl.aceptar_ajustes(boolean);
