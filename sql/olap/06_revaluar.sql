-- Steps 4 to 6 of the load: replay the touched products from the first date that
-- changes, and carry the differences to the ledger, the summaries and the stock.
-- Input: etl.etapa (movements that enter), etl.baja (rows that leave) and whatever
-- etl.tramo already holds.

CREATE OR REPLACE FUNCTION etl.marcar_tramos() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_productos bigint;
BEGIN
    INSERT INTO etl.tramo AS t (id_producto, desde)
    SELECT m.id_producto, min(m.fecha)
    FROM (
        SELECT e.id_producto, e.fecha FROM etl.etapa AS e
        UNION ALL
        SELECT b.id_producto, b.fecha FROM etl.baja AS b
    ) AS m
    GROUP BY m.id_producto
    ON CONFLICT (id_producto) DO UPDATE SET desde = least(t.desde, excluded.desde);
    SELECT count(*) INTO v_productos FROM etl.tramo;
    RETURN v_productos;
END
$$;
COMMENT ON FUNCTION etl.marcar_tramos() IS
    'Productos tocados y, de cada uno, la primera fecha que cambia; devuelve cuántos son';

CREATE OR REPLACE FUNCTION etl.repetir() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO etl.repeticion (
        id_producto, fecha, id_movimiento, id_sucursal, orden, es_alta, difiere, tipo, cantidad,
        precio_unitario, costo_unitario, costo_total, ajuste, existencias, valor, costo_promedio,
        costo_total_anterior, ajuste_anterior
    )
    SELECT
        v.id_producto, v.fecha, v.id_movimiento, v.id_sucursal, v.orden, v.es_alta, v.difiere,
        v.tipo, v.cantidad, v.precio_unitario,
        CASE WHEN v.tipo = 'VENTA' THEN (v.estado).costo_promedio ELSE v.costo_unitario END,
        (v.estado).costo_total, (v.estado).ajuste,
        (v.estado).existencias, (v.estado).valor, (v.estado).costo_promedio,
        v.costo_total_anterior, v.ajuste_anterior
    FROM (
        SELECT
            r.*,
            r.es_alta OR (r.estado) IS DISTINCT FROM r.estado_anterior AS difiere
        FROM (
            SELECT
                m.*,
                dw.valuar(m.tipo, m.cantidad, m.costo_unitario, m.valor_inicial) OVER (
                    PARTITION BY m.id_producto ORDER BY m.fecha, m.orden, m.id_movimiento
                    ROWS UNBOUNDED PRECEDING
                ) AS estado
            FROM (
                SELECT
                    t.id_producto, '-infinity'::timestamptz AS fecha, 0::bigint AS id_movimiento,
                    0::bigint AS id_sucursal, -1::smallint AS orden, false AS es_alta,
                    false AS reclasificado, 'SALDO'::text AS tipo,
                    coalesce(u.existencias, a.existencias, 0) AS cantidad,
                    NULL::numeric AS precio_unitario,
                    coalesce(u.costo_promedio, a.costo_promedio, 0) AS costo_unitario,
                    coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0) AS valor_inicial,
                    NULL::numeric AS costo_total_anterior, NULL::numeric AS ajuste_anterior,
                    NULL::dw.estado AS estado_anterior
                FROM etl.tramo AS t
                LEFT JOIN dw.apertura AS a ON a.id_producto = t.id_producto
                LEFT JOIN LATERAL (
                    SELECT k.existencias, k.valor, k.costo_promedio
                    FROM dw.kardex AS k
                    WHERE k.id_producto = t.id_producto AND k.fecha < t.desde
                    ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
                    LIMIT 1
                ) AS u ON true
                UNION ALL
                SELECT
                    e.id_producto, e.fecha, e.id_movimiento, coalesce(e.id_sucursal, 0),
                    CASE WHEN e.tipo = 'VENTA' THEN 1 ELSE 0 END::smallint, true, false, e.tipo,
                    round(e.cantidad, 6), etl.precio_informado(e.tipo, e.precio_unitario),
                    round(e.costo_unitario, 6), NULL, NULL, NULL, NULL
                FROM etl.etapa AS e
                UNION ALL
                -- OFFSET 0 keeps the planner from joining with a scan of the whole ledger.
                SELECT
                    t.id_producto, k.fecha, k.id_movimiento, k.id_sucursal, k.orden, false,
                    t.categoria_anterior IS NOT NULL, k.tipo, k.cantidad, k.precio_unitario,
                    k.costo_unitario, NULL, k.costo_total, k.ajuste,
                    ROW(k.existencias, k.valor, k.costo_promedio, k.costo_total, k.ajuste)::dw.estado
                FROM etl.tramo AS t
                CROSS JOIN LATERAL (
                    SELECT * FROM dw.kardex AS f
                    WHERE f.id_producto = t.id_producto AND f.fecha >= t.desde
                    OFFSET 0
                ) AS k
                WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = k.id_movimiento)
            ) AS m
        ) AS r
        WHERE r.tipo <> 'SALDO'
    ) AS v
    WHERE v.difiere OR v.reclasificado;
