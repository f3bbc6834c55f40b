-- The two schemas, and the roles that may reach into them. The loader writes staging and calls
-- functions; it reads no table. The dashboards read views.

CREATE SCHEMA IF NOT EXISTS etl;
CREATE SCHEMA IF NOT EXISTS dw;
COMMENT ON SCHEMA etl IS 'Control y tablas de trabajo de la carga';
COMMENT ON SCHEMA dw IS 'Inventario valorizado, resúmenes y vistas para los tableros';

DO $$
DECLARE
    v_rol text;
BEGIN
    FOREACH v_rol IN ARRAY ARRAY['etl_cargador', 'bi_lector'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_rol) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', v_rol);
        END IF;
    END LOOP;
END
$$;

REVOKE ALL ON SCHEMA etl, dw FROM PUBLIC;
GRANT USAGE ON SCHEMA etl, dw TO etl_cargador;
GRANT USAGE ON SCHEMA dw TO bi_lector;
