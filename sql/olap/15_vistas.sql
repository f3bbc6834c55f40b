-- What dashboards read. Everything is relative to the last window's hasta, never to
-- now(), and stands on the summaries, so that the cost does not follow the ledger.

CREATE OR REPLACE VIEW dw.v_corte AS
SELECT
    c.hasta AS datos_al,
    c.zona,
    (c.hasta AT TIME ZONE c.zona)::date AS dia
FROM etl.control AS c
WHERE c.hasta IS NOT NULL;
COMMENT ON VIEW dw.v_corte IS 'Hasta cuándo llegan los datos cargados, y qué día era en la zona de la tienda';

CREATE MATERIALIZED VIEW IF NOT EXISTS dw.mv_ventas_diarias AS
SELECT
    r.dia,
    r.id_sucursal,
    coalesce(s.nombre, 'Sucursal ' || r.id_sucursal) AS sucursal,
    r.categoria,
    r.unidades_vendidas AS unidades,
    r.venta_bruta,
    r.venta_neta,
    r.costo_ventas AS costo,
    r.ajuste,
    r.venta_neta - r.costo_ventas + r.ajuste AS margen,
    round((r.venta_neta - r.costo_ventas + r.ajuste) / nullif(r.venta_neta, 0), 6) AS margen_relativo,
    r.unidades_recibidas,
    r.costo_recibido
FROM dw.resumen_diario AS r
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = r.id_sucursal
-- A concurrent refresh sorts whole rows to compare them: in half the time if they come in order.
ORDER BY r.dia, r.id_sucursal, r.categoria COLLATE "C"
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS mv_ventas_diarias_clave
    ON dw.mv_ventas_diarias (dia, id_sucursal, categoria);
COMMENT ON MATERIALIZED VIEW dw.mv_ventas_diarias IS
    'Ventas y margen por día, sucursal y categoría; margen = venta neta - costo + ajuste';

CREATE MATERIALIZED VIEW IF NOT EXISTS dw.mv_margen_producto_mes AS
SELECT
    r.mes,
    r.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    sum(r.unidades_vendidas) AS unidades,
    sum(r.venta_bruta) AS venta_bruta,
    sum(r.venta_neta) AS venta_neta,
    sum(r.costo_ventas) AS costo,
    sum(r.ajuste) AS ajuste,
    sum(r.venta_neta - r.costo_ventas + r.ajuste) AS margen,
    round(sum(r.venta_neta - r.costo_ventas + r.ajuste) / nullif(sum(r.venta_neta), 0), 6)
        AS margen_relativo
FROM dw.resumen_mensual AS r
INNER JOIN dw.producto AS p ON p.id_producto = r.id_producto
GROUP BY r.mes, r.id_producto, p.codigo, p.nombre, p.categoria
ORDER BY r.mes, r.id_producto
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS mv_margen_producto_mes_clave
    ON dw.mv_margen_producto_mes (mes, id_producto);
COMMENT ON MATERIALIZED VIEW dw.mv_margen_producto_mes IS
    'Ventas y margen por producto y mes; margen = venta neta - costo + ajuste';

CREATE MATERIALIZED VIEW IF NOT EXISTS dw.mv_inventario_valorizado AS
SELECT
    i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.existencias,
    i.costo_promedio,
    CASE WHEN i.existencias > 0 THEN i.valor ELSE 0 END AS valor,
    CASE WHEN i.existencias < 0 THEN i.existencias ELSE 0 END AS existencias_negativas,
    CASE WHEN i.existencias < 0 THEN i.valor ELSE 0 END AS valor_negativo,
    i.precio_sugerido
FROM dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS mv_inventario_valorizado_clave
    ON dw.mv_inventario_valorizado (id_producto);
COMMENT ON MATERIALIZED VIEW dw.mv_inventario_valorizado IS
    'Existencias valorizadas; lo que está por debajo de cero va en columnas propias y no resta del total';

