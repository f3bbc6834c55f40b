-- Medusa's stock locations. One that is deleted keeps the levels that it had, and so its name here.
SELECT
    u.id AS id_sucursal,
    u.name AS nombre,
    u.xmin AS version_1
FROM public.stock_location AS u
