-- The policy that holds for each product, on a day, and the tax of its sales through the years.

CREATE OR REPLACE FUNCTION etl.politica_al(p_dia date)
RETURNS TABLE (id_producto bigint, margen numeric, impuesto numeric, redondeo numeric)
LANGUAGE sql STABLE
AS $$
WITH dicho AS MATERIALIZED (
    -- What was said last of each, and still holds.
    SELECT
        r.id_producto, r.categoria,
        (array_agg(r.margen ORDER BY r.desde DESC NULLS LAST) FILTER (WHERE r.margen IS NOT NULL))[1] AS margen,
        (array_agg(r.impuesto ORDER BY r.desde DESC NULLS LAST) FILTER (WHERE r.impuesto IS NOT NULL))[1] AS impuesto,
        (array_agg(r.redondeo ORDER BY r.desde DESC NULLS LAST) FILTER (WHERE r.redondeo IS NOT NULL))[1] AS redondeo
    FROM dw.politica_precio AS r
    WHERE r.desde IS NULL OR r.desde <= p_dia
    GROUP BY r.id_producto, r.categoria
)
-- Where somebody took away the row of all, or gave it a date, what init puts there holds before: a
-- product without a policy would be one without a stock.
SELECT
    p.id_producto,
    coalesce(del_producto.margen, de_categoria.margen, general.margen, 0.30),
    coalesce(del_producto.impuesto, de_categoria.impuesto, general.impuesto, 0),
    coalesce(del_producto.redondeo, de_categoria.redondeo, general.redondeo, 0.01)
FROM dw.producto AS p
LEFT JOIN dicho AS general ON general.id_producto IS NULL AND general.categoria IS NULL
LEFT JOIN dicho AS de_categoria ON de_categoria.categoria = p.categoria
LEFT JOIN dicho AS del_producto ON del_producto.id_producto = p.id_producto
$$;
COMMENT ON FUNCTION etl.politica_al(date) IS 'La política de precios que vale para cada producto en un día';

CREATE OR REPLACE FUNCTION etl.tasas()
RETURNS TABLE (id_producto bigint, impuesto numeric, tasas dw.tasa[])
LANGUAGE sql STABLE
AS $$
SELECT s.id_producto, s.impuesto, c.tasas
FROM etl.politica_al('-infinity') AS s
LEFT JOIN (
    SELECT a.id_producto, array_agg(ROW(d.desde, a.impuesto)::dw.tasa ORDER BY d.desde) AS tasas
    FROM (SELECT DISTINCT r.desde FROM dw.politica_precio AS r WHERE r.desde IS NOT NULL AND r.impuesto IS NOT NULL) AS d
    CROSS JOIN LATERAL etl.politica_al(d.desde) AS a
    GROUP BY a.id_producto
) AS c ON c.id_producto = s.id_producto AND EXISTS (
    SELECT FROM unnest(c.tasas) AS t WHERE t.impuesto <> s.impuesto
)
$$;
COMMENT ON FUNCTION etl.tasas() IS
    'La tasa de cada producto antes de toda fecha de dw.politica_precio, y las que valen desde cada una; nulo si no cambia';

CREATE OR REPLACE VIEW dw.v_politica_producto AS
SELECT v.id_producto, v.margen, v.impuesto, v.redondeo
FROM etl.politica_al(coalesce(
    (SELECT (c.hasta AT TIME ZONE c.zona)::date FROM etl.control AS c), current_date
)) AS v;
COMMENT ON VIEW dw.v_politica_producto IS
    'La política de precios que vale para cada producto el día hasta el que llegan los datos';
