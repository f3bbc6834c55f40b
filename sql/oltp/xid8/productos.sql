-- productos.sql for ETL_CAPTURE=xid8: version_1 is the row's version_etl.
SELECT
    p.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    p.version_etl AS version_1
FROM public.productos AS p
