-- The reader's role on the OLTP. `init` grants it SELECT on the tables that
-- movimientos.sql, productos.sql and sucursales.sql read.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'etl_lector') THEN
        CREATE ROLE etl_lector NOLOGIN;
    END IF;
END
$$
