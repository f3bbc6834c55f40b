-- For how many days to order, of a product, a category, or all.

CREATE TABLE IF NOT EXISTS dw.politica_reposicion (
    id_producto bigint,
    categoria   text,
    dias        numeric NOT NULL CONSTRAINT politica_reposicion_dias CHECK (dias > 0 AND dias <= 3650),
    CONSTRAINT politica_reposicion_de CHECK (id_producto IS NULL OR categoria IS NULL)
);
CREATE UNIQUE INDEX IF NOT EXISTS politica_reposicion_clave
    ON dw.politica_reposicion (coalesce(id_producto, -1), coalesce(categoria, ''));
COMMENT ON TABLE dw.politica_reposicion IS
    'Para cuántos días se pide: lo del producto, si no lo de su categoría, si no la fila sin ambos (30)';
INSERT INTO dw.politica_reposicion (dias)
SELECT 30
WHERE NOT EXISTS (
    SELECT FROM dw.politica_reposicion WHERE id_producto IS NULL AND categoria IS NULL
);
