-- What there was at the end of any past day.

CREATE OR REPLACE FUNCTION dw.existencias_al(p_dia date)
RETURNS TABLE (
    id_producto bigint, codigo text, nombre text, categoria text, existencias numeric, costo_promedio numeric,
    valor numeric
)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT
    p.id_producto, p.codigo, p.nombre, p.categoria, coalesce(u.existencias, a.existencias),
    coalesce(u.costo_promedio, a.costo_promedio), coalesce(u.valor, round(a.existencias * a.costo_promedio, 6))
FROM (SELECT etl.inicio_del_dia(p_dia + 1, c.zona) AS fin FROM dw.v_corte AS c OFFSET 0) AS c
CROSS JOIN dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
LEFT JOIN etl.v_apertura AS a ON a.id_producto = i.id_producto AND a.fecha < c.fin
-- Each from its own ledger, by its key.
LEFT JOIN LATERAL (
    SELECT k.existencias, k.costo_promedio, k.valor
    FROM dw.kardex AS k
    WHERE k.id_producto = i.id_producto AND k.fecha < c.fin
    ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
    LIMIT 1
) AS u ON true
WHERE u.existencias IS NOT NULL OR a.id_producto IS NOT NULL
$$;
COMMENT ON FUNCTION dw.existencias_al(date) IS
    'Existencias, costo promedio y valor de cada producto al final de ese día, en la zona de la tienda; lo de bajo cero resta';
SELECT etl.conceder('EXECUTE', 'dw.existencias_al(date)', 'bi_lector');