CREATE MATERIALIZED VIEW IF NOT EXISTS dw.mv_reposicion AS
SELECT
    i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.existencias,
    coalesce(v.unidades_90, 0) AS unidades_90_dias,
    round(coalesce(v.unidades_90, 0) / 90, 6) AS venta_diaria,
    round(i.existencias * 90 / nullif(v.unidades_90, 0), 6) AS dias_cobertura,
    i.existencias <= 0 AND coalesce(v.unidades_90, 0) > 0 AS agotado,
    i.existencias > 0 AND i.existencias * 90 <= 15 * coalesce(v.unidades_90, 0) AS reponer
FROM dw.v_corte AS c
CROSS JOIN dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
LEFT JOIN dw.resumen_movil AS v ON v.id_producto = i.id_producto
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS mv_reposicion_clave ON dw.mv_reposicion (id_producto);
COMMENT ON MATERIALIZED VIEW dw.mv_reposicion IS
    'Días de cobertura al ritmo de los últimos 90 días; agotado: se vende y no hay; reponer: cubre 15 días o menos';

CREATE MATERIALIZED VIEW IF NOT EXISTS dw.mv_rotacion AS
WITH corte AS (
    SELECT c.dia, c.dia - 364 AS desde FROM dw.v_corte AS c
), meses AS (
    -- The month-ends that fall within the 365 days; each named by its first day.
    SELECT date_trunc('month', g.mes)::date AS mes
    FROM corte AS c
    CROSS JOIN generate_series(
        date_trunc('month', c.desde::timestamp), date_trunc('month', c.dia::timestamp),
        interval '1 month'
    ) AS g (mes)
    WHERE (g.mes + interval '1 month - 1 day')::date BETWEEN c.desde AND c.dia
), flujo AS (
    SELECT r.id_producto, r.mes, sum(r.costo_recibido - r.costo_ventas + r.ajuste) AS neto
    FROM dw.resumen_mensual AS r
    GROUP BY r.id_producto, r.mes
    UNION ALL
    SELECT
        a.id_producto, date_trunc('month', a.fecha AT TIME ZONE t.zona)::date,
        round(a.existencias * a.costo_promedio, 6)
    FROM dw.apertura AS a
    CROSS JOIN dw.v_corte AS t
), saldo AS (
    SELECT
        f.id_producto, f.mes,
        sum(f.neto) OVER (PARTITION BY f.id_producto ORDER BY f.mes RANGE UNBOUNDED PRECEDING) AS valor,
        lead(f.mes) OVER (PARTITION BY f.id_producto ORDER BY f.mes) AS hasta_mes
    FROM flujo AS f
), promedio AS (
    SELECT s.id_producto, avg(greatest(s.valor, 0)) AS valor
    FROM saldo AS s
    INNER JOIN meses AS m ON m.mes >= s.mes AND m.mes < coalesce(s.hasta_mes, 'infinity')
    -- Of a long history, only the balances that reach into the year.
    WHERE coalesce(s.hasta_mes, 'infinity') > (SELECT min(n.mes) FROM meses AS n)
    GROUP BY s.id_producto
)
SELECT
    i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    coalesce(v.costo_ventas_365, 0) AS costo_ventas_365_dias,
    round(coalesce(q.valor, greatest(i.valor, 0)), 6) AS valor_promedio,
    round(coalesce(v.costo_ventas_365, 0) / nullif(coalesce(q.valor, greatest(i.valor, 0)), 0), 6)
        AS rotacion
FROM corte AS c
CROSS JOIN dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
LEFT JOIN promedio AS q ON q.id_producto = i.id_producto
LEFT JOIN dw.resumen_movil AS v ON v.id_producto = i.id_producto
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS mv_rotacion_clave ON dw.mv_rotacion (id_producto);
COMMENT ON MATERIALIZED VIEW dw.mv_rotacion IS
    'Costo de ventas de 365 días sobre el valor promedio a fin de mes (lo negativo cuenta 0)';

