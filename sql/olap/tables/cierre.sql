-- The closings: up to where the ledger stays as it is.

CREATE TABLE IF NOT EXISTS dw.cierre (
    hasta       timestamptz PRIMARY KEY,
    dia         date NOT NULL UNIQUE,
    cerrado     timestamptz NOT NULL DEFAULT now(),
    movimientos bigint,
    existencias numeric,
    valor       numeric,
    huella      text
);
COMMENT ON TABLE dw.cierre IS
    'Los cierres: lo asentado antes de hasta ya no cambia; lo que llega o se corrige después se asienta allí';
COMMENT ON COLUMN dw.cierre.hasta IS 'El primer instante que queda abierto';
COMMENT ON COLUMN dw.cierre.dia IS 'El último día cerrado';
COMMENT ON COLUMN dw.cierre.movimientos IS 'Filas del kardex de su período';
COMMENT ON COLUMN dw.cierre.existencias IS 'Al terminar, de todos los productos, como valor';
COMMENT ON COLUMN dw.cierre.huella IS
    'sha256 de sus cifras, de las filas de su período en su orden y de la huella anterior; nula mientras se cierra';
SELECT etl.conceder('SELECT', 'dw.cierre', 'bi_lector');

CREATE TABLE IF NOT EXISTS dw.reapertura (
    reabierto timestamptz NOT NULL DEFAULT now(),
    motivo    text NOT NULL,
    LIKE dw.cierre
);
COMMENT ON TABLE dw.reapertura IS 'Los cierres que se deshicieron, y por qué';
SELECT etl.conceder('SELECT', 'dw.reapertura', 'bi_lector');

CREATE OR REPLACE FUNCTION etl.cerrado_hasta() RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
SELECT coalesce(max(c.hasta), '-infinity') FROM dw.cierre AS c WHERE c.huella IS NOT NULL
$$;
COMMENT ON FUNCTION etl.cerrado_hasta() IS 'Desde dónde está abierto el kardex; -infinity si no hay cierre';

CREATE OR REPLACE FUNCTION etl.limite_de_costos() RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
SELECT coalesce(max(c.hasta), '-infinity') FROM dw.cierre AS c
$$;
COMMENT ON FUNCTION etl.limite_de_costos() IS
    'Un costo fechado desde aquí no es parte de una entrada anterior: un período lleva lo que en él tiene fecha';
