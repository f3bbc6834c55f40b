-- The runs.

CREATE TABLE IF NOT EXISTS etl.corrida (
    desde                timestamptz NOT NULL,
    hasta                timestamptz NOT NULL,
    numero               bigint NOT NULL,
    version              uuid NOT NULL,
    id_corrida           text,
    leida                timestamptz NOT NULL,
    cargada              timestamptz NOT NULL DEFAULT now(),
    horizonte            xid8,
    lsn                  pg_lsn,
    identidad            jsonb,
    imagen_completa      boolean NOT NULL,
    motivo_completa      text,
    sha256               text,
    filas_leidas         bigint NOT NULL,
    nuevas               bigint NOT NULL,
    cambiadas            bigint NOT NULL,
    retiradas            bigint NOT NULL,
    iguales              bigint NOT NULL,
    fuera_de_alcance     bigint NOT NULL,
    rechazadas           bigint NOT NULL,
    ventas               bigint NOT NULL,
    entradas             bigint NOT NULL,
    productos_tocados    bigint NOT NULL,
    revaluadas           bigint NOT NULL,
    segundos_extraccion  numeric(12, 3),
    segundos_carga       numeric(12, 3),
    segundos_vistas      numeric(12, 3),
    borradas             bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (desde, hasta)
);
ALTER TABLE etl.corrida ADD COLUMN IF NOT EXISTS reescritas bigint NOT NULL DEFAULT 0;
COMMENT ON TABLE etl.corrida IS 'Una fila por ventana cargada, escrita en la misma transacción que sus datos';
COMMENT ON COLUMN etl.corrida.nuevas IS 'Movimientos que el kardex no tenía';
COMMENT ON COLUMN etl.corrida.cambiadas IS 'Movimientos cuyo contenido cambió en el OLTP';
COMMENT ON COLUMN etl.corrida.retiradas IS 'Movimientos que dejaron el alcance (anulados, borrados, con otra fecha o tipo)';
COMMENT ON COLUMN etl.corrida.borradas IS 'De las retiradas, las que el OLTP ya no tiene; juntas se cuentan contra ETL_MAX_REMOVED_SHARE';
COMMENT ON COLUMN etl.corrida.reescritas IS
    'De las borradas, aquellas en cuyo lugar su documento trae otras: con las demás no se cuentan, una corrida tras otra';
COMMENT ON COLUMN etl.corrida.iguales IS 'Leídos de nuevo sin cambio: los que están cerca del horizonte';
COMMENT ON COLUMN etl.corrida.ventas IS 'De las nuevas y cambiadas, cuántas son VENTA';
COMMENT ON COLUMN etl.corrida.entradas IS 'De las nuevas y cambiadas, cuántas son ENTRADA_MERCANCIA';
COMMENT ON COLUMN etl.corrida.revaluadas IS 'Movimientos anteriores cuyo valor cambió al repetir su producto';
