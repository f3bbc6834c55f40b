-- The policy that holds for each product.

CREATE OR REPLACE VIEW dw.v_politica_producto AS
SELECT
    p.id_producto,
    coalesce(del_producto.margen, de_categoria.margen, general.margen) AS margen,
    coalesce(del_producto.impuesto, de_categoria.impuesto, general.impuesto) AS impuesto,
    coalesce(del_producto.redondeo, de_categoria.redondeo, general.redondeo) AS redondeo
FROM dw.producto AS p
INNER JOIN dw.politica_precio AS general
    ON general.id_producto IS NULL AND general.categoria IS NULL
LEFT JOIN dw.politica_precio AS de_categoria ON de_categoria.categoria = p.categoria
LEFT JOIN dw.politica_precio AS del_producto ON del_producto.id_producto = p.id_producto;
COMMENT ON VIEW dw.v_politica_producto IS 'La política de precios que vale para cada producto';
