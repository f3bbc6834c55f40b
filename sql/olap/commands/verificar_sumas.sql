-- Proof, of the summaries: they are the sums of the ledger, and of each other.

CREATE OR REPLACE FUNCTION etl.verificar_sumas_tocadas(p_zona text, p_corte date, p_movimientos bigint[])
RETURNS TABLE (falla text, id_producto bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
-- The months of what was touched, product by product, from the ledger.
SELECT 'dw.resumen_mensual is not the sum of the ledger, ' || coalesce(l.mes, r.mes), coalesce(l.id_producto, r.id_producto)
FROM (
    SELECT
        date_trunc('month', k.dia::timestamp)::date AS mes, k.id_sucursal, k.id_producto,
        count(*) AS movimientos,
        coalesce(sum(k.vendidas) FILTER (WHERE k.ventas), 0) AS unidades_vendidas,
        coalesce(sum(round(k.unidades * k.precio, 6)) FILTER (WHERE k.ventas), 0) AS venta_bruta,
        coalesce(sum(k.neta) FILTER (WHERE k.ventas), 0) AS venta_neta,
        coalesce(-sum(k.entra) FILTER (WHERE k.ventas), 0) AS costo_ventas,
        coalesce(sum(k.ajuste), 0) AS ajuste,
        coalesce(sum(k.variacion) FILTER (WHERE k.compras), 0) AS unidades_recibidas,
        coalesce(sum(k.entra) FILTER (WHERE k.compras), 0) AS costo_recibido,
        coalesce(-sum(k.neta) FILTER (WHERE k.resta), 0) AS devoluciones,
        coalesce(-sum(k.vendidas) FILTER (WHERE k.resta), 0) AS unidades_devueltas,
        coalesce(-sum(k.entra) FILTER (WHERE k.merma), 0) AS mermas,
        coalesce(-sum(k.variacion) FILTER (WHERE k.merma), 0) AS unidades_merma
    FROM (
        SELECT
            m.*, c.ventas, c.compras, c.merma, c.resta, c.signo * m.costo_total AS entra, n.unidades, n.precio,
            CASE WHEN c.signo = 0 THEN 0 WHEN c.resta <> m.reverso THEN -m.cantidad ELSE m.cantidad END
                AS vendidas,
            dw.venta_neta(n.unidades, n.precio, m.tasa) AS neta
        FROM (
            SELECT f.*, t.desde, (f.fecha AT TIME ZONE p_zona)::date AS dia,
                CASE WHEN f.reverso OR f.fecha < (SELECT etl.cerrado_hasta())
                    THEN etl.tasa_asentada(
                        f.id_producto, f.fecha, f.id_movimiento, f.capa, f.reverso,
                        (f.fecha_documento AT TIME ZONE p_zona)::date, f.impuesto, f.precio_con_impuesto
                    )
                    ELSE etl.tasa_de_venta(
                        f.impuesto, f.precio_con_impuesto, p.precio_con_impuesto, p.impuesto, p.tasas,
                        (f.fecha_documento AT TIME ZONE p_zona)::date
                    )
                END AS tasa
            FROM etl.tramos_de_prueba(true, p_movimientos, NULL) AS t
            INNER JOIN dw.producto AS p ON p.id_producto = t.id_producto
            CROSS JOIN LATERAL (
                SELECT * FROM dw.kardex AS k
                WHERE k.id_producto = t.id_producto
                    -- Two days more than the month: a clock's midnight is not UTC's.
                    AND k.fecha >= date_trunc('month', t.desde) - interval '2 days'
                OFFSET 0
            ) AS f
            OFFSET 0
        ) AS m
        INNER JOIN etl.v_clase AS c
            ON c.tipo = m.tipo AND c.con_costo = (m.costo_unitario IS NOT NULL)
            AND c.inicial = etl.es_inicial(m.id_movimiento)
        CROSS JOIN LATERAL (
            SELECT
                CASE WHEN m.importe IS NOT NULL THEN 1.000000 ELSE m.cantidad END
                * CASE WHEN c.resta <> m.reverso THEN -1 ELSE 1 END AS unidades,
                coalesce(m.importe, m.precio_unitario) AS precio
        ) AS n
    ) AS k
    WHERE k.dia >= date_trunc('month', k.desde AT TIME ZONE p_zona)
    GROUP BY 1, 2, 3
) AS l
FULL JOIN (
    SELECT r.*
    FROM dw.resumen_mensual AS r
    INNER JOIN etl.tramos_de_prueba(true, p_movimientos, NULL) AS t ON t.id_producto = r.id_producto
    WHERE r.mes >= date_trunc('month', t.desde AT TIME ZONE p_zona)
) AS r ON r.mes = l.mes AND r.id_sucursal = l.id_sucursal AND r.id_producto = l.id_producto
WHERE (
    l.movimientos, l.unidades_vendidas, l.venta_bruta, l.venta_neta, l.costo_ventas, l.ajuste,
    l.unidades_recibidas, l.costo_recibido, l.devoluciones, l.unidades_devueltas, l.mermas,
    l.unidades_merma
) IS DISTINCT FROM (
    r.movimientos, r.unidades_vendidas, r.venta_bruta, r.venta_neta, r.costo_ventas, r.ajuste,
    r.unidades_recibidas, r.costo_recibido, r.devoluciones, r.unidades_devueltas, r.mermas,
    r.unidades_merma
)
UNION ALL
-- Each branch of what was touched: what its months say, and the transfers.
SELECT 'dw.resumen_sucursal is not the sum of dw.resumen_mensual', s.id_producto
FROM (
    SELECT
        m.id_producto, m.id_sucursal, m.movimientos,
        m.unidades_recibidas - m.unidades_vendidas - m.unidades_merma AS variacion
    FROM dw.resumen_mensual AS m
    UNION ALL
    SELECT r.id_producto, r.id_sucursal, -r.movimientos, -r.variacion
    FROM dw.resumen_sucursal AS r
    UNION ALL
    SELECT k.id_producto, d.id_sucursal, d.movimientos, d.variacion
    FROM etl.tramos_de_prueba(true, p_movimientos, NULL) AS t
    CROSS JOIN LATERAL (
        SELECT f.id_producto, f.id_sucursal, f.id_sucursal_destino, f.cantidad
        FROM dw.kardex AS f
        WHERE f.id_producto = t.id_producto AND f.id_sucursal_destino IS NOT NULL
        OFFSET 0
    ) AS k
    CROSS JOIN LATERAL (
        VALUES (k.id_sucursal, 0, -k.cantidad), (k.id_sucursal_destino, 1, k.cantidad)
    ) AS d (id_sucursal, movimientos, variacion)
) AS s
INNER JOIN etl.tramos_de_prueba(true, p_movimientos, NULL) AS t ON t.id_producto = s.id_producto
GROUP BY s.id_producto, s.id_sucursal
HAVING sum(s.movimientos) <> 0
    -- What was sold without a stock is in the months alone: then the ledger itself is asked.
    OR sum(s.variacion) <> 0 AND (
        SELECT coalesce(sum(d.variacion), 0)
        FROM dw.kardex AS k
        CROSS JOIN LATERAL etl.por_sucursal(k.id_sucursal, k.id_sucursal_destino, k.variacion, k.cantidad) AS d
        WHERE k.id_producto = s.id_producto AND d.id_sucursal = s.id_sucursal
    ) IS DISTINCT FROM (
        SELECT r.variacion FROM dw.resumen_sucursal AS r
        WHERE r.id_producto = s.id_producto AND r.id_sucursal = s.id_sucursal
    )
UNION ALL
-- The summaries against each other: the days of a month, and the days of 90 and of 365.
SELECT
    CASE WHEN s.mes IS NULL THEN 'dw.resumen_movil is not the sum of dw.resumen_diario'
        ELSE 'dw.resumen_diario is not the sum of dw.resumen_mensual, ' || s.mes END, NULL
FROM (
    SELECT
        date_trunc('month', d.dia::timestamp)::date AS mes, d.id_sucursal, d.categoria,
        d.movimientos AS a, d.unidades_vendidas AS b, d.venta_bruta AS c, d.venta_neta AS d,
        d.costo_ventas AS e, d.ajuste AS f, d.unidades_recibidas AS g, d.costo_recibido AS h,
        d.devoluciones AS i, d.unidades_devueltas AS j, d.mermas AS k, d.unidades_merma AS l
    FROM dw.resumen_diario AS d
    UNION ALL
    SELECT
        m.mes, m.id_sucursal, p.categoria, -m.movimientos, -m.unidades_vendidas, -m.venta_bruta,
        -m.venta_neta, -m.costo_ventas, -m.ajuste, -m.unidades_recibidas, -m.costo_recibido,
        -m.devoluciones, -m.unidades_devueltas, -m.mermas, -m.unidades_merma
    FROM dw.resumen_mensual AS m
    INNER JOIN dw.producto AS p ON p.id_producto = m.id_producto
    UNION ALL
    SELECT
        -- In total, since what is closed stays in the category that it had.
        NULL, NULL, NULL, 0, d.unidades_vendidas,
        CASE WHEN d.dia > p_corte - 90 THEN d.unidades_vendidas ELSE 0 END, d.venta_neta,
        d.costo_ventas, 0, 0, 0, 0, 0, 0, 0
    FROM dw.resumen_diario AS d
    WHERE d.dia > p_corte - 365 AND d.dia <= p_corte
    UNION ALL
    SELECT
        NULL, NULL, NULL, 0, -m.unidades_365, -m.unidades_90, -m.venta_neta_365,
        -m.costo_ventas_365, 0, 0, 0, 0, 0, 0, 0
    FROM dw.resumen_movil AS m
) AS s
-- Of the months that were touched, of which the shop has few, and are open from their first day on.
WHERE s.mes IS NULL OR s.mes >= ((SELECT etl.cerrado_hasta()) AT TIME ZONE p_zona)::date AND s.mes >= (
    SELECT date_trunc('month', min(greatest(t.desde, '1900-01-01')) AT TIME ZONE p_zona)
    FROM etl.tramos_de_prueba(true, p_movimientos, NULL) AS t
)
GROUP BY s.mes, s.id_sucursal, s.categoria
HAVING (
    sum(s.a), sum(s.b), sum(s.c), sum(s.d), sum(s.e), sum(s.f), sum(s.g), sum(s.h), sum(s.i), sum(s.j),
    sum(s.k), sum(s.l)
) IS DISTINCT FROM (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
$$;
COMMENT ON FUNCTION etl.verificar_sumas_tocadas(text, date, bigint[]) IS
    'Los meses de lo tocado contra el kardex, y los resúmenes entre sí: los días con los meses, los 90 y 365 días con los días';

CREATE OR REPLACE FUNCTION etl.verificar_sumas(p_zona text, p_corte date)
RETURNS TABLE (falla text, id_producto bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT
    CASE s.nivel WHEN 1 THEN 'dw.resumen_diario' WHEN 2 THEN 'dw.resumen_mensual'
        WHEN 3 THEN 'dw.resumen_movil' ELSE 'dw.resumen_sucursal' END
    || ' is not the sum of the ledger' || coalesce(', ' || coalesce(s.dia, s.mes)::text, ''),
    s.id_producto
FROM etl.diferencias_de_resumen(p_zona, p_corte) AS s
$$;
COMMENT ON FUNCTION etl.verificar_sumas(text, date) IS
    'Los resúmenes que no son las sumas de todo el kardex';