CREATE MATERIALIZED VIEW IF NOT EXISTS dw.mv_abc AS
WITH venta AS (
    SELECT v.id_producto, v.venta_neta_365 AS venta_neta, v.unidades_365 AS unidades
    FROM dw.resumen_movil AS v
    WHERE v.venta_neta_365 > 0
), acumulada AS (
    SELECT
        v.*,
        sum(v.venta_neta) OVER (ORDER BY v.venta_neta DESC, v.id_producto) AS acumulado,
        sum(v.venta_neta) OVER () AS total
    FROM venta AS v
)
SELECT
    a.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    a.unidades AS unidades_365_dias,
    a.venta_neta AS venta_neta_365_dias,
    round(a.venta_neta / a.total, 6) AS participacion,
    round(a.acumulado / a.total, 6) AS participacion_acumulada,
    CASE
        WHEN a.acumulado - a.venta_neta < 0.80 * a.total THEN 'A'
        WHEN a.acumulado - a.venta_neta < 0.95 * a.total THEN 'B'
        ELSE 'C'
    END AS clase
FROM acumulada AS a
INNER JOIN dw.producto AS p ON p.id_producto = a.id_producto
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS mv_abc_clave ON dw.mv_abc (id_producto);
COMMENT ON MATERIALIZED VIEW dw.mv_abc IS
    'Clase ABC por venta neta de 365 días, cortada en 80 y 95 % de lo acumulado antes del producto';

CREATE MATERIALIZED VIEW IF NOT EXISTS dw.mv_valor_diario AS
WITH flujo AS (
    SELECT r.dia, 0 AS apertura, r.costo_recibido AS entradas, r.costo_ventas AS salidas, r.ajuste
    FROM dw.resumen_diario AS r
    UNION ALL
    SELECT
        (a.fecha AT TIME ZONE c.zona)::date, round(a.existencias * a.costo_promedio, 6), 0, 0, 0
    FROM dw.apertura AS a
    CROSS JOIN dw.v_corte AS c
    WHERE a.fecha IS NOT NULL
), dia AS (
    SELECT
        f.dia, sum(f.apertura) AS apertura, sum(f.entradas) AS entradas,
        sum(f.salidas) AS salidas, sum(f.ajuste) AS ajuste
    FROM flujo AS f
    GROUP BY f.dia
)
SELECT
    d.dia,
    d.apertura,
    d.entradas,
    d.salidas,
    d.ajuste,
    sum(d.apertura + d.entradas - d.salidas + d.ajuste) OVER (ORDER BY d.dia) AS valor
FROM dia AS d
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS mv_valor_diario_clave ON dw.mv_valor_diario (dia);
COMMENT ON MATERIALIZED VIEW dw.mv_valor_diario IS
    'Valor del inventario al final de cada día con movimiento, con lo que está por debajo de cero restado: el de la víspera + apertura + entradas - salidas + ajuste';

CREATE MATERIALIZED VIEW IF NOT EXISTS dw.mv_precios AS
SELECT
    i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.costo_promedio,
    (u.fecha AT TIME ZONE c.zona)::date AS ultima_venta,
    u.precio,
    i.precio_sugerido,
    u.precio - i.precio_sugerido AS diferencia,
    round((u.precio - i.precio_sugerido) / nullif(i.precio_sugerido, 0), 6) AS diferencia_relativa,
    u.neto AS precio_neto,
    u.neto < i.costo_promedio AS bajo_costo
