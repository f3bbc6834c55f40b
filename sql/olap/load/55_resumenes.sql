-- The summaries that the views stand on get what was summed; and what brings them back into
-- agreement with the ledger where somebody has touched them.

CREATE OR REPLACE FUNCTION etl.actualizar_resumenes() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_franja smallint;
    v_vacia record;
BEGIN
    -- A key without movements is no row, so that the summaries never depend on history. What the
    -- writing itself leaves at none goes by its key, one by one: a join with the summary has a plan
    -- that visits all of it for each key, and statistics that make the planner take it.
    FOR v_vacia IN
        WITH sumada AS (
            INSERT INTO dw.resumen_diario AS r
            SELECT
                d.dia, d.id_sucursal, d.categoria, sum(d.movimientos), sum(d.unidades_vendidas),
                sum(d.venta_bruta), sum(d.venta_neta), sum(d.costo_ventas), sum(d.ajuste),
                sum(d.unidades_recibidas), sum(d.costo_recibido), sum(d.devoluciones),
                sum(d.unidades_devueltas), sum(d.mermas), sum(d.unidades_merma)
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
                costo_recibido = r.costo_recibido + excluded.costo_recibido,
                devoluciones = r.devoluciones + excluded.devoluciones,
                unidades_devueltas = r.unidades_devueltas + excluded.unidades_devueltas,
                mermas = r.mermas + excluded.mermas,
                unidades_merma = r.unidades_merma + excluded.unidades_merma
            RETURNING r.dia, r.id_sucursal, r.categoria, r.movimientos
        )
        SELECT s.* FROM sumada AS s WHERE s.movimientos = 0
    LOOP
        DELETE FROM dw.resumen_diario AS r
        WHERE r.dia = v_vacia.dia AND r.id_sucursal = v_vacia.id_sucursal
            AND r.categoria = v_vacia.categoria;
    END LOOP;

    -- Within a franja each month of a product comes once, and most months are in one alone: to add
    -- up all three first takes half as long again.
    FOR v_franja IN SELECT DISTINCT d.franja FROM etl.delta AS d WHERE d.nivel = 2 LOOP
        FOR v_vacia IN
            WITH sumada AS (
                INSERT INTO dw.resumen_mensual AS r
                SELECT
                    d.mes, d.id_sucursal, d.id_producto, d.movimientos, d.unidades_vendidas,
                    d.venta_bruta, d.venta_neta, d.costo_ventas, d.ajuste, d.unidades_recibidas,
                    d.costo_recibido, d.devoluciones, d.unidades_devueltas, d.mermas, d.unidades_merma
                FROM etl.delta AS d
                WHERE d.nivel = 2 AND d.franja IS NOT DISTINCT FROM v_franja
                ON CONFLICT (mes, id_sucursal, id_producto) DO UPDATE SET
                    movimientos = r.movimientos + excluded.movimientos,
                    unidades_vendidas = r.unidades_vendidas + excluded.unidades_vendidas,
                    venta_bruta = r.venta_bruta + excluded.venta_bruta,
                    venta_neta = r.venta_neta + excluded.venta_neta,
                    costo_ventas = r.costo_ventas + excluded.costo_ventas,
                    ajuste = r.ajuste + excluded.ajuste,
                    unidades_recibidas = r.unidades_recibidas + excluded.unidades_recibidas,
                    costo_recibido = r.costo_recibido + excluded.costo_recibido,
                    devoluciones = r.devoluciones + excluded.devoluciones,
                    unidades_devueltas = r.unidades_devueltas + excluded.unidades_devueltas,
                    mermas = r.mermas + excluded.mermas,
                    unidades_merma = r.unidades_merma + excluded.unidades_merma
                RETURNING r.mes, r.id_sucursal, r.id_producto, r.movimientos
            )
            SELECT s.* FROM sumada AS s WHERE s.movimientos = 0
        LOOP
            DELETE FROM dw.resumen_mensual AS r
            WHERE r.mes = v_vacia.mes AND r.id_sucursal = v_vacia.id_sucursal
                AND r.id_producto = v_vacia.id_producto;
        END LOOP;
    END LOOP;

    INSERT INTO dw.resumen_sucursal AS r
    SELECT d.id_producto, d.id_sucursal, d.movimientos, d.variacion
    FROM etl.delta AS d
    WHERE d.nivel = 4
    ON CONFLICT (id_producto, id_sucursal) DO UPDATE SET
        movimientos = r.movimientos + excluded.movimientos,
        variacion = r.variacion + excluded.variacion;

    DELETE FROM dw.resumen_sucursal AS r
    WHERE r.movimientos = 0 AND r.id_producto IN (SELECT d.id_producto FROM etl.delta AS d WHERE d.nivel = 4);

    INSERT INTO dw.resumen_movil AS r
    SELECT d.id_producto, d.unidades_90, d.unidades_vendidas, d.venta_neta, d.costo_ventas
    FROM etl.delta AS d
    WHERE d.nivel = 3
    ON CONFLICT (id_producto) DO UPDATE SET
        unidades_90 = r.unidades_90 + excluded.unidades_90,
        unidades_365 = r.unidades_365 + excluded.unidades_365,
        venta_neta_365 = r.venta_neta_365 + excluded.venta_neta_365,
        costo_ventas_365 = r.costo_ventas_365 + excluded.costo_ventas_365;

    DELETE FROM dw.resumen_movil AS r
    WHERE r.unidades_90 = 0 AND r.unidades_365 = 0 AND r.venta_neta_365 = 0
        AND r.costo_ventas_365 = 0;
