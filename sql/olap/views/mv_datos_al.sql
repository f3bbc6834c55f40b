-- Until when the data go that the views show.

CREATE OR REPLACE VIEW dw.mv_datos_al AS
SELECT c.datos_al, c.dia, c.zona, etl.impuesto_dicho() AS impuesto_dicho FROM dw.v_corte AS c;
COMMENT ON VIEW dw.mv_datos_al IS 'Hasta cuándo llegan los datos que muestran las vistas';
COMMENT ON COLUMN dw.mv_datos_al.impuesto_dicho IS
    'Si se sabe qué impuesto llevan los precios; si no, la venta neta y el margen lo cuentan como 0';
SELECT etl.conceder('SELECT', 'dw.mv_datos_al', 'bi_lector');
