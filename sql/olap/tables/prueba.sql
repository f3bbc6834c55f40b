-- What was proved last, and what the loads have touched since.

CREATE TABLE IF NOT EXISTS etl.prueba (
    unico   boolean PRIMARY KEY DEFAULT true CHECK (unico),
    probada timestamptz NOT NULL,
    entera  timestamptz NOT NULL,
    estado  jsonb
);
COMMENT ON TABLE etl.prueba IS
    'A lo más una fila: la última comprobación (verify) que no halló nada, de la que parte una corta';
COMMENT ON COLUMN etl.prueba.entera IS 'Cuándo fue la última que lo miró todo';
COMMENT ON COLUMN etl.prueba.estado IS 'Lo que se comprobó, como lo dice etl.leer_prueba(); nulo si una posterior halló faltas';

CREATE TABLE IF NOT EXISTS etl.por_probar (
    id_producto bigint PRIMARY KEY,
    desde       timestamptz NOT NULL,
    numero      bigint NOT NULL
);
COMMENT ON TABLE etl.por_probar IS
    'Los productos que las cargas han tocado desde la última comprobación sin faltas, y desde qué fecha';
COMMENT ON COLUMN etl.por_probar.numero IS 'La última corrida que lo tocó';
