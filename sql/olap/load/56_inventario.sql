-- The stock, and the suggested prices.

CREATE OR REPLACE FUNCTION etl.actualizar_inventario(p_numero bigint, p_todos_los_precios boolean)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO dw.inventario AS i (
        id_producto, existencias, valor, costo_promedio, precio_sugerido, version
    )
    SELECT
        s.id_producto, s.existencias, s.valor, s.costo_promedio,
        dw.calcular_precio_sugerido(s.costo_promedio, v.margen, v.impuesto, v.redondeo), p_numero
    FROM (
        SELECT
            t.id_producto,
            coalesce(u.existencias, a.existencias, 0) AS existencias,
            coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0) AS valor,
            coalesce(u.costo_promedio, a.costo_promedio, 0) AS costo_promedio
        FROM etl.tramo AS t
        LEFT JOIN dw.apertura AS a ON a.id_producto = t.id_producto
        LEFT JOIN LATERAL (
            SELECT k.existencias, k.valor, k.costo_promedio
            FROM dw.kardex AS k
            WHERE k.id_producto = t.id_producto
            ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
            LIMIT 1
        ) AS u ON true
    ) AS s
    INNER JOIN dw.v_politica_producto AS v ON v.id_producto = s.id_producto
    ON CONFLICT (id_producto) DO UPDATE SET
        existencias = excluded.existencias, valor = excluded.valor,
        costo_promedio = excluded.costo_promedio, precio_sugerido = excluded.precio_sugerido,
        version = excluded.version
    WHERE (i.existencias, i.valor, i.costo_promedio, i.precio_sugerido)
        IS DISTINCT FROM
        (excluded.existencias, excluded.valor, excluded.costo_promedio, excluded.precio_sugerido);

    IF p_todos_los_precios THEN
        UPDATE dw.inventario AS i
        SET precio_sugerido
            = dw.calcular_precio_sugerido(i.costo_promedio, v.margen, v.impuesto, v.redondeo),
            version = p_numero
        FROM dw.v_politica_producto AS v
        WHERE v.id_producto = i.id_producto
            AND i.precio_sugerido IS DISTINCT FROM
            dw.calcular_precio_sugerido(i.costo_promedio, v.margen, v.impuesto, v.redondeo);
    END IF;
END
$$;
COMMENT ON FUNCTION etl.actualizar_inventario(bigint, boolean) IS
    'Estado y precio sugerido de los productos tocados, o el precio de todos si cambió la política';
