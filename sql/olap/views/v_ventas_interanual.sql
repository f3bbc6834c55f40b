-- Each day beside the same one of the year before.

CREATE OR REPLACE VIEW dw.v_ventas_interanual AS
SELECT
    r.dia,
    date_trunc('month', r.dia::timestamp)::date AS mes,
    r.id_sucursal,
    coalesce(s.nombre, 'Sucursal ' || r.id_sucursal) AS sucursal,
    r.categoria,
    r.unidades,
    r.venta_bruta,
    r.venta_neta,
    r.margen,
    r.unidades_antes,
    r.venta_bruta_antes,
    r.venta_neta_antes,
    r.margen_antes
FROM (
    SELECT
        u.dia, u.id_sucursal, u.categoria,
        sum(u.unidades) AS unidades, sum(u.venta_bruta) AS venta_bruta, sum(u.venta_neta) AS venta_neta,
        sum(u.margen) AS margen,
        sum(u.unidades_antes) AS unidades_antes, sum(u.venta_bruta_antes) AS venta_bruta_antes,
        sum(u.venta_neta_antes) AS venta_neta_antes, sum(u.margen_antes) AS margen_antes
    FROM (
        SELECT
            a.dia, a.id_sucursal, a.categoria, a.unidades_vendidas AS unidades, a.venta_bruta, a.venta_neta,
            a.venta_neta - a.costo_ventas + a.ajuste AS margen,
            0 AS unidades_antes, 0 AS venta_bruta_antes, 0 AS venta_neta_antes, 0 AS margen_antes
        FROM dw.resumen_diario AS a
        UNION ALL
        -- What has no 29 of February to stand beside is with the 28th, so that months add up.
        SELECT
            (b.dia + interval '1 year')::date, b.id_sucursal, b.categoria, 0, 0, 0, 0, b.unidades_vendidas,
            b.venta_bruta, b.venta_neta, b.venta_neta - b.costo_ventas + b.ajuste
        FROM dw.resumen_diario AS b
        -- Not what this year has yet to come to.
        WHERE (b.dia + interval '1 year')::date <= (SELECT c.dia FROM dw.v_corte AS c)
    ) AS u
    GROUP BY u.dia, u.id_sucursal, u.categoria
) AS r
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = r.id_sucursal;
COMMENT ON VIEW dw.v_ventas_interanual IS
    'Ventas y margen por día, sucursal y categoría, como en dw.mv_ventas_diarias, al lado de los del mismo día del año anterior: el mes en curso se compara hasta el mismo día';
COMMENT ON COLUMN dw.v_ventas_interanual.venta_neta_antes IS
    'La de la misma fecha del año anterior (la de un 29 de febrero, en el 28 del siguiente), como las demás que acaban en _antes; 0 si no hubo';
SELECT etl.conceder('SELECT', 'dw.v_ventas_interanual', 'bi_lector');
