-- Step 6 of the load: carry the differences to the summaries that the views stand on.

CREATE OR REPLACE FUNCTION etl.franja(p_dia date, p_corte date) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT (CASE
    WHEN p_dia > p_corte OR p_dia <= p_corte - 365 THEN 0
    WHEN p_dia > p_corte - 90 THEN 2
    ELSE 1
END)::smallint
$$;
COMMENT ON FUNCTION etl.franja(date, date) IS
    '2: de los 90 días que terminan en el corte; 1: de los 365, no de los 90; 0: de ninguno';

CREATE OR REPLACE VIEW etl.v_diferencia AS
-- Of the products with a tail: what enters; of a row that only changes cost, the difference.
SELECT
    r.fecha, r.id_sucursal, p.categoria, r.id_producto, r.tipo = 'VENTA' AS venta,
    CASE WHEN e.entra THEN 1 ELSE 0 END AS movimientos,
    CASE WHEN e.entra THEN r.cantidad END AS cantidad,
    r.precio_unitario, p.impuesto,
    CASE WHEN e.entra THEN r.costo_total ELSE r.costo_total - r.costo_total_anterior END
        AS costo_total,
    CASE WHEN e.entra THEN r.ajuste ELSE r.ajuste - r.ajuste_anterior END AS ajuste
FROM etl.repeticion AS r
INNER JOIN etl.tramo AS t ON t.id_producto = r.id_producto
INNER JOIN dw.producto AS p ON p.id_producto = r.id_producto
CROSS JOIN LATERAL (SELECT r.es_alta OR t.categoria_anterior IS NOT NULL AS entra) AS e
UNION ALL
-- What leaves, from where it was counted.
SELECT
    b.fecha, b.id_sucursal, coalesce(t.categoria_anterior, p.categoria), b.id_producto,
    b.tipo = 'VENTA', -1, -b.cantidad, b.precio_unitario,
    coalesce(t.impuesto_anterior, p.impuesto), -b.costo_total, -b.ajuste
FROM etl.baja AS b
INNER JOIN etl.tramo AS t ON t.id_producto = b.id_producto
INNER JOIN dw.producto AS p ON p.id_producto = b.id_producto
UNION ALL
SELECT
    r.fecha, r.id_sucursal, t.categoria_anterior, r.id_producto, r.tipo = 'VENTA', -1,
    -r.cantidad, r.precio_unitario, t.impuesto_anterior, -r.costo_total_anterior,
    -r.ajuste_anterior
FROM etl.repeticion AS r
INNER JOIN etl.tramo AS t ON t.id_producto = r.id_producto
WHERE t.categoria_anterior IS NOT NULL AND NOT r.es_alta;
COMMENT ON VIEW etl.v_diferencia IS
    'De los productos con cola, lo que esta carga suma, quita (en negativo) o solo revaloriza (0 movimientos, sin cantidad), de cada movimiento';

CREATE OR REPLACE FUNCTION etl.correr_resumen_movil(p_antes date, p_corte date, p_zona text)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    -- The days that the windows leave behind, and those they reach that were dated ahead.
    -- Product by product: its ledger is in order of date, the whole one is not.
    INSERT INTO dw.resumen_movil AS r
    SELECT
        i.id_producto,
        coalesce(sum((d.ahora / 2 - d.antes / 2) * k.cantidad), 0),
        coalesce(sum((least(d.ahora, 1) - least(d.antes, 1)) * k.cantidad), 0),
        coalesce(sum((least(d.ahora, 1) - least(d.antes, 1)) * k.neta), 0),
        coalesce(sum((least(d.ahora, 1) - least(d.antes, 1)) * k.costo_total), 0)
    FROM dw.inventario AS i
    INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
    CROSS JOIN (VALUES
        (p_antes - 364, least(p_corte - 365, p_antes)),
        (greatest(p_antes - 89, p_corte - 364), least(p_corte - 90, p_antes)),
        (p_antes + 1, p_corte)
    ) AS b (desde, hasta)
    CROSS JOIN LATERAL (
        SELECT
            (f.fecha AT TIME ZONE p_zona)::date AS dia, f.cantidad, f.costo_total,
            dw.venta_neta(f.cantidad, f.precio_unitario, p.impuesto) AS neta
        FROM dw.kardex AS f
        WHERE f.id_producto = i.id_producto
            AND f.fecha >= b.desde::timestamp AT TIME ZONE p_zona
            AND f.fecha < (b.hasta + 1)::timestamp AT TIME ZONE p_zona
            AND f.tipo = 'VENTA'
        OFFSET 0
    ) AS k
    CROSS JOIN LATERAL (
        SELECT etl.franja(k.dia, p_antes)::int AS antes, etl.franja(k.dia, p_corte)::int AS ahora
    ) AS d
    GROUP BY i.id_producto
    ON CONFLICT (id_producto) DO UPDATE SET
        unidades_90 = r.unidades_90 + excluded.unidades_90,
        unidades_365 = r.unidades_365 + excluded.unidades_365,
        venta_neta_365 = r.venta_neta_365 + excluded.venta_neta_365,
        costo_ventas_365 = r.costo_ventas_365 + excluded.costo_ventas_365;
