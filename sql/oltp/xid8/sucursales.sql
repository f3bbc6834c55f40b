-- sucursales.sql for ETL_CAPTURE=xid8: version_1 is the row's version_etl.
SELECT
    s.id_sucursal,
    s.nombre,
    s.version_etl AS version_1
FROM public.sucursales AS s
