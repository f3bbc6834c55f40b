-- Step 6 of the load: carry the differences to the summaries that the views stand on.

CREATE OR REPLACE VIEW etl.v_diferencia AS
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
    r.cantidad, r.precio_unitario, t.impuesto_anterior, -r.costo_total_anterior, -r.ajuste_anterior
FROM etl.repeticion AS r
INNER JOIN etl.tramo AS t ON t.id_producto = r.id_producto
WHERE t.categoria_anterior IS NOT NULL AND NOT r.es_alta;
COMMENT ON VIEW etl.v_diferencia IS
    'Lo que esta carga suma (signo 1), quita (-1) o solo revaloriza (0), de cada movimiento';

CREATE OR REPLACE FUNCTION etl.sumar_diferencias(p_zona text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO etl.delta
    SELECT
        CASE WHEN grouping(c.categoria) = 0 THEN 1 WHEN grouping(c.mes) = 0 THEN 2 ELSE 3 END,
        c.dia, c.mes, c.id_sucursal, c.categoria, c.id_producto,
        sum(c.signo),
        coalesce(sum(c.signo * c.cantidad) FILTER (WHERE c.venta), 0),
        coalesce(sum(c.signo * c.bruta), 0),
        coalesce(sum(c.signo * c.neta), 0),
        coalesce(sum(c.costo_total) FILTER (WHERE c.venta), 0),
        coalesce(sum(c.ajuste) FILTER (WHERE NOT c.venta), 0),
        coalesce(sum(c.signo * c.cantidad) FILTER (WHERE NOT c.venta), 0),
        coalesce(sum(c.costo_total) FILTER (WHERE NOT c.venta), 0)
    FROM (
        SELECT
            s.*,
            (s.fecha AT TIME ZONE p_zona)::date AS dia,
            date_trunc('month', s.fecha AT TIME ZONE p_zona)::date AS mes,
            CASE WHEN s.venta THEN round(s.cantidad * s.precio_unitario, 6) END AS bruta,
            CASE WHEN s.venta THEN dw.venta_neta(s.cantidad, s.precio_unitario, s.impuesto)
            END AS neta
        FROM etl.v_diferencia AS s
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

CREATE OR REPLACE FUNCTION etl.sumar_kardex(p_zona text) RETURNS SETOF etl.delta
LANGUAGE sql STABLE
AS $$
SELECT
    (CASE WHEN grouping(c.categoria) = 0 THEN 1 WHEN grouping(c.mes) = 0 THEN 2 ELSE 3 END)::smallint,
    c.dia, c.mes, c.id_sucursal, c.categoria, c.id_producto,
    count(*),
    coalesce(sum(c.cantidad) FILTER (WHERE c.venta), 0),
    coalesce(sum(c.bruta), 0),
    coalesce(sum(c.neta), 0),
    coalesce(sum(c.costo_total) FILTER (WHERE c.venta), 0),
    coalesce(sum(c.ajuste), 0),
    coalesce(sum(c.cantidad) FILTER (WHERE NOT c.venta), 0),
    coalesce(sum(c.costo_total) FILTER (WHERE NOT c.venta), 0)
FROM (
    SELECT
        k.*, p.categoria,
        k.tipo = 'VENTA' AS venta,
        (k.fecha AT TIME ZONE p_zona)::date AS dia,
        date_trunc('month', k.fecha AT TIME ZONE p_zona)::date AS mes,
        CASE WHEN k.tipo = 'VENTA' THEN round(k.cantidad * k.precio_unitario, 6) END AS bruta,
        CASE WHEN k.tipo = 'VENTA' THEN dw.venta_neta(k.cantidad, k.precio_unitario, p.impuesto)
        END AS neta
    FROM dw.kardex AS k
    INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
) AS c
GROUP BY GROUPING SETS (
    (c.dia, c.id_sucursal, c.categoria),
    (c.mes, c.id_sucursal, c.id_producto),
    (c.dia, c.id_producto)
)
$$;
COMMENT ON FUNCTION etl.sumar_kardex(text) IS
    'Las sumas de los tres resúmenes, hechas de nuevo con todo el kardex: para comprobarlos o rehacerlos';

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

CREATE OR REPLACE FUNCTION etl.diferencias_de_resumen(p_zona text) RETURNS SETOF etl.delta
LANGUAGE sql STABLE
AS $$
SELECT
    s.nivel, s.dia, s.mes, s.id_sucursal, s.categoria, s.id_producto, sum(s.movimientos)::bigint,
    sum(s.unidades_vendidas), sum(s.venta_bruta), sum(s.venta_neta), sum(s.costo_ventas),
    sum(s.ajuste), sum(s.unidades_recibidas), sum(s.costo_recibido)
FROM (
    SELECT * FROM etl.sumar_kardex(p_zona)
    UNION ALL
    SELECT
        1, r.dia, NULL, r.id_sucursal, r.categoria, NULL, -r.movimientos, -r.unidades_vendidas,
        -r.venta_bruta, -r.venta_neta, -r.costo_ventas, -r.ajuste, -r.unidades_recibidas,
        -r.costo_recibido
    FROM dw.resumen_diario AS r
    UNION ALL
    SELECT
        2, NULL, r.mes, r.id_sucursal, NULL, r.id_producto, -r.movimientos,
        -r.unidades_vendidas, -r.venta_bruta, -r.venta_neta, -r.costo_ventas, -r.ajuste,
        -r.unidades_recibidas, -r.costo_recibido
    FROM dw.resumen_mensual AS r
    UNION ALL
    SELECT
        3, r.dia, NULL, NULL, NULL, r.id_producto, -r.movimientos, -r.unidades_vendidas,
        0, -r.venta_neta, -r.costo_ventas, 0, 0, 0
    FROM dw.resumen_producto AS r
) AS s
GROUP BY s.nivel, s.dia, s.mes, s.id_sucursal, s.categoria, s.id_producto
HAVING (
    sum(s.movimientos), sum(s.unidades_vendidas), sum(s.venta_neta), sum(s.costo_ventas)
) IS DISTINCT FROM (0, 0, 0, 0) OR (s.nivel < 3 AND (
    sum(s.venta_bruta), sum(s.ajuste), sum(s.unidades_recibidas), sum(s.costo_recibido)
) IS DISTINCT FROM (0, 0, 0, 0))
$$;
COMMENT ON FUNCTION etl.diferencias_de_resumen(text) IS
    'Las sumas del kardex menos lo que dicen los resúmenes: nada, salvo que alguien los haya tocado';

CREATE OR REPLACE FUNCTION etl.recalcular_resumenes(p_zona text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM etl.delta;
    INSERT INTO etl.delta SELECT * FROM etl.diferencias_de_resumen(p_zona);
    PERFORM etl.actualizar_resumenes();
END
$$;
COMMENT ON FUNCTION etl.recalcular_resumenes(text) IS
    'Pone los resúmenes de acuerdo con el kardex, escribiendo solo lo que difiere';
