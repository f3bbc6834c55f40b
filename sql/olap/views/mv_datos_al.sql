-- Until when the data go that the views show, and what these rest on beside the shop's documents.

CREATE OR REPLACE VIEW etl.v_ajustado AS
SELECT
    count(*) AS ajustes, count(DISTINCT a.id_producto) AS productos, min(a.hasta) AS desde, max(a.hasta) AS hasta,
    -- Each of its rows, so that what was taken back counts for nothing.
    coalesce(sum(k.valor), 0) AS valor
FROM dw.ajuste_existencias AS a
LEFT JOIN (
    SELECT f.id_movimiento, sum(t.signo * f.costo_total) AS valor
    FROM dw.kardex AS f
    INNER JOIN dw.tipo_movimiento AS t ON t.tipo = f.tipo
    -- As etl.es_ajuste() has it, which the dashboards may not call.
    WHERE f.id_movimiento < -1152921504606846976
    GROUP BY f.id_movimiento
) AS k ON k.id_movimiento = a.id_movimiento;
COMMENT ON VIEW etl.v_ajustado IS
    'Cuántos ajustes se han asentado, de cuántos productos, lo que en el kardex queda de ellos, con su signo, y las ventanas que asentaron el primero y el último';

CREATE OR REPLACE VIEW dw.mv_datos_al AS
SELECT
    c.datos_al, c.dia, c.zona, etl.impuesto_dicho() AS impuesto_dicho,
    a.ajustes, a.productos AS ajustes_productos, a.valor AS ajustes_valor, a.desde AS ajustes_desde, a.hasta AS ajustes_hasta
FROM dw.v_corte AS c
-- A LEFT JOIN of one row: who asks for nothing of it does not have it worked out.
LEFT JOIN etl.v_ajustado AS a ON true;
COMMENT ON VIEW dw.mv_datos_al IS
    'Hasta cuándo llegan los datos que muestran las vistas, y en qué descansan además de los documentos de la tienda';
COMMENT ON COLUMN dw.mv_datos_al.impuesto_dicho IS
    'Si se sabe qué impuesto llevan los precios; si no, la venta neta y el margen lo cuentan como 0';
COMMENT ON COLUMN dw.mv_datos_al.ajustes IS
    'Cuántos ajustes de existencias se asentaron para que sean las de la tienda (ETL_STOCK_DIFFERENCES=adjust); no están en ningún OLTP';
COMMENT ON COLUMN dw.mv_datos_al.ajustes_valor IS 'Lo que valen en el kardex, con su signo: lo que sale resta';
COMMENT ON COLUMN dw.mv_datos_al.ajustes_desde IS 'El fin de la ventana que asentó el primero';
COMMENT ON COLUMN dw.mv_datos_al.ajustes_hasta IS 'El fin de la que asentó el último';
SELECT etl.conceder('SELECT', 'dw.mv_datos_al', 'bi_lector');
