-- Sales, margin, returns and shrinkage by product, day and branch.

CREATE OR REPLACE VIEW dw.v_ventas_producto AS
SELECT
    k.dia,
    k.mes,
    k.meses_atras,
    k.id_producto,
    p.codigo,
    p.nombre,
    coalesce(c.categoria, p.categoria) AS categoria,
    k.id_sucursal,
    coalesce(s.nombre, 'Sucursal ' || k.id_sucursal) AS sucursal,
    k.unidades,
    k.venta_bruta,
    k.venta_neta,
    k.costo,
    k.ajuste,
    k.venta_neta - k.costo + k.ajuste AS margen,
    round((k.venta_neta - k.costo + k.ajuste) * 1.00000000000000000000 / nullif(k.venta_neta, 0), 6) AS margen_relativo,
    k.unidades_recibidas,
    k.costo_recibido,
    k.devoluciones,
    k.unidades_devueltas,
    k.mermas,
    k.unidades_merma,
    p.inventariable
-- No summary has all three: it would have nearly as many rows as the ledger. A product's months are known,
-- and each is read from its ledger, which is in order of date: who asks for some months or products reads
-- those alone.
FROM (
    SELECT
        v.mes, v.meses_atras, v.id_producto, n.dia, f.id_sucursal,
        coalesce(sum(n.vendidas) FILTER (WHERE t.ventas), 0) AS unidades,
        coalesce(sum(round(n.unidades * n.precio, 6)) FILTER (WHERE t.ventas), 0) AS venta_bruta,
        coalesce(sum(n.neta), 0) AS venta_neta,
        coalesce(-sum(t.signo * f.costo_total) FILTER (WHERE t.ventas), 0) AS costo,
        sum(f.ajuste) AS ajuste,
        coalesce(sum(f.variacion) FILTER (WHERE t.compras), 0) AS unidades_recibidas,
        coalesce(sum(t.signo * f.costo_total) FILTER (WHERE t.compras), 0) AS costo_recibido,
        coalesce(-sum(n.neta) FILTER (WHERE t.resta), 0) AS devoluciones,
        coalesce(-sum(n.vendidas) FILTER (WHERE t.resta), 0) AS unidades_devueltas,
        coalesce(-sum(t.signo * f.costo_total) FILTER (WHERE t.merma), 0) AS mermas,
        coalesce(-sum(f.variacion) FILTER (WHERE t.merma), 0) AS unidades_merma
    FROM (
        SELECT m.mes, m.id_producto, g.meses_atras, h.zona
        FROM dw.v_corte AS h
        CROSS JOIN LATERAL (
            SELECT date_trunc('month', h.dia::timestamp) AS este, min(r.mes) AS primero, max(r.mes) AS ultimo
            FROM dw.resumen_mensual AS r
        ) AS b
        CROSS JOIN LATERAL generate_series(
            -- What is dated ahead may be of later ones.
            -greatest(0, 12 * extract(year FROM age(b.ultimo, b.este))::integer + extract(month FROM age(b.ultimo, b.este))::integer),
            12 * extract(year FROM age(b.este, b.primero))::integer + extract(month FROM age(b.este, b.primero))::integer
        ) AS g (meses_atras)
        INNER JOIN dw.resumen_mensual AS m ON m.mes = (b.este - make_interval(months => g.meses_atras))::date
        GROUP BY m.mes, m.id_producto, g.meses_atras, h.zona
    ) AS v
    INNER JOIN dw.producto AS p ON p.id_producto = v.id_producto
    CROSS JOIN LATERAL (
        SELECT
            k.tipo, k.costo_unitario IS NOT NULL AS con_costo, k.id_movimiento < -2305843009213693952 AS inicial,
            k.fecha, k.fecha_documento, k.id_sucursal, k.cantidad, k.precio_unitario, k.importe, k.costo_total,
            k.ajuste, k.variacion, k.reverso, k.impuesto, k.precio_con_impuesto, k.id_movimiento, k.capa
        FROM dw.kardex AS k
        WHERE k.id_producto = v.id_producto
            -- For the index: a month is days of the shop's zone.
            AND k.fecha >= (v.mes - 2)::timestamp AT TIME ZONE 'UTC'
            AND k.fecha < (v.mes + 33)::timestamp AT TIME ZONE 'UTC'
        OFFSET 0
    ) AS f
    INNER JOIN etl.v_clase AS t ON t.tipo = f.tipo AND t.con_costo = f.con_costo AND t.inicial = f.inicial
    -- What it was netted by once it is closed; a reversal as the row that it undoes.
    LEFT JOIN etl.producto_cerrado AS x
        ON x.id_producto = v.id_producto AND x.desde <= CASE WHEN f.reverso THEN (
            SELECT o.fecha FROM dw.kardex AS o WHERE o.id_movimiento = f.id_movimiento AND o.capa = f.capa - 1
        ) ELSE f.fecha END AND x.hasta > CASE WHEN f.reverso THEN (
            SELECT o.fecha FROM dw.kardex AS o WHERE o.id_movimiento = f.id_movimiento AND o.capa = f.capa - 1
        ) ELSE f.fecha END
    CROSS JOIN LATERAL (
        SELECT
            u.*,
            -- As etl.tasa_de_venta(), which who reads this view could not have written into it.
            CASE WHEN t.ventas THEN dw.venta_neta(u.unidades, u.precio, CASE
                WHEN NOT coalesce(f.precio_con_impuesto, x.precio_con_impuesto, p.precio_con_impuesto) THEN 0
                WHEN f.impuesto IS NOT NULL THEN f.impuesto
                WHEN x.tasas IS NOT NULL OR x.id_producto IS NULL AND p.tasas IS NOT NULL THEN etl.buscar_tasa(
                    coalesce(x.impuesto, p.impuesto), coalesce(x.tasas, p.tasas),
                    (f.fecha_documento AT TIME ZONE v.zona)::date
                )
                ELSE coalesce(x.impuesto, p.impuesto)
            END) END AS neta
        FROM (
            SELECT
                (f.fecha AT TIME ZONE v.zona)::date AS dia,
                CASE WHEN t.signo = 0 THEN 0 WHEN t.resta <> f.reverso THEN -f.cantidad ELSE f.cantidad END AS vendidas,
                CASE WHEN f.importe IS NULL THEN f.cantidad ELSE 1.000000 END
                * CASE WHEN t.resta <> f.reverso THEN -1 ELSE 1 END AS unidades,
                coalesce(f.importe, f.precio_unitario) AS precio
            OFFSET 0
        ) AS u
        -- Each is worked out once.
        OFFSET 0
    ) AS n
    WHERE n.dia >= v.mes AND n.dia < v.mes + interval '1 month'
    GROUP BY v.mes, v.meses_atras, v.id_producto, n.dia, f.id_sucursal
) AS k
INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
CROSS JOIN dw.v_corte AS h
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = k.id_sucursal
-- A day that is closed stays in the category that it was closed in.
LEFT JOIN etl.producto_cerrado AS c
    ON c.id_producto = k.id_producto
    AND k.dia >= (c.desde AT TIME ZONE h.zona)::date AND k.dia < (c.hasta AT TIME ZONE h.zona)::date;
COMMENT ON VIEW dw.v_ventas_producto IS
    'Ventas, netas de devoluciones y descuentos, y margen por producto, día y sucursal, leídos del kardex: conviene pedir unos meses (mes, meses_atras) o unos productos; margen = venta neta - costo + ajuste; las mermas, menos lo que se halló de más, van aparte';
COMMENT ON COLUMN dw.v_ventas_producto.mes IS 'El del día: lo que se pide por él es lo único que se lee';
COMMENT ON COLUMN dw.v_ventas_producto.meses_atras IS 'Cuántos meses antes que el de los datos: 0, el mismo';
COMMENT ON COLUMN dw.v_ventas_producto.inventariable IS
    'Si tiene existencias; si no, es un servicio: su venta no tiene costo';
SELECT etl.conceder('SELECT', 'dw.v_ventas_producto', 'bi_lector');
-- Whoever reads the view runs what it calls, as dw.venta_neta(), which dw.v_correcciones calls, too.
SELECT etl.conceder('EXECUTE', 'etl.buscar_tasa(numeric, dw.tasa[], date)', 'bi_lector');
