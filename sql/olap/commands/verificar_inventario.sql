-- Proof, of the stock: what is known of a product at the end of its ledger.

CREATE OR REPLACE FUNCTION etl.verificar_inventario(
    p_corta boolean, p_movimientos bigint[], p_parte bigint
)
RETURNS TABLE (falla text, id_producto bigint, id_movimiento bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT
    CASE
        WHEN (i.existencias, i.valor, i.costo_promedio) IS DISTINCT FROM (
            coalesce(u.existencias, a.existencias, 0),
            coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0),
            coalesce(u.costo_promedio, a.costo_promedio, 0)
        ) THEN 'the stock is not its ledger''s last row'
        ELSE 'the suggested price is not that of its cost'
    END,
    t.id_producto, u.id_movimiento
FROM etl.tramos_de_prueba(p_corta, p_movimientos, p_parte) AS t
INNER JOIN dw.inventario AS i ON i.id_producto = t.id_producto
LEFT JOIN dw.producto AS p ON p.id_producto = i.id_producto
LEFT JOIN etl.v_apertura AS a ON a.id_producto = i.id_producto
LEFT JOIN dw.v_politica_producto AS v ON v.id_producto = i.id_producto
LEFT JOIN LATERAL (
    SELECT k.id_movimiento, k.existencias, k.valor, k.costo_promedio
    FROM dw.kardex AS k
    WHERE k.id_producto = i.id_producto
    ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
    LIMIT 1
) AS u ON true
WHERE (i.existencias, i.valor, i.costo_promedio) IS DISTINCT FROM (
    coalesce(u.existencias, a.existencias, 0),
    coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0),
    coalesce(u.costo_promedio, a.costo_promedio, 0)
)
-- A policy that was edited since comes with the next load.
OR i.precio_sugerido IS DISTINCT FROM dw.calcular_precio_sugerido(
    CASE WHEN p.inventariable IS NOT FALSE THEN i.costo_promedio ELSE 0 END, v.margen, v.impuesto, v.redondeo
)
AND etl.misma_politica()
UNION ALL
SELECT
    'the last sale or average value of the stock is not its ledger''s', i.id_producto,
    w.id_movimiento
FROM dw.v_corte AS c
CROSS JOIN LATERAL etl.fines_de_mes(c.dia, c.zona) AS f (fines)
CROSS JOIN etl.tramos_de_prueba(p_corta, p_movimientos, p_parte) AS t
INNER JOIN dw.inventario AS i ON i.id_producto = t.id_producto
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
INNER JOIN dw.v_politica_producto AS v ON v.id_producto = i.id_producto
CROSS JOIN etl.misma_politica() AS n (misma)
CROSS JOIN LATERAL etl.valor_promedio(i.id_producto, f.fines) AS m
LEFT JOIN LATERAL etl.ultima_venta(i.id_producto) AS w ON true
-- A price that gets its tax has that of the pricing policy of its load, which may be another by now.
WHERE (i.ultima_venta, i.ultimo_precio, i.ultimo_neto, i.valor_promedio, i.primera) IS DISTINCT FROM (
    w.fecha,
    CASE
        WHEN coalesce(w.precio_con_impuesto, p.precio_con_impuesto) THEN w.precio_unitario
        WHEN w.impuesto IS NOT NULL OR n.misma
            THEN round(w.precio_unitario * (1 + coalesce(w.impuesto, v.impuesto)), 6)
        ELSE i.ultimo_precio
    END,
    dw.venta_neta(1, w.precio_unitario, etl.tasa_de_venta(
        w.impuesto, w.precio_con_impuesto, p.precio_con_impuesto, p.impuesto, p.tasas,
        (w.fecha_documento AT TIME ZONE c.zona)::date
    )),
    m.valor_promedio,
    (SELECT min(k.fecha) FROM dw.kardex AS k WHERE k.id_producto = i.id_producto)
)
UNION ALL
SELECT DISTINCT 'the product has a ledger but no stock row', k.id_producto, NULL::bigint
FROM dw.kardex AS k
WHERE NOT p_corta AND k.id_producto & 1 = p_parte
    AND NOT EXISTS (SELECT FROM dw.inventario AS i WHERE i.id_producto = k.id_producto)
UNION ALL
SELECT 'the product has a ledger but no stock row', t.id_producto, NULL::bigint
FROM etl.tramos_de_prueba(p_corta, p_movimientos, p_parte) AS t
WHERE p_corta AND NOT EXISTS (SELECT FROM dw.inventario AS i WHERE i.id_producto = t.id_producto)
    AND EXISTS (SELECT FROM dw.kardex AS k WHERE k.id_producto = t.id_producto)
UNION ALL
SELECT 'the stock of the branches is not that of the product', i.id_producto, NULL::bigint
FROM dw.inventario AS i
LEFT JOIN (
    SELECT e.id_producto, sum(e.existencias) AS existencias
    FROM dw.existencias_sucursal AS e
    GROUP BY e.id_producto
) AS s ON s.id_producto = i.id_producto
WHERE i.id_producto & 1 = p_parte AND i.existencias <> coalesce(s.existencias, 0)
$$;
COMMENT ON FUNCTION etl.verificar_inventario(boolean, bigint[], bigint) IS
    'Productos cuyo inventario falta, no es el del final de su kardex o tiene un precio que no es el de su costo';

CREATE OR REPLACE FUNCTION etl.verificar_ajustes() RETURNS TABLE (falla text, id_producto bigint, id_movimiento bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT 'an adjustment is not in the ledger as it was booked', coalesce(v.id_producto, k.id_producto),
    coalesce(v.id_movimiento, k.id_movimiento)
FROM etl.v_ajuste AS v
FULL JOIN (
    SELECT DISTINCT ON (f.id_movimiento) f.*, min(f.fecha) OVER (PARTITION BY f.id_movimiento) AS primera
    FROM dw.kardex AS f
    WHERE etl.es_ajuste(f.id_movimiento)
    ORDER BY f.id_movimiento, f.capa DESC
) AS k ON k.id_movimiento = v.id_movimiento
CROSS JOIN etl.control AS c
WHERE (
    CASE WHEN v.cuenta THEN
        NOT k.reverso AND k.tipo = v.tipo AND k.id_producto = v.id_producto AND k.cantidad = abs(v.cantidad)
        AND k.id_sucursal = coalesce(v.id_sucursal, 0) AND k.fecha_documento = v.fecha
        AND num_nonnulls(
            k.precio_unitario, k.costo_unitario, k.importe, k.id_origen, k.id_sucursal_destino, k.de_todo, k.impuesto,
            k.precio_con_impuesto
        ) = 0
    ELSE k.id_movimiento IS NULL OR k.reverso OR NOT v.vigente AND k.primera < (SELECT etl.cerrado_hasta())
    END
) IS NOT TRUE
-- What an opening has changed comes with the next load.
AND NOT (v.cuenta AND k.id_movimiento IS NULL AND c.horizonte IS NULL)
$$;
COMMENT ON FUNCTION etl.verificar_ajustes() IS
    'Los ajustes que el kardex no tiene como quedan según dw.ajuste_existencias, y los que tiene de más';
