-- The views may show something else from now on; one that is new shows at once what is loaded.

UPDATE etl.refresco SET version = NULL;

DO $$
DECLARE
    v_vista record;
BEGIN
    FOR v_vista IN
        SELECT v.nombre
        FROM etl.vistas_por_refrescar() AS v
        INNER JOIN pg_class AS c ON c.oid = v.vista
        CROSS JOIN etl.control AS t
        WHERE v.propia AND NOT c.relispopulated AND t.hasta IS NOT NULL
    LOOP
        EXECUTE format('REFRESH MATERIALIZED VIEW %s', v_vista.nombre);
    END LOOP;
END
$$;
