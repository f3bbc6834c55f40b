-- Until when the data that the views show go; refreshed after all of them.

CREATE MATERIALIZED VIEW IF NOT EXISTS dw.mv_datos_al AS
SELECT c.datos_al, c.dia, c.zona FROM dw.v_corte AS c
WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS mv_datos_al_clave ON dw.mv_datos_al (datos_al);
COMMENT ON MATERIALIZED VIEW dw.mv_datos_al IS 'Hasta cuándo llegan los datos que muestran las vistas';
SELECT etl.conceder('SELECT', 'dw.mv_datos_al', 'bi_lector');