END
$$;
COMMENT ON FUNCTION etl.repetir() IS
    'Valoriza de nuevo los tramos y deja en etl.repeticion las altas y las filas que cambian';

CREATE OR REPLACE FUNCTION etl.sumar_diferencias(p_zona text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO etl.delta
    SELECT
        CASE WHEN grouping(c.categoria) = 0 THEN 1 WHEN grouping(c.mes) = 0 THEN 2 ELSE 3 END,
        c.dia, c.mes, c.id_sucursal, c.categoria, c.id_producto,
        sum(c.movimientos),
        coalesce(sum(c.cantidad) FILTER (WHERE c.venta), 0),
        coalesce(sum(c.bruta), 0),
        coalesce(sum(c.neta), 0),
        coalesce(sum(c.costo_total) FILTER (WHERE c.venta), 0),
        coalesce(sum(c.ajuste) FILTER (WHERE NOT c.venta), 0),
        coalesce(sum(c.cantidad) FILTER (WHERE NOT c.venta), 0),
        coalesce(sum(c.costo_total) FILTER (WHERE NOT c.venta), 0)
    FROM (
        SELECT
            (s.fecha AT TIME ZONE p_zona)::date AS dia,
            date_trunc('month', s.fecha AT TIME ZONE p_zona)::date AS mes,
            s.id_sucursal, s.categoria, s.id_producto, s.venta, s.signo AS movimientos,
            s.signo * s.cantidad AS cantidad,
            s.costo_total, s.ajuste,
            CASE WHEN s.venta THEN s.signo * round(s.cantidad * s.precio_unitario, 6) END AS bruta,
            CASE WHEN s.venta THEN s.signo * dw.venta_neta(s.cantidad, s.precio_unitario, s.impuesto)
            END AS neta
        FROM (
            -- What enters; of a row that only changes cost, the difference.
            SELECT
                r.fecha, r.id_sucursal, p.categoria, r.id_producto, r.tipo = 'VENTA' AS venta,
                CASE WHEN r.es_alta OR t.categoria_anterior IS NOT NULL THEN 1 ELSE 0 END AS signo,
                r.cantidad, r.precio_unitario, p.impuesto,
                CASE WHEN r.es_alta OR t.categoria_anterior IS NOT NULL THEN r.costo_total
                    ELSE r.costo_total - r.costo_total_anterior END AS costo_total,
                CASE WHEN r.es_alta OR t.categoria_anterior IS NOT NULL THEN r.ajuste
                    ELSE r.ajuste - r.ajuste_anterior END AS ajuste
            FROM etl.repeticion AS r
            INNER JOIN etl.tramo AS t ON t.id_producto = r.id_producto
            INNER JOIN dw.producto AS p ON p.id_producto = r.id_producto
            UNION ALL
            -- What leaves, from where it was counted.
            SELECT
                b.fecha, b.id_sucursal, coalesce(t.categoria_anterior, p.categoria), b.id_producto,
                b.tipo = 'VENTA', -1, b.cantidad, b.precio_unitario,
                coalesce(t.impuesto_anterior, p.impuesto), -b.costo_total, -b.ajuste
            FROM etl.baja AS b
            INNER JOIN etl.tramo AS t ON t.id_producto = b.id_producto
            INNER JOIN dw.producto AS p ON p.id_producto = b.id_producto
            UNION ALL
            SELECT
                r.fecha, r.id_sucursal, t.categoria_anterior, r.id_producto, r.tipo = 'VENTA', -1,
                r.cantidad, r.precio_unitario, t.impuesto_anterior,
                -r.costo_total_anterior, -r.ajuste_anterior
            FROM etl.repeticion AS r
            INNER JOIN etl.tramo AS t ON t.id_producto = r.id_producto
            WHERE t.categoria_anterior IS NOT NULL AND NOT r.es_alta
        ) AS s
    ) AS c
    GROUP BY GROUPING SETS (
        (c.dia, c.id_sucursal, c.categoria),
        (c.mes, c.id_sucursal, c.id_producto),
        (c.dia, c.id_producto)
    );
END
$$;
COMMENT ON FUNCTION etl.sumar_diferencias(text) IS
    'Llena etl.delta: lo nuevo menos lo anterior, por cada clave de los tres resúmenes, en una pasada';

CREATE OR REPLACE FUNCTION etl.actualizar_resumenes() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO dw.resumen_diario AS r
    SELECT
        d.dia, d.id_sucursal, d.categoria, d.movimientos, d.unidades_vendidas, d.venta_bruta,
        d.venta_neta, d.costo_ventas, d.ajuste, d.unidades_recibidas, d.costo_recibido
    FROM etl.delta AS d
    WHERE d.nivel = 1
    ON CONFLICT (dia, id_sucursal, categoria) DO UPDATE SET
        movimientos = r.movimientos + excluded.movimientos,
        unidades_vendidas = r.unidades_vendidas + excluded.unidades_vendidas,
        venta_bruta = r.venta_bruta + excluded.venta_bruta,
        venta_neta = r.venta_neta + excluded.venta_neta,
        costo_ventas = r.costo_ventas + excluded.costo_ventas,
        ajuste = r.ajuste + excluded.ajuste,
        unidades_recibidas = r.unidades_recibidas + excluded.unidades_recibidas,
        costo_recibido = r.costo_recibido + excluded.costo_recibido;

    INSERT INTO dw.resumen_mensual AS r
    SELECT
        d.mes, d.id_sucursal, d.id_producto, d.movimientos, d.unidades_vendidas, d.venta_bruta,
        d.venta_neta, d.costo_ventas, d.ajuste, d.unidades_recibidas, d.costo_recibido
    FROM etl.delta AS d
    WHERE d.nivel = 2
    ON CONFLICT (mes, id_sucursal, id_producto) DO UPDATE SET
        movimientos = r.movimientos + excluded.movimientos,
        unidades_vendidas = r.unidades_vendidas + excluded.unidades_vendidas,
        venta_bruta = r.venta_bruta + excluded.venta_bruta,
        venta_neta = r.venta_neta + excluded.venta_neta,
        costo_ventas = r.costo_ventas + excluded.costo_ventas,
        ajuste = r.ajuste + excluded.ajuste,
        unidades_recibidas = r.unidades_recibidas + excluded.unidades_recibidas,
        costo_recibido = r.costo_recibido + excluded.costo_recibido;

    INSERT INTO dw.resumen_producto AS r
    SELECT
        d.dia, d.id_producto, d.movimientos, d.unidades_vendidas, d.venta_neta, d.costo_ventas
    FROM etl.delta AS d
    WHERE d.nivel = 3
    ON CONFLICT (dia, id_producto) DO UPDATE SET
        movimientos = r.movimientos + excluded.movimientos,
        unidades_vendidas = r.unidades_vendidas + excluded.unidades_vendidas,
        venta_neta = r.venta_neta + excluded.venta_neta,
        costo_ventas = r.costo_ventas + excluded.costo_ventas;

    -- A key without movements is no row, so that the summaries never depend on history.
    DELETE FROM dw.resumen_diario AS r USING etl.delta AS d
    WHERE d.nivel = 1 AND d.movimientos < 0 AND r.movimientos = 0
        AND r.dia = d.dia AND r.id_sucursal = d.id_sucursal AND r.categoria = d.categoria;
    DELETE FROM dw.resumen_mensual AS r USING etl.delta AS d
    WHERE d.nivel = 2 AND d.movimientos < 0 AND r.movimientos = 0
        AND r.mes = d.mes AND r.id_sucursal = d.id_sucursal AND r.id_producto = d.id_producto;
    DELETE FROM dw.resumen_producto AS r USING etl.delta AS d
    WHERE d.nivel = 3 AND d.movimientos < 0 AND r.movimientos = 0
        AND r.dia = d.dia AND r.id_producto = d.id_producto;
END
$$;
COMMENT ON FUNCTION etl.actualizar_resumenes() IS 'Suma etl.delta a los tres resúmenes';

CREATE OR REPLACE FUNCTION etl.actualizar_kardex(p_numero bigint) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_revaluadas bigint;
BEGIN
    DELETE FROM dw.kardex AS k USING etl.baja AS b
    WHERE k.id_producto = b.id_producto AND k.fecha = b.fecha AND k.orden = b.orden
        AND k.id_movimiento = b.id_movimiento;

    UPDATE dw.kardex AS k
    SET version = p_numero,
        provisional = r.tipo = 'VENTA' AND (r.existencias < 0 OR r.costo_promedio = 0),
        costo_unitario = r.costo_unitario, costo_total = r.costo_total, ajuste = r.ajuste,
        existencias = r.existencias, valor = r.valor, costo_promedio = r.costo_promedio
    FROM etl.repeticion AS r
    WHERE NOT r.es_alta AND r.difiere
        AND k.id_producto = r.id_producto AND k.fecha = r.fecha AND k.orden = r.orden
        AND k.id_movimiento = r.id_movimiento;
    GET DIAGNOSTICS v_revaluadas = ROW_COUNT;

    INSERT INTO dw.kardex (
        id_producto, fecha, id_movimiento, id_sucursal, version, orden, provisional, tipo,
        cantidad, precio_unitario, costo_unitario, costo_total, ajuste, existencias, valor,
        costo_promedio
    )
    SELECT
        r.id_producto, r.fecha, r.id_movimiento, r.id_sucursal, p_numero, r.orden,
        r.tipo = 'VENTA' AND (r.existencias < 0 OR r.costo_promedio = 0), r.tipo,
        r.cantidad, r.precio_unitario, r.costo_unitario, r.costo_total, r.ajuste,
        r.existencias, r.valor, r.costo_promedio
    FROM etl.repeticion AS r
    WHERE r.es_alta;
    RETURN v_revaluadas;
END
$$;
COMMENT ON FUNCTION etl.actualizar_kardex(bigint) IS
    'Lleva bajas, cambios de valor y altas al kardex; devuelve cuántas filas anteriores cambiaron de valor';

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

CREATE OR REPLACE FUNCTION etl.revaluar(p_numero bigint, p_zona text, p_todos_los_precios boolean)
RETURNS jsonb
LANGUAGE plpgsql
AS $$
DECLARE
    v_productos bigint;
    v_revaluadas bigint;
BEGIN
    v_productos := etl.marcar_tramos();
    IF v_productos > 0 THEN
        PERFORM etl.repetir();
        PERFORM etl.sumar_diferencias(p_zona);
        v_revaluadas := etl.actualizar_kardex(p_numero);
        PERFORM etl.actualizar_resumenes();
    END IF;
    PERFORM etl.actualizar_inventario(p_numero, p_todos_los_precios);
    RETURN jsonb_build_object(
        'productos_tocados', v_productos, 'revaluadas', coalesce(v_revaluadas, 0)
    );
END
$$;
COMMENT ON FUNCTION etl.revaluar(bigint, text, boolean) IS
    'Repite los productos tocados y lleva las diferencias a kardex, resúmenes e inventario';
