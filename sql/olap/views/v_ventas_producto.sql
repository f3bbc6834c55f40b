-- Sales, margin, returns and shrinkage by product, day and branch.

CREATE OR REPLACE VIEW dw.v_ventas_producto AS
SELECT
    k.dia,
    v.mes,
    v.meses_atras,
    v.id_producto,
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
    round((k.venta_neta - k.costo + k.ajuste) / nullif(k.venta_neta, 0), 6) AS margen_relativo,
    k.unidades_recibidas,
    k.costo_recibido,
    k.devoluciones,
    k.unidades_devueltas,
    k.mermas,
    k.unidades_merma,
    p.inventariable
-- No summary has all three: it would have as many rows as the ledger. A product's months are known, and
-- each is read from its ledger, which is in order of date: who asks for some months or products reads
-- those alone.
FROM (
    SELECT
        m.mes, m.id_producto,
        (
            SELECT 12 * (extract(year FROM h.dia) - extract(year FROM m.mes))
                + extract(month FROM h.dia) - extract(month FROM m.mes)
            FROM dw.v_corte AS h
        )::integer AS meses_atras
    FROM dw.resumen_mensual AS m
    GROUP BY m.mes, m.id_producto
) AS v
INNER JOIN dw.producto AS p ON p.id_producto = v.id_producto
CROSS JOIN dw.v_corte AS h
CROSS JOIN LATERAL (
    SELECT
        n.dia, n.id_sucursal,
        coalesce(sum(n.vendidas) FILTER (WHERE n.ventas), 0) AS unidades,
        coalesce(sum(round(n.unidades * n.precio, 6)) FILTER (WHERE n.ventas), 0) AS venta_bruta,
        coalesce(sum(n.neta), 0) AS venta_neta,
        coalesce(-sum(n.entra) FILTER (WHERE n.ventas), 0) AS costo,
        coalesce(sum(n.ajuste), 0) AS ajuste,
        coalesce(sum(n.variacion) FILTER (WHERE n.compras), 0) AS unidades_recibidas,
        coalesce(sum(n.entra) FILTER (WHERE n.compras), 0) AS costo_recibido,
        coalesce(-sum(n.neta) FILTER (WHERE n.resta), 0) AS devoluciones,
        coalesce(-sum(n.vendidas) FILTER (WHERE n.resta), 0) AS unidades_devueltas,
        coalesce(-sum(n.entra) FILTER (WHERE n.merma), 0) AS mermas,
        coalesce(-sum(n.variacion) FILTER (WHERE n.merma), 0) AS unidades_merma
    FROM (
        SELECT
            m.*,
            CASE WHEN m.ventas THEN dw.venta_neta(m.unidades, m.precio, etl.tasa_de_venta(
                m.impuesto, m.precio_con_impuesto,
                CASE WHEN x.id_producto IS NULL THEN p.precio_con_impuesto ELSE x.precio_con_impuesto END,
                CASE WHEN x.id_producto IS NULL THEN p.impuesto ELSE x.impuesto END,
                CASE WHEN x.id_producto IS NULL THEN p.tasas ELSE x.tasas END,
                (m.fecha_documento AT TIME ZONE h.zona)::date
            )) END AS neta
        FROM (
            SELECT
                (f.fecha AT TIME ZONE h.zona)::date AS dia, f.id_sucursal, f.fecha_documento, f.ajuste, f.variacion,
                f.impuesto, f.precio_con_impuesto, t.ventas, t.compras, t.merma, t.resta,
                t.signo * f.costo_total AS entra,
                CASE WHEN t.signo = 0 THEN 0 WHEN t.resta <> f.reverso THEN -f.cantidad ELSE f.cantidad END AS vendidas,
                CASE WHEN f.importe IS NULL THEN f.cantidad ELSE 1.000000 END
                * CASE WHEN t.resta <> f.reverso THEN -1 ELSE 1 END AS unidades,
                coalesce(f.importe, f.precio_unitario) AS precio,
                -- The tax of a reversal is that of the row that it undoes.
                CASE WHEN f.reverso THEN (
                    SELECT o.fecha FROM dw.kardex AS o WHERE o.id_movimiento = f.id_movimiento AND o.capa = f.capa - 1
                ) ELSE f.fecha END AS neteada
            FROM dw.kardex AS f
            INNER JOIN etl.v_clase AS t
                ON t.tipo = f.tipo AND t.con_costo = (f.costo_unitario IS NOT NULL)
                AND t.inicial = (f.id_movimiento < -2305843009213693952)
            WHERE f.id_producto = v.id_producto
                -- For the index: a month is days of the shop's zone.
                AND f.fecha >= (v.mes - 2)::timestamp AT TIME ZONE 'UTC'
                AND f.fecha < (v.mes + 33)::timestamp AT TIME ZONE 'UTC'
            OFFSET 0
        ) AS m
        LEFT JOIN etl.producto_cerrado AS x
            ON x.id_producto = v.id_producto AND m.neteada >= x.desde AND m.neteada < x.hasta
        WHERE m.dia >= v.mes AND m.dia < v.mes + interval '1 month'
        OFFSET 0
    ) AS n
    GROUP BY n.dia, n.id_sucursal
) AS k
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = k.id_sucursal
-- A day that is closed stays in the category that it was closed in.
LEFT JOIN etl.producto_cerrado AS c
    ON c.id_producto = v.id_producto
    AND k.dia >= (c.desde AT TIME ZONE h.zona)::date AND k.dia < (c.hasta AT TIME ZONE h.zona)::date;
COMMENT ON VIEW dw.v_ventas_producto IS
    'Ventas, netas de devoluciones y descuentos, y margen por producto, día y sucursal, leídos del kardex: conviene pedir unos meses (mes, meses_atras) o unos productos; margen = venta neta - costo + ajuste; las mermas, menos lo que se halló de más, van aparte';
COMMENT ON COLUMN dw.v_ventas_producto.mes IS 'El del día: lo que se pide por él es lo único que se lee';
COMMENT ON COLUMN dw.v_ventas_producto.meses_atras IS 'Cuántos meses antes que el de los datos: 0, el mismo';
COMMENT ON COLUMN dw.v_ventas_producto.inventariable IS
    'Si tiene existencias; si no, es un servicio: su venta no tiene costo';
SELECT etl.conceder('SELECT', 'dw.v_ventas_producto', 'bi_lector');
-- Whoever reads the view runs what it calls, as dw.venta_neta(), which dw.v_correcciones calls, too.
SELECT etl.conceder('EXECUTE', f.funcion, 'bi_lector')
FROM unnest(ARRAY[
    'etl.buscar_tasa(numeric, dw.tasa[], date)',
    'etl.tasa_de_venta(numeric, boolean, boolean, numeric, dw.tasa[], date)'
]) AS f (funcion);
