-- The products that the movements name; adapt it like movimientos.sql.
-- codigo, nombre and categoria are text; version_1 is the row's xmin. These may be left out; the first
-- two are true then, as where they are null:
--
--   inventariable  boolean: false of what is sold and is no stock, such as a service
--   activo         boolean: false of what the shop has deleted
--   proveedor      text: whom it is ordered from
SELECT
    p.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    p.xmin AS version_1
FROM public.productos AS p
