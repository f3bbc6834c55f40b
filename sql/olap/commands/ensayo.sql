-- What a load would do, told from within its transaction: `plan`.

CREATE OR REPLACE FUNCTION etl.cifras_ensayo() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- As in a load: see etl.preparar_carga().
SET enable_nestloop = off
AS $$
SELECT jsonb_build_object(
    'existencias', (SELECT coalesce(sum(i.existencias), 0) FROM dw.inventario AS i),
    'valor', (SELECT coalesce(sum(i.valor), 0) FROM dw.inventario AS i WHERE i.existencias > 0)
) || etl.contar_salidas()
$$;
COMMENT ON FUNCTION etl.cifras_ensayo() IS
    'Existencias y valor, y lo que salió del kardex, como los ve la transacción de una carga: para decirlo antes de hacerla';
SELECT etl.conceder('EXECUTE', 'etl.cifras_ensayo()', 'etl_cargador');
