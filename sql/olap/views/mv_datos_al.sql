-- Until when the data go that the views show.

CREATE OR REPLACE VIEW dw.mv_datos_al AS
SELECT c.datos_al, c.dia, c.zona FROM dw.v_corte AS c;
COMMENT ON VIEW dw.mv_datos_al IS 'Hasta cuándo llegan los datos que muestran las vistas';
SELECT etl.conceder('SELECT', 'dw.mv_datos_al', 'bi_lector');
