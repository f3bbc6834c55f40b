-- The documents of our own by which the stock becomes the shop's: nothing else here is in no OLTP.

CREATE TABLE IF NOT EXISTS dw.ajuste_existencias (
    id_movimiento bigint PRIMARY KEY CHECK (id_movimiento < -1152921504606846976),
    desde         timestamptz NOT NULL,
    hasta         timestamptz NOT NULL,
    fecha         timestamptz NOT NULL,
    id_producto   bigint NOT NULL,
    id_sucursal   bigint,
    cantidad      numeric(38, 6) NOT NULL CHECK (cantidad <> 0),
    deshace       bigint REFERENCES dw.ajuste_existencias
);
CREATE INDEX IF NOT EXISTS ajuste_existencias_producto ON dw.ajuste_existencias (id_producto, fecha);
CREATE INDEX IF NOT EXISTS ajuste_existencias_ventana ON dw.ajuste_existencias (hasta);
CREATE INDEX IF NOT EXISTS ajuste_existencias_deshechos ON dw.ajuste_existencias (deshace) WHERE deshace IS NOT NULL;
COMMENT ON TABLE dw.ajuste_existencias IS
    'Lo que se asentó para que nuestras existencias sean las de la tienda (ETL_STOCK_DIFFERENCES=adjust): solo se le añade. En el kardex, cada uno es un AJUSTE_ENTRADA o AJUSTE_SALIDA con lo que queda de él';
COMMENT ON COLUMN dw.ajuste_existencias.id_movimiento IS
    'Menor que -2^60, hecho de la ventana, el producto y la sucursal: leída dos veces, asienta una; menor que -2^61 si con él empieza el producto';
COMMENT ON COLUMN dw.ajuste_existencias.desde IS 'De la ventana que lo asentó, como hasta';
COMMENT ON COLUMN dw.ajuste_existencias.fecha IS
    'La de la instantánea en que se leyeron las existencias; de lo que deshace a otro, la de ese otro';
COMMENT ON COLUMN dw.ajuste_existencias.id_sucursal IS 'Nulo si la tienda da sus existencias por producto';
COMMENT ON COLUMN dw.ajuste_existencias.cantidad IS 'Con signo: lo que entra o, negativo, lo que sale';
COMMENT ON COLUMN dw.ajuste_existencias.deshace IS
    'El ajuste al que quita esta cantidad, pues la causa de la diferencia ya está en el kardex; nulo si es uno nuevo';

CREATE OR REPLACE FUNCTION etl.solo_se_anade() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'ETI01',
        MESSAGE = 'dw.ajuste_existencias is only added to; nothing was changed',
        HINT = 'what an adjustment was wrong by, the next window books';
END
$$;
COMMENT ON FUNCTION etl.solo_se_anade() IS 'Rechaza cambiar o borrar lo asentado en dw.ajuste_existencias';
DROP TRIGGER IF EXISTS solo_se_anade ON dw.ajuste_existencias;
CREATE TRIGGER solo_se_anade BEFORE UPDATE OR DELETE OR TRUNCATE ON dw.ajuste_existencias
FOR EACH STATEMENT EXECUTE FUNCTION etl.solo_se_anade();

CREATE OR REPLACE FUNCTION etl.es_ajuste(p_movimiento bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT p_movimiento < -1152921504606846976
$$;
COMMENT ON FUNCTION etl.es_ajuste(bigint) IS
    'Si un movimiento es de dw.ajuste_existencias, y no del OLTP: los números menores que -2^60 son nuestros';

CREATE OR REPLACE FUNCTION etl.es_inicial(p_movimiento bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT p_movimiento < -2305843009213693952
$$;
COMMENT ON FUNCTION etl.es_inicial(bigint) IS
    'Si es el ajuste con que un producto empieza: su saldo inicial, ni merma ni sobrante';

CREATE OR REPLACE FUNCTION etl.numero_de_ajuste(p_inicial boolean, VARIADIC p_de text[]) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE WHEN p_inicial THEN -2305843009213693953 ELSE -1152921504606846977 END
    - ('x' || left(md5(array_to_string(p_de, '|', '-')), 15))::bit(60)::bigint
$$;
COMMENT ON FUNCTION etl.numero_de_ajuste(boolean, text[]) IS
    'El número de un ajuste: siempre el mismo para la misma ventana, producto y sucursal';
