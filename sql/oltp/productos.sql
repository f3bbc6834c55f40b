-- The products that the movements name; adapt it like movimientos.sql.
-- codigo, nombre and categoria are text; version_1 is the row's xmin.
SELECT
    p.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    p.xmin AS version_1
FROM public.productos AS p
