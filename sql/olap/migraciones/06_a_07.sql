-- A free receipt has a mark, so that the index for notices, of which there were two up to version 5,
-- names no cost; pages have room for rows that are valued again; a tax is a rate below 1.

DO $$
DECLARE
    v_tabla regclass;
    v_indice regclass;
BEGIN
    UPDATE dw.kardex
    SET salto_costo = CASE WHEN costo_unitario = 0 THEN 0 ELSE 0.000001 END
    WHERE tipo = 'ENTRADA_MERCANCIA' AND (costo_unitario = 0 OR salto_costo = 0);
    -- What a trigger of the shop's has put off would stop the rest.
    SET CONSTRAINTS ALL IMMEDIATE;
    FOR v_indice IN
        SELECT i.indexrelid
        FROM pg_index AS i
        INNER JOIN pg_class AS n ON n.oid = i.indexrelid
        WHERE i.indrelid = 'dw.kardex'::regclass
            AND n.relname IN ('kardex_gratis', 'kardex_saltos', 'kardex_avisos')
    LOOP
        EXECUTE format('DROP INDEX %s', v_indice);
    END LOOP;
    FOR v_tabla IN
        SELECT c.oid
        FROM pg_class AS c
        WHERE c.oid IN (
            to_regclass('dw.kardex'), to_regclass('dw.resumen_diario'),
            to_regclass('dw.resumen_mensual')
        ) AND NOT EXISTS (
            SELECT FROM pg_options_to_table(c.reloptions) AS o WHERE o.option_name = 'fillfactor'
        )
    LOOP
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 50)', v_tabla);
    END LOOP;
    IF EXISTS (
        SELECT FROM pg_constraint AS c
        WHERE c.conrelid = 'dw.politica_precio'::regclass AND c.conname = 'politica_precio_tasa'
    ) THEN
        RETURN;
    END IF;
    -- It was < 100, where 18 for 18 % passed. A row that holds such a rate keeps it until it is changed.
    ALTER TABLE dw.politica_precio
        DROP CONSTRAINT IF EXISTS politica_precio_impuesto_check,
        ADD CONSTRAINT politica_precio_tasa CHECK (impuesto >= 0 AND impuesto < 1) NOT VALID;
    IF NOT EXISTS (SELECT FROM dw.politica_precio AS p WHERE p.impuesto >= 1) THEN
        ALTER TABLE dw.politica_precio VALIDATE CONSTRAINT politica_precio_tasa;
    END IF;
END
$$;
