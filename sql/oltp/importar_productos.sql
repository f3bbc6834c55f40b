-- `import`, step 4a: products, new and changed. What is the same gets no new row
-- version, so that the pipeline does not read it again. A column that the file
-- lacks stays as it is.
WITH guardados AS (
    INSERT INTO public.productos AS p (id_producto, codigo, nombre, categoria, precio_lista)
    SELECT
        e.id,
        CASE WHEN %(codigo)s THEN e.codigo ELSE v.codigo END,
        e.nombre,
        CASE WHEN %(categoria)s THEN e.categoria ELSE v.categoria END,
        CASE WHEN %(precio_lista)s THEN e.precio_lista ELSE v.precio_lista END
    FROM pg_temp.importar_productos AS e
    LEFT JOIN public.productos AS v ON v.id_producto = e.id
    ON CONFLICT (id_producto) DO UPDATE SET
        codigo = excluded.codigo,
        nombre = excluded.nombre,
        categoria = excluded.categoria,
        precio_lista = excluded.precio_lista
    WHERE (p.codigo, p.nombre, p.categoria, p.precio_lista) IS DISTINCT FROM
        (excluded.codigo, excluded.nombre, excluded.categoria, excluded.precio_lista)
    -- An updated version carries its writer's lock in xmax; a new row has none.
    RETURNING p.xmax = 0 AS nuevo
)
SELECT
    count(*) FILTER (WHERE nuevo) AS nuevos,
    count(*) FILTER (WHERE NOT nuevo) AS cambiados
FROM guardados
