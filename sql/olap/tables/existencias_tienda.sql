-- The shop's own figure of its stock, as existencias.sql yields it, and where ours is another.

CREATE UNLOGGED TABLE IF NOT EXISTS etl.etapa_existencia (
    id_producto      bigint,
    id_sucursal      bigint,
    existencias      numeric,
    costo_referencia numeric,
    clave_producto   text,
    clave_sucursal   text
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.etapa_existencia IS 'Existencias que la tienda dice tener, como llegan del OLTP en esta ventana';
SELECT etl.conceder('INSERT', 'etl.etapa_existencia', 'etl_cargador');

CREATE TABLE IF NOT EXISTS dw.existencias_tienda (
    id_producto      bigint NOT NULL,
    id_sucursal      bigint,
    existencias      numeric NOT NULL,
    costo_referencia numeric,
    clave            text
);
-- A branch that is null is no branch: it is the whole.
CREATE UNIQUE INDEX IF NOT EXISTS existencias_tienda_clave
ON dw.existencias_tienda (id_producto, coalesce(id_sucursal, -9223372036854775808));
COMMENT ON TABLE dw.existencias_tienda IS
    'Las existencias según la propia tienda, en la instantánea de la última ventana; sin existencias.sql está vacía';
COMMENT ON COLUMN dw.existencias_tienda.id_sucursal IS 'Nulo si son las de todas';
COMMENT ON COLUMN dw.existencias_tienda.costo_referencia IS 'El costo que la tienda conoce, si conoce uno';
COMMENT ON COLUMN dw.existencias_tienda.clave IS 'El id que le da la tienda al producto, si no es un número';
SELECT etl.conceder('SELECT', 'dw.existencias_tienda', 'bi_lector');

CREATE TABLE IF NOT EXISTS etl.diferencia_existencias (
    id_producto bigint NOT NULL,
    id_sucursal bigint,
    nuestras    numeric NOT NULL,
    tienda      numeric,
    desde       timestamptz NOT NULL,
    atrasada    numeric NOT NULL DEFAULT 0,
    atrasada_desde timestamptz,
    atrasada_menor numeric
);
CREATE UNIQUE INDEX IF NOT EXISTS diferencia_existencias_clave
ON etl.diferencia_existencias (id_producto, coalesce(id_sucursal, -9223372036854775808));
COMMENT ON TABLE etl.diferencia_existencias IS
    'Dónde nuestras existencias no son las de la tienda, al terminar la última ventana, y desde cuál';
COMMENT ON COLUMN etl.diferencia_existencias.atrasada IS
    'De los productos con ajustes: lo que nos cambió algo que la tienda ya sabía (un rechazo que entró, un borrado que se quitó, historia anterior); y, en atrasada_desde, la primera fecha de ello';
COMMENT ON COLUMN etl.diferencia_existencias.atrasada_menor IS
    'De lo que lo movió, lo menor; 0 si la tienda lo sabía sin duda. Una diferencia más cerca de nada que de ello no se le debe';
