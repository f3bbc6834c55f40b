-- What the stock was worth at the end of each day.

CREATE OR REPLACE VIEW dw.mv_valor_diario AS
WITH flujo AS (
    SELECT r.dia, 0 AS apertura, r.costo_recibido AS entradas, r.costo_ventas AS salidas, r.ajuste,
        r.mermas
    FROM dw.resumen_diario AS r
    UNION ALL
    SELECT
        (a.fecha AT TIME ZONE c.zona)::date, round(a.existencias * a.costo_promedio, 6), 0, 0, 0, 0
    FROM etl.v_apertura AS a
    CROSS JOIN dw.v_corte AS c
    WHERE a.fecha IS NOT NULL
    UNION ALL
    -- What a product began with, by the shop's own stock.
    SELECT (k.fecha AT TIME ZONE c.zona)::date, t.signo * k.costo_total, 0, 0, 0, 0
    FROM dw.kardex AS k
    INNER JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo
    CROSS JOIN dw.v_corte AS c
    WHERE k.id_movimiento < -2305843009213693952
), dia AS (
    SELECT
        f.dia, sum(f.apertura) AS apertura, sum(f.entradas) AS entradas,
        sum(f.salidas) AS salidas, sum(f.ajuste) AS ajuste, sum(f.mermas) AS mermas
    FROM flujo AS f
    GROUP BY f.dia
)
SELECT
    d.dia,
    d.apertura,
    d.entradas,
    d.salidas,
    d.ajuste,
    sum(d.apertura + d.entradas - d.salidas + d.ajuste - d.mermas) OVER (ORDER BY d.dia) AS valor,
    d.mermas,
    d.dia - min(d.dia) OVER () AS dias_desde_el_primero
FROM dia AS d;
COMMENT ON VIEW dw.mv_valor_diario IS
    'Valor del inventario al final de cada día con movimiento, con lo que está por debajo de cero restado: el de la víspera + apertura + entradas - salidas - mermas + ajuste; entradas son las compras, salidas el costo de ventas, ambas netas de lo devuelto';
COMMENT ON COLUMN dw.mv_valor_diario.dias_desde_el_primero IS
    '0 el primer día, que trae el inventario inicial';
SELECT etl.conceder('SELECT', 'dw.mv_valor_diario', 'bi_lector');
