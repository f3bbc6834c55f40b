-- The shop's price list after a day; a price that stays is not written again.
UPDATE public.productos AS p
SET precio_lista = n.precio
FROM unnest(%(productos)s, %(precios)s) AS n (id_producto, precio)
WHERE p.id_producto = n.id_producto AND p.precio_lista IS DISTINCT FROM n.precio