END
$$;
COMMENT ON FUNCTION etl.correr_resumen_movil(date, date, text) IS
    'Lleva dw.resumen_movil de un corte a otro posterior, con el kardex y los impuestos que había';

CREATE OR REPLACE FUNCTION etl.sumar_movil() RETURNS void
LANGUAGE sql
AS $$
INSERT INTO etl.delta
SELECT
    3, NULL, NULL, NULL, NULL, NULL, d.id_producto, 0, sum(d.unidades_vendidas), 0,
    sum(d.venta_neta), sum(d.costo_ventas), 0, 0, 0,
    coalesce(sum(d.unidades_vendidas) FILTER (WHERE d.franja = 2), 0)
FROM etl.delta AS d
WHERE d.nivel = 2 AND d.franja > 0
GROUP BY d.id_producto
$$;
COMMENT ON FUNCTION etl.sumar_movil() IS
    'Saca de los meses de etl.delta, partidos en franjas, lo que gana o pierde dw.resumen_movil';

CREATE OR REPLACE FUNCTION etl.sumar_parte(
    p_zona text, p_corte date, p_todo boolean, p_parte bigint
) RETURNS SETOF etl.delta
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- Dear enough for the planner to give it a worker.
COST 1e8
AS $$
BEGIN
    RETURN QUERY
    SELECT
        (CASE WHEN grouping(c.categoria) = 0 THEN 1 ELSE 2 END)::smallint,
        c.dia, c.mes, c.franja, c.id_sucursal, c.categoria, c.id_producto,
        sum(c.movimientos),
        coalesce(sum(c.cantidad) FILTER (WHERE c.venta), 0),
        coalesce(sum(c.bruta), 0),
        coalesce(sum(c.neta), 0),
        coalesce(sum(c.costo_total) FILTER (WHERE c.venta), 0),
        coalesce(sum(c.ajuste) FILTER (WHERE NOT c.venta), 0),
        coalesce(sum(c.cantidad) FILTER (WHERE NOT c.venta), 0),
        coalesce(sum(c.costo_total) FILTER (WHERE NOT c.venta), 0),
        0::numeric
    FROM (
        SELECT
            s.*,
            date_trunc('month', s.dia::timestamp)::date AS mes,
            etl.franja(s.dia, p_corte) AS franja,
            CASE WHEN s.vendido THEN round(s.cantidad * s.precio_unitario, 6) END AS bruta,
            CASE WHEN s.vendido THEN dw.venta_neta(s.cantidad, s.precio_unitario, s.impuesto)
            END AS neta
        FROM (
            -- OFFSET 0: else the day, which costs more than a sum, is worked out for each
            -- expression that names it.
            SELECT
                m.*, (m.fecha AT TIME ZONE p_zona)::date AS dia,
                m.venta AND m.movimientos <> 0 AS vendido
            FROM (
                SELECT
                    k.fecha, k.id_sucursal, p.categoria, k.id_producto, k.tipo = 'VENTA' AS venta,
                    1 AS movimientos, k.cantidad, k.precio_unitario, p.impuesto, k.costo_total, k.ajuste
                FROM dw.kardex AS k
                INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
                WHERE p_todo AND k.id_producto & 1 <> 1 - p_parte
                UNION ALL
                -- Of a product that only grew, what the ledger has from its first new date is new.
                -- This OFFSET 0 keeps the planner from joining with a scan of the whole ledger.
                SELECT
                    k.fecha, k.id_sucursal, p.categoria, t.id_producto, k.tipo = 'VENTA', 1,
                    k.cantidad, k.precio_unitario, p.impuesto, k.costo_total, k.ajuste
                FROM etl.tramo AS t
                INNER JOIN dw.producto AS p ON p.id_producto = t.id_producto
                CROSS JOIN LATERAL (
                    SELECT * FROM dw.kardex AS f
                    WHERE f.id_producto = t.id_producto AND f.fecha >= t.desde
                    OFFSET 0
                ) AS k
                WHERE NOT p_todo AND NOT t.cola AND t.id_producto & 1 <> 1 - p_parte
                UNION ALL
                SELECT * FROM etl.v_diferencia AS v WHERE NOT p_todo AND v.id_producto & 1 <> 1 - p_parte
            ) AS m
            OFFSET 0
        ) AS s
    ) AS c
    GROUP BY GROUPING SETS (
        (c.dia, c.id_sucursal, c.categoria),
        (c.mes, c.franja, c.id_sucursal, c.id_producto)
    );
