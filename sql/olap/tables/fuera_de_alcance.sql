-- What is out of scope though nobody meant it.

CREATE TABLE IF NOT EXISTS etl.fuera_de_alcance (
    id_movimiento bigint PRIMARY KEY,
    fuera         text NOT NULL,
    tipo          text,
    id_producto   bigint,
    fecha         timestamptz,
    desde         timestamptz NOT NULL,
    hasta         timestamptz NOT NULL
);
COMMENT ON TABLE etl.fuera_de_alcance IS
    'Movimientos que nadie quiso dejar fuera: de un tipo que no se conoce, o con una fecha anterior al alcance y escritos después de empezar; a lo más mil por tipo';
COMMENT ON COLUMN etl.fuera_de_alcance.fuera IS 'tipo o fecha, como en etl.descarte';
COMMENT ON COLUMN etl.fuera_de_alcance.desde IS 'Ventana que lo vio por primera vez';

CREATE TABLE IF NOT EXISTS etl.fuera_sin_lista (
    fuera       text NOT NULL,
    tipo        text,
    movimientos bigint NOT NULL
);
COMMENT ON TABLE etl.fuera_sin_lista IS
    'Cuántos más hay de cada tipo que los de etl.fuera_de_alcance; los que se corrigen salen de la cuenta con la siguiente lectura completa';
