-- What is valued again is valued in a loop. The sums went wrong where a clock is put back to midnight.

DROP FUNCTION IF EXISTS etl.valorizar_parte(numeric, bigint);

-- finish/10_resumenes.sql makes the sums of what is loaded.
SELECT set_config('etl.sumar_de_nuevo', 'true', true);
