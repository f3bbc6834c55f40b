-- The runs, for the dashboard of health.

CREATE OR REPLACE VIEW dw.v_corridas AS SELECT * FROM etl.corrida;
COMMENT ON VIEW dw.v_corridas IS 'Las corridas del ETL, para el tablero de salud';
SELECT etl.conceder('SELECT', 'dw.v_corridas', 'bi_lector');