END
$$;
COMMENT ON FUNCTION etl.sumar_parte(text, date, boolean, bigint) IS
    'Las sumas de etl.sumar, de los productos de número par (0) o de los de impar (1)';

CREATE OR REPLACE FUNCTION etl.sumar(p_zona text, p_corte date, p_todo boolean)
RETURNS SETOF etl.delta
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    -- In two parts for the same reason as etl.valorizar_tramos().
    RETURN QUERY
    SELECT * FROM etl.sumar_parte(p_zona, p_corte, p_todo, 0)
    UNION ALL
    SELECT * FROM etl.sumar_parte(p_zona, p_corte, p_todo, 1);
END
$$;
COMMENT ON FUNCTION etl.sumar(text, date, boolean) IS
    'Lo que la carga que está en el kardex suma a los resúmenes por día y por mes; con p_todo, las sumas de todo el kardex. Un mismo día puede venir en dos filas, que se suman';

CREATE OR REPLACE FUNCTION etl.actualizar_resumenes() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO dw.resumen_diario AS r
    SELECT
        d.dia, d.id_sucursal, d.categoria, sum(d.movimientos), sum(d.unidades_vendidas),
        sum(d.venta_bruta), sum(d.venta_neta), sum(d.costo_ventas), sum(d.ajuste),
        sum(d.unidades_recibidas), sum(d.costo_recibido)
    FROM etl.delta AS d
    WHERE d.nivel = 1
    GROUP BY d.dia, d.id_sucursal, d.categoria
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
        d.mes, d.id_sucursal, d.id_producto, sum(d.movimientos), sum(d.unidades_vendidas),
        sum(d.venta_bruta), sum(d.venta_neta), sum(d.costo_ventas), sum(d.ajuste),
        sum(d.unidades_recibidas), sum(d.costo_recibido)
    FROM etl.delta AS d
    WHERE d.nivel = 2
    GROUP BY d.mes, d.id_sucursal, d.id_producto
    ON CONFLICT (mes, id_sucursal, id_producto) DO UPDATE SET
        movimientos = r.movimientos + excluded.movimientos,
        unidades_vendidas = r.unidades_vendidas + excluded.unidades_vendidas,
        venta_bruta = r.venta_bruta + excluded.venta_bruta,
        venta_neta = r.venta_neta + excluded.venta_neta,
        costo_ventas = r.costo_ventas + excluded.costo_ventas,
        ajuste = r.ajuste + excluded.ajuste,
        unidades_recibidas = r.unidades_recibidas + excluded.unidades_recibidas,
        costo_recibido = r.costo_recibido + excluded.costo_recibido;

    INSERT INTO dw.resumen_movil AS r
    SELECT d.id_producto, d.unidades_90, d.unidades_vendidas, d.venta_neta, d.costo_ventas
    FROM etl.delta AS d
    WHERE d.nivel = 3
    ON CONFLICT (id_producto) DO UPDATE SET
        unidades_90 = r.unidades_90 + excluded.unidades_90,
        unidades_365 = r.unidades_365 + excluded.unidades_365,
        venta_neta_365 = r.venta_neta_365 + excluded.venta_neta_365,
        costo_ventas_365 = r.costo_ventas_365 + excluded.costo_ventas_365;

    -- A key without movements is no row, so that the summaries never depend on history.
    DELETE FROM dw.resumen_diario AS r USING etl.delta AS d
    WHERE d.nivel = 1 AND d.movimientos < 0 AND r.movimientos = 0
        AND r.dia = d.dia AND r.id_sucursal = d.id_sucursal AND r.categoria = d.categoria;
    DELETE FROM dw.resumen_mensual AS r USING etl.delta AS d
    WHERE d.nivel = 2 AND d.movimientos < 0 AND r.movimientos = 0
        AND r.mes = d.mes AND r.id_sucursal = d.id_sucursal AND r.id_producto = d.id_producto;
    DELETE FROM dw.resumen_movil AS r
    WHERE r.unidades_90 = 0 AND r.unidades_365 = 0 AND r.venta_neta_365 = 0
        AND r.costo_ventas_365 = 0;
