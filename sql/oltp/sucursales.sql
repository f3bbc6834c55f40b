-- The branches that the movements name; adapt it like movimientos.sql.
-- A shop without branches leaves it returning no rows.
SELECT
    s.id_sucursal,
    s.nombre,
    s.xmin AS version_1
FROM public.sucursales AS s
