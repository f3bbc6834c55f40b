-- The ledger: every movement with what it cost and what it left.

CREATE TABLE IF NOT EXISTS dw.kardex (
    id_producto     bigint NOT NULL,
    fecha           timestamptz NOT NULL,
    id_movimiento   bigint NOT NULL,
    id_sucursal     bigint NOT NULL,
    version         bigint NOT NULL,
    orden           smallint NOT NULL,
    provisional     boolean NOT NULL,
    tipo            text NOT NULL,
    cantidad        numeric(38, 6) NOT NULL,
    precio_unitario numeric(38, 6),
    costo_unitario  numeric(38, 6),
    costo_total     numeric(38, 6) NOT NULL,
    ajuste          numeric(38, 6) NOT NULL,
    existencias     numeric(38, 6) NOT NULL,
    valor           numeric(38, 6) NOT NULL,
    costo_promedio  numeric(38, 6) NOT NULL,
    salto_costo     numeric,
    variacion       numeric(38, 6) NOT NULL,
    importe         numeric(38, 6),
    id_origen       bigint,
    id_sucursal_destino bigint,
    de_todo         boolean,
    fecha_documento timestamptz NOT NULL,
    capa            smallint NOT NULL,
    reverso         boolean NOT NULL,
    impuesto        numeric(38, 6),
    precio_con_impuesto boolean
)
-- Room for as many rows again: those that are valued anew stay on their page, and no index needs
-- an entry more (see also the index for notices).
WITH (fillfactor = 50);
COMMENT ON TABLE dw.kardex IS 'Libro de movimientos valorizados; la clave es el orden en que se valorizan';
COMMENT ON COLUMN dw.kardex.fecha IS
    'Donde está asentado: la del documento o, si llegó o cambió cerrado su período, el fin del último cierre';
COMMENT ON COLUMN dw.kardex.fecha_documento IS 'La del OLTP';
COMMENT ON COLUMN dw.kardex.capa IS
    '0, como se asentó primero; lo que lo corrige después de un cierre tiene las que siguen';
COMMENT ON COLUMN dw.kardex.reverso IS 'Deshace la capa anterior, que ya estaba cerrada: variacion y costo_total son los contrarios';
COMMENT ON COLUMN dw.kardex.id_sucursal IS '0 si el documento no tiene sucursal';
COMMENT ON COLUMN dw.kardex.version IS 'Número de la corrida que escribió la fila por última vez';
COMMENT ON COLUMN dw.kardex.orden IS 'En la misma fecha: el de su tipo en dw.tipo_movimiento';
COMMENT ON COLUMN dw.kardex.provisional IS
    'Valorizado al promedio, y dejó existencias negativas o el promedio era 0';
COMMENT ON COLUMN dw.kardex.costo_unitario IS
    'El del documento; de una venta, el promedio aplicado; nulo donde no lo hay';
COMMENT ON COLUMN dw.kardex.costo_total IS
    'Costo que entra o que sale, según el signo de su tipo; de un conteo, negativo si falta';
COMMENT ON COLUMN dw.kardex.ajuste IS
    'Lo que cambió el valor sin ser costo_total, como la corrección de lo vendido antes de recibirse';
COMMENT ON COLUMN dw.kardex.variacion IS 'Con signo, cuánto cambió las existencias';
COMMENT ON COLUMN dw.kardex.importe IS 'El de la línea, si lo da: vale en lugar de cantidad por precio o costo';
COMMENT ON COLUMN dw.kardex.impuesto IS 'Tasa de la línea, si la da; si no, vale la de dw.politica_precio';
COMMENT ON COLUMN dw.kardex.precio_con_impuesto IS
    'Si el precio de la línea incluye su impuesto, si lo dice; si no, vale ETL_PRICES_INCLUDE_TAX';
COMMENT ON COLUMN dw.kardex.id_origen IS 'El movimiento que devuelve, o al que añade costo';
COMMENT ON COLUMN dw.kardex.id_sucursal_destino IS 'De un traslado, adónde va';
COMMENT ON COLUMN dw.kardex.de_todo IS 'De un conteo, si lo es de todas las sucursales; si no, nulo';
COMMENT ON COLUMN dw.kardex.salto_costo IS
    'De una entrada cuyo costo se aleja del promedio anterior más que ETL_COST_JUMP_FACTOR: costo / promedio, al menos 0.000001; 0 si entró gratis; si no, nulo';