END
$$;
COMMENT ON FUNCTION etl.actualizar_resumenes() IS 'Suma etl.delta a los cuatro resúmenes';

CREATE OR REPLACE FUNCTION etl.correr_resumen_movil(p_antes date, p_corte date, p_zona text)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_cerrado timestamptz := etl.cerrado_hasta();
BEGIN
    -- The days that the windows leave behind, and those they reach that were dated ahead.
    -- Product by product: its ledger is in order of date, the whole one is not.
    INSERT INTO dw.resumen_movil AS r
    SELECT
        i.id_producto,
        coalesce(sum((d.ahora / 2 - d.antes / 2) * k.vendidas), 0),
        coalesce(sum((least(d.ahora, 1) - least(d.antes, 1)) * k.vendidas), 0),
        coalesce(sum((least(d.ahora, 1) - least(d.antes, 1)) * k.neta), 0),
        coalesce(sum((least(d.ahora, 1) - least(d.antes, 1)) * -k.entra), 0)
    FROM dw.inventario AS i
    INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
    CROSS JOIN (VALUES
        (p_antes - 364, least(p_corte - 365, p_antes)),
        (greatest(p_antes - 89, p_corte - 364), least(p_corte - 90, p_antes)),
        (p_antes + 1, p_corte)
    ) AS b (desde, hasta)
    CROSS JOIN LATERAL (
        SELECT
            (f.fecha AT TIME ZONE p_zona)::date AS dia, t.signo * f.costo_total AS entra,
            CASE WHEN t.signo = 0 THEN 0 WHEN t.resta <> f.reverso THEN -f.cantidad ELSE f.cantidad END
                AS vendidas,
            dw.venta_neta(
                CASE WHEN f.importe IS NULL THEN f.cantidad ELSE 1.000000 END
                * CASE WHEN t.resta <> f.reverso THEN -1 ELSE 1 END,
                coalesce(f.importe, f.precio_unitario),
                CASE WHEN f.reverso OR f.fecha < v_cerrado
                    THEN etl.tasa_asentada(
                        f.id_producto, f.fecha, f.id_movimiento, f.capa, f.reverso,
                        (f.fecha_documento AT TIME ZONE p_zona)::date, f.impuesto, f.precio_con_impuesto
                    )
                    ELSE etl.tasa_de_venta(
                        f.impuesto, f.precio_con_impuesto, p.precio_con_impuesto, p.impuesto, p.tasas,
                        (f.fecha_documento AT TIME ZONE p_zona)::date
                    )
                END
            ) AS neta
        FROM dw.kardex AS f
        INNER JOIN dw.tipo_movimiento AS t ON t.tipo = f.tipo AND t.clase = 'ventas'
        WHERE f.id_producto = i.id_producto
            -- For the index: a midnight that a clock put back makes twice is the later one here.
            AND f.fecha >= (b.desde - 1)::timestamp AT TIME ZONE p_zona
            AND f.fecha < (b.hasta + 2)::timestamp AT TIME ZONE p_zona
        OFFSET 0
    ) AS k
    CROSS JOIN LATERAL (
        SELECT etl.franja(k.dia, p_antes)::int AS antes, etl.franja(k.dia, p_corte)::int AS ahora
    ) AS d
    WHERE k.dia BETWEEN b.desde AND b.hasta
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
    sum(s.ajuste), sum(s.unidades_recibidas), sum(s.costo_recibido), sum(s.unidades_90),
    sum(s.devoluciones), sum(s.unidades_devueltas), sum(s.mermas), sum(s.unidades_merma),
    coalesce(sum(s.variacion) FILTER (WHERE s.nivel = 4), 0)
