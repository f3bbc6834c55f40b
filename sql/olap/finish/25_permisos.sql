-- Whoever might read a view that a migration has made anew may read it again.

DO $$
BEGIN
    EXECUTE coalesce(current_setting('etl.permisos_de_antes', true), '');
END
$$;
