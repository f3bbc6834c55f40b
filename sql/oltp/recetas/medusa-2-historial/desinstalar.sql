-- Takes away what instalar.sql made, with the history that was kept: Medusa is as it was before. Keep a
-- copy of historial.existencias if its corrections are still to be read in full.
\set ON_ERROR_STOP on
BEGIN;
DROP TRIGGER IF EXISTS anotar_existencias ON public.inventory_level;
DROP FUNCTION IF EXISTS historial.anotar_existencias();
DROP TABLE IF EXISTS historial.existencias;
DROP SCHEMA IF EXISTS historial;
COMMIT;
