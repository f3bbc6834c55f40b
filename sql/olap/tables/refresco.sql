-- What the views show.

CREATE TABLE IF NOT EXISTS etl.refresco (
    unico   boolean PRIMARY KEY DEFAULT true CHECK (unico),
    version uuid
);
-- Apart from etl.control, whose row a load locks for as long as it lasts.
COMMENT ON TABLE etl.refresco IS 'Una sola fila: hasta dónde están al día las vistas materializadas';
COMMENT ON COLUMN etl.refresco.version IS
    'La de etl.control que muestran las vistas propias; si es otra o nula, hay que refrescarlas';
