-- The pricing policy, of a product, a category, or all; and since when.

CREATE TABLE IF NOT EXISTS dw.politica_precio (
    id_producto bigint,
    categoria   text,
    margen      numeric CHECK (margen >= 0 AND margen < 1),
    impuesto    numeric CONSTRAINT politica_precio_tasa CHECK (impuesto >= 0 AND impuesto < 1),
    redondeo    numeric CHECK (redondeo > 0),
    desde       date,
    CHECK (id_producto IS NULL OR categoria IS NULL),
    CONSTRAINT politica_precio_general CHECK (
        id_producto IS NOT NULL OR categoria IS NOT NULL OR desde IS NOT NULL
        OR (margen IS NOT NULL AND redondeo IS NOT NULL)
    )
);
CREATE UNIQUE INDEX IF NOT EXISTS politica_precio_clave
    ON dw.politica_precio (coalesce(id_producto, -1), coalesce(categoria, ''), coalesce(desde, '-infinity'));
COMMENT ON TABLE dw.politica_precio IS
    'Margen, impuesto y paso de redondeo: del producto, si no de su categoría, si no la fila sin ambos';
COMMENT ON COLUMN dw.politica_precio.impuesto IS
    'Una fracción: 0.18 es 18 %; 0, si la tienda no cobra impuesto. Mientras ninguna fila lo dice, nadie dijo qué tasa vale: se cuenta 0, y se avisa';
COMMENT ON COLUMN dw.politica_precio.desde IS
    'Desde qué día vale lo que dice la fila, hasta la siguiente; nulo: antes de todas. La venta neta lleva la tasa del día de la venta, el precio sugerido la de hoy';
INSERT INTO dw.politica_precio (margen, impuesto, redondeo)
SELECT 0.30, NULL, 0.01
WHERE NOT EXISTS (
    SELECT FROM dw.politica_precio WHERE id_producto IS NULL AND categoria IS NULL AND desde IS NULL
);
