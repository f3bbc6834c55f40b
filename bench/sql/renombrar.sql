-- A till that renames and recategorises its whole catalogue in one night.
-- Parameters: which night, how many categories.
UPDATE public.productos AS p
SET nombre = 'Producto ' || p.id_producto || ', noche ' || %(night)s,
    categoria = 'Categoría ' || (p.id_producto + %(night)s) %% %(categories)s