COMMENT ON COLUMN dw.kardex.existencias IS 'Después del movimiento, como valor y costo_promedio';

CREATE OR REPLACE FUNCTION etl.indexar_kardex() RETURNS void
LANGUAGE plpgsql
-- That one is there already is no news.
SET client_min_messages = warning
AS $$
BEGIN
    -- A trigger of somebody's that waits for the end would stand in the way of an index.
    SET CONSTRAINTS ALL IMMEDIATE;
    -- An index and no constraint, since those who read do not wait for an index that is made.
    CREATE UNIQUE INDEX IF NOT EXISTS kardex_movimiento_unico ON dw.kardex (id_movimiento, capa);
END
$$;
COMMENT ON FUNCTION etl.indexar_kardex() IS
    'La llave del kardex por movimiento, si falta: una carga llena el kardex vacío antes de hacerla, en mucho menos tiempo';

DO $$
BEGIN
    -- Named, and not part of the table above, since a restore may have left it out.
    IF NOT EXISTS (
        SELECT FROM pg_constraint AS c
        WHERE c.conrelid = 'dw.kardex'::regclass AND c.conname = 'kardex_pk'
    ) THEN
        ALTER TABLE dw.kardex ADD CONSTRAINT kardex_pk
        PRIMARY KEY (id_producto, fecha, fecha_documento, orden, id_movimiento, capa);
    END IF;
    IF EXISTS (SELECT FROM dw.kardex) THEN
        PERFORM etl.indexar_kardex();
    END IF;
END
$$;

-- What a reversal undoes is no more what the movement is.
CREATE INDEX IF NOT EXISTS kardex_reversos ON dw.kardex (id_movimiento, capa) WHERE reverso;
-- What came, was corrected or was taken back once its period was closed.
CREATE INDEX IF NOT EXISTS kardex_correcciones ON dw.kardex (id_movimiento, capa)
WHERE capa > 0 OR fecha_documento < fecha;
-- The receipts that somebody should look at: for nothing, or of another cost. Neither this index
-- nor a key names a column that changes when a sale is valued anew.
CREATE INDEX IF NOT EXISTS kardex_avisos ON dw.kardex (id_producto, fecha)
WHERE salto_costo IS NOT NULL;
-- What a return or an added cost belongs to, and the reverse.
CREATE INDEX IF NOT EXISTS kardex_origenes ON dw.kardex (id_producto, id_origen, fecha)
WHERE id_origen IS NOT NULL;
-- The counts, whose difference is that of their branch, the last of all of them, and the transfers.
CREATE INDEX IF NOT EXISTS kardex_conteos ON dw.kardex (id_producto, fecha)
WHERE orden = 3 AND de_todo IS NULL;
CREATE INDEX IF NOT EXISTS kardex_recuentos ON dw.kardex (fecha) WHERE orden = 3;
CREATE INDEX IF NOT EXISTS kardex_traslados ON dw.kardex (id_producto)
WHERE id_sucursal_destino IS NOT NULL;

CREATE OR REPLACE FUNCTION etl.revisar_kardex() RETURNS void
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_tabla regclass;
BEGIN
    IF 2 > (
        SELECT count(*) FROM pg_index AS i
        WHERE i.indrelid = 'dw.kardex'::regclass AND i.indisunique AND i.indisvalid
    ) THEN
        -- A question of its own: to plan it opens the ledger and all its indexes, which an idle run spares.
        IF EXISTS (SELECT FROM dw.kardex) THEN
            RAISE EXCEPTION USING
                ERRCODE = 'ETS01',
                MESSAGE = 'dw.kardex lacks a key, without which a movement could be in it twice',
                HINT = 'run `python -m pipeline init`, which makes it; if it cannot, a backup was restored over this database: restore it into an empty one';
        END IF;
    END IF;
    SELECT h.inhrelid INTO v_tabla
    FROM pg_inherits AS h
    WHERE h.inhparent = 'dw.kardex'::regclass
    LIMIT 1;
    IF v_tabla IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETS01',
            MESSAGE = format('%s inherits from dw.kardex, and its rows would count as movements', v_tabla),
            HINT = format('if a backup was restored over this database, restore it into an empty one, and run init; else ALTER TABLE %s NO INHERIT dw.kardex', v_tabla);
    END IF;
END
$$;
COMMENT ON FUNCTION etl.revisar_kardex() IS
    'Se niega si al kardex le falta una llave, o si una tabla hereda de él';