END
$$;
COMMENT ON FUNCTION etl.actualizar_resumenes() IS 'Suma etl.delta a los tres resúmenes';

CREATE OR REPLACE FUNCTION etl.diferencias_de_resumen(p_zona text, p_corte date)
RETURNS SETOF etl.delta
LANGUAGE sql STABLE
AS $$
WITH suma AS MATERIALIZED (
    SELECT * FROM etl.sumar(p_zona, p_corte, true)
)
SELECT
    s.nivel, s.dia, s.mes, NULL::smallint, s.id_sucursal, s.categoria, s.id_producto,
    sum(s.movimientos)::bigint,
    sum(s.unidades_vendidas), sum(s.venta_bruta), sum(s.venta_neta), sum(s.costo_ventas),
    sum(s.ajuste), sum(s.unidades_recibidas), sum(s.costo_recibido), sum(s.unidades_90)
FROM (
    SELECT * FROM suma
    UNION ALL
    SELECT
        3, NULL, NULL, NULL, NULL, NULL, d.id_producto, 0, d.unidades_vendidas, 0,
        d.venta_neta, d.costo_ventas, 0, 0, 0,
        CASE WHEN d.franja = 2 THEN d.unidades_vendidas ELSE 0 END
    FROM suma AS d
    WHERE d.nivel = 2 AND d.franja > 0
    UNION ALL
    SELECT
        1, r.dia, NULL, NULL, r.id_sucursal, r.categoria, NULL, -r.movimientos,
        -r.unidades_vendidas, -r.venta_bruta, -r.venta_neta, -r.costo_ventas, -r.ajuste,
        -r.unidades_recibidas, -r.costo_recibido, 0
    FROM dw.resumen_diario AS r
    UNION ALL
    SELECT
        2, NULL, r.mes, NULL, r.id_sucursal, NULL, r.id_producto, -r.movimientos,
        -r.unidades_vendidas, -r.venta_bruta, -r.venta_neta, -r.costo_ventas, -r.ajuste,
        -r.unidades_recibidas, -r.costo_recibido, 0
    FROM dw.resumen_mensual AS r
    UNION ALL
    SELECT
        3, NULL, NULL, NULL, NULL, NULL, r.id_producto, 0, -r.unidades_365, 0,
        -r.venta_neta_365, -r.costo_ventas_365, 0, 0, 0, -r.unidades_90
    FROM dw.resumen_movil AS r
) AS s
GROUP BY s.nivel, s.dia, s.mes, s.id_sucursal, s.categoria, s.id_producto
HAVING (
    sum(s.movimientos), sum(s.unidades_vendidas), sum(s.venta_bruta), sum(s.venta_neta),
    sum(s.costo_ventas), sum(s.ajuste), sum(s.unidades_recibidas), sum(s.costo_recibido),
    sum(s.unidades_90)
) IS DISTINCT FROM (0, 0, 0, 0, 0, 0, 0, 0, 0)
$$;
COMMENT ON FUNCTION etl.diferencias_de_resumen(text, date) IS
    'Las sumas del kardex menos lo que dicen los resúmenes: nada, salvo que alguien los haya tocado';

CREATE OR REPLACE FUNCTION etl.recalcular_resumenes(p_zona text, p_corte date) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM etl.delta;
    INSERT INTO etl.delta SELECT * FROM etl.diferencias_de_resumen(p_zona, p_corte);
    PERFORM etl.actualizar_resumenes();
END
$$;
COMMENT ON FUNCTION etl.recalcular_resumenes(text, date) IS
    'Pone los resúmenes de acuerdo con el kardex, escribiendo solo lo que difiere';

DO $$
BEGIN
    -- An OLAP of version 1 has a ledger, but not yet the sums of its last days.
    IF EXISTS (SELECT FROM dw.kardex) AND NOT EXISTS (SELECT FROM dw.resumen_movil) THEN
        PERFORM etl.recalcular_resumenes(c.zona, (c.hasta AT TIME ZONE c.zona)::date)
        FROM etl.control AS c;
    END IF;
END
$$;
