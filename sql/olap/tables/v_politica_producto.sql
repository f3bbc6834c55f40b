-- The policy that holds for each product, on a day, the tax of its sales through the years, and whether
-- anybody said it.

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

CREATE OR REPLACE VIEW etl.v_ultimas_ventas AS
SELECT k.impuesto, coalesce(k.precio_con_impuesto, p.precio_con_impuesto) AS incluido, k.precio_con_impuesto
FROM (SELECT r.id_producto FROM dw.resumen_movil AS r ORDER BY r.id_producto DESC LIMIT 500) AS m
INNER JOIN dw.producto AS p ON p.id_producto = m.id_producto
-- The last sale of each, by its key: not the whole ledger.
CROSS JOIN LATERAL (
    SELECT f.impuesto, f.precio_con_impuesto
    FROM dw.kardex AS f
    WHERE f.id_producto = m.id_producto AND f.tipo = 'VENTA'
    ORDER BY f.fecha DESC, f.fecha_documento DESC, f.orden DESC, f.id_movimiento DESC, f.capa DESC
    LIMIT 1
) AS k;
COMMENT ON VIEW etl.v_ultimas_ventas IS
    'De hasta 500 productos, si la última venta dice su tasa o si su precio la incluye';

CREATE OR REPLACE FUNCTION etl.impuesto_dicho() RETURNS boolean
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE
    WHEN EXISTS (SELECT FROM dw.politica_precio AS p WHERE p.impuesto IS NOT NULL) THEN true
    ELSE coalesce((SELECT bool_and(u.impuesto IS NOT NULL OR NOT u.incluido) FROM etl.v_ultimas_ventas AS u), false)
END
$$;
COMMENT ON FUNCTION etl.impuesto_dicho() IS
    'Si se sabe qué impuesto llevan los precios: lo dice dw.politica_precio, aunque sea 0, o cada venta';
SELECT etl.conceder('EXECUTE', 'etl.impuesto_dicho()', 'bi_lector');