FROM (
    SELECT * FROM suma
    UNION ALL
    SELECT
        3, NULL, NULL, NULL, NULL, NULL, d.id_producto, 0, d.unidades_vendidas, 0,
        d.venta_neta, d.costo_ventas, 0, 0, 0,
        CASE WHEN d.franja = 2 THEN d.unidades_vendidas ELSE 0 END, 0, 0, 0, 0, 0
    FROM suma AS d
    WHERE d.nivel = 2 AND d.franja > 0
    UNION ALL
    SELECT
        4, NULL, NULL, NULL, d.id_sucursal, NULL, d.id_producto, d.movimientos, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, d.variacion
    FROM suma AS d
    WHERE d.nivel = 2
    UNION ALL
    SELECT
        4, NULL, NULL, NULL, m.id_sucursal, NULL, k.id_producto, m.movimientos, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, m.variacion
    FROM dw.kardex AS k
    CROSS JOIN LATERAL (
        VALUES (k.id_sucursal, 0, -k.cantidad), (k.id_sucursal_destino, 1, k.cantidad)
    ) AS m (id_sucursal, movimientos, variacion)
    WHERE k.id_sucursal_destino IS NOT NULL
    UNION ALL
    SELECT
        1, r.dia, NULL, NULL, r.id_sucursal, r.categoria, NULL, -r.movimientos,
        -r.unidades_vendidas, -r.venta_bruta, -r.venta_neta, -r.costo_ventas, -r.ajuste,
        -r.unidades_recibidas, -r.costo_recibido, 0, -r.devoluciones, -r.unidades_devueltas,
        -r.mermas, -r.unidades_merma, 0
    FROM dw.resumen_diario AS r
    UNION ALL
    SELECT
        2, NULL, r.mes, NULL, r.id_sucursal, NULL, r.id_producto, -r.movimientos,
        -r.unidades_vendidas, -r.venta_bruta, -r.venta_neta, -r.costo_ventas, -r.ajuste,
        -r.unidades_recibidas, -r.costo_recibido, 0, -r.devoluciones, -r.unidades_devueltas,
        -r.mermas, -r.unidades_merma, 0
    FROM dw.resumen_mensual AS r
    UNION ALL
    SELECT
        3, NULL, NULL, NULL, NULL, NULL, r.id_producto, 0, -r.unidades_365, 0,
        -r.venta_neta_365, -r.costo_ventas_365, 0, 0, 0, -r.unidades_90, 0, 0, 0, 0, 0
    FROM dw.resumen_movil AS r
    UNION ALL
    SELECT
        4, NULL, NULL, NULL, r.id_sucursal, NULL, r.id_producto, -r.movimientos, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, -r.variacion
    FROM dw.resumen_sucursal AS r
) AS s
GROUP BY s.nivel, s.dia, s.mes, s.id_sucursal, s.categoria, s.id_producto
HAVING (
    sum(s.movimientos), sum(s.unidades_vendidas), sum(s.venta_bruta), sum(s.venta_neta),
    sum(s.costo_ventas), sum(s.ajuste), sum(s.unidades_recibidas), sum(s.costo_recibido),
    sum(s.unidades_90), sum(s.devoluciones), sum(s.unidades_devueltas), sum(s.mermas),
    sum(s.unidades_merma), coalesce(sum(s.variacion) FILTER (WHERE s.nivel = 4), 0)
) IS DISTINCT FROM (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
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
    -- Rows of zeros differ from the ledger's sums in nothing.
    DELETE FROM dw.resumen_diario AS r WHERE r.movimientos = 0;
    DELETE FROM dw.resumen_mensual AS r WHERE r.movimientos = 0;
END
$$;
COMMENT ON FUNCTION etl.recalcular_resumenes(text, date) IS
    'Pone los resúmenes de acuerdo con el kardex, escribiendo solo lo que difiere';
