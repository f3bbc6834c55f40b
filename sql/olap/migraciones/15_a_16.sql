-- What a window compares of the shop's stock follows from the whole extract.
DROP FUNCTION IF EXISTS etl.cargar_existencias(jsonb, timestamptz);
