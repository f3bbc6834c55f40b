-- Until when the data go: what everything here is relative to, never to now().

CREATE OR REPLACE VIEW dw.v_corte AS
SELECT
    c.hasta AS datos_al,
    c.zona,
    (c.hasta AT TIME ZONE c.zona)::date AS dia
FROM etl.control AS c
WHERE c.hasta IS NOT NULL;
COMMENT ON VIEW dw.v_corte IS 'Hasta cuándo llegan los datos cargados, y qué día era en la zona de la tienda';
