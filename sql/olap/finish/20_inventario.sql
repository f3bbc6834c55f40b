-- What is known of each product, where a migration asked for it.

SELECT etl.actualizar_inventario(
    c.corridas, (c.hasta AT TIME ZONE c.zona)::date, c.zona, true
)
FROM etl.control AS c
WHERE current_setting('etl.inventario_de_nuevo', true) = 'true' AND c.hasta IS NOT NULL;