FROM dw.v_corte AS c
CROSS JOIN dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
INNER JOIN dw.v_politica_producto AS v ON v.id_producto = i.id_producto
-- The end of each product's ledger, by its key: the cost does not follow the history.
CROSS JOIN LATERAL (
    SELECT
        k.fecha,
        dw.venta_neta(1, k.precio_unitario, p.impuesto) AS neto,
        -- A suggested price has its tax within; a price that the shop types without it gets it.
        round(k.precio_unitario * CASE WHEN p.impuesto = 0 THEN 1 + v.impuesto ELSE 1 END, 6)
            AS precio
    FROM dw.kardex AS k
    WHERE k.id_producto = i.id_producto AND k.tipo = 'VENTA'
    ORDER BY k.id_producto DESC, k.fecha DESC, k.orden DESC, k.id_movimiento DESC
    LIMIT 1
) AS u
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS mv_precios_clave ON dw.mv_precios (id_producto);
COMMENT ON MATERIALIZED VIEW dw.mv_precios IS
    'El último precio cobrado por cada producto, con impuesto, al lado del sugerido; bajo_costo: sin impuesto no cubre el costo promedio';

CREATE MATERIALIZED VIEW IF NOT EXISTS dw.mv_datos_al AS
SELECT c.datos_al, c.dia, c.zona FROM dw.v_corte AS c
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS mv_datos_al_clave ON dw.mv_datos_al (datos_al);
COMMENT ON MATERIALIZED VIEW dw.mv_datos_al IS 'Hasta cuándo llegan los datos que muestran las vistas';

CREATE OR REPLACE VIEW dw.v_corridas AS SELECT * FROM etl.corrida;
COMMENT ON VIEW dw.v_corridas IS 'Las corridas del ETL, para el tablero de salud';
CREATE OR REPLACE VIEW dw.v_rechazos AS
SELECT
    r.id_movimiento, r.tipo, r.id_producto, r.id_sucursal, r.cantidad, r.precio_unitario,
    r.costo_unitario,
    -- A year of five digits, by a slip at the till, is one that most programs have no date for.
    CASE
        WHEN r.fecha > '9999-12-31 00:00:00+00' THEN timestamptz '9999-12-31 00:00:00+00'
        ELSE r.fecha
    END AS fecha,
    r.motivo, r.primera_desde, r.primera_hasta, r.ultima_desde, r.ultima_hasta
FROM etl.rechazo AS r;
COMMENT ON VIEW dw.v_rechazos IS 'Los movimientos que no se pueden valorizar, para el tablero de salud';
CREATE OR REPLACE VIEW dw.v_kardex AS
SELECT
    k.id_producto, p.codigo, p.nombre, p.categoria, k.fecha, k.id_movimiento, k.tipo,
    k.id_sucursal, coalesce(s.nombre, 'Sucursal ' || k.id_sucursal) AS sucursal, k.cantidad,
    k.precio_unitario, k.costo_unitario, k.costo_total, k.ajuste, k.existencias, k.valor,
    k.costo_promedio, k.provisional, nullif(k.salto_costo, 0) AS salto_costo, k.orden, k.version
FROM dw.kardex AS k
INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = k.id_sucursal;
COMMENT ON VIEW dw.v_kardex IS 'El kardex con los nombres de producto y sucursal';

CREATE OR REPLACE VIEW dw.v_saltos_costo AS
SELECT
    k.id_movimiento, k.id_producto, p.codigo, p.nombre, p.categoria, k.fecha, k.cantidad,
    k.costo_unitario,
    -- As the ledger says it, since the quotient is rounded; round() keeps the column's type, which
    -- is numeric without a scale, or the view could not replace the one of before.
    round(coalesce(
        (
            SELECT f.costo_promedio
            FROM dw.kardex AS f
            WHERE f.id_producto = k.id_producto
                AND (f.fecha, f.orden, f.id_movimiento) < (k.fecha, k.orden, k.id_movimiento)
            ORDER BY f.fecha DESC, f.orden DESC, f.id_movimiento DESC
            LIMIT 1
        ),
        a.costo_promedio
    ), 6) AS costo_promedio_anterior,
    k.salto_costo AS veces
FROM dw.kardex AS k
INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
LEFT JOIN dw.apertura AS a ON a.id_producto = k.id_producto
WHERE k.salto_costo > 0;
COMMENT ON VIEW dw.v_saltos_costo IS
    'Entradas cuyo costo se aleja demasiado del promedio que había: casi siempre un error al teclear';
