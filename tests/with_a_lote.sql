-- What an OLAP had while a very large load's rows got a table of their own, and a large file was
-- staged while it was read. Run on an OLAP of today it makes one that init upgrades.
CREATE TABLE dw.kardex_lote_1 (LIKE dw.kardex) WITH (fillfactor = 50);
WITH movida AS (DELETE FROM dw.kardex WHERE id_movimiento % 2 = 1 RETURNING *)
INSERT INTO dw.kardex_lote_1 SELECT * FROM movida;
ALTER TABLE dw.kardex_lote_1
    ADD CONSTRAINT kardex_lote_1_pk PRIMARY KEY (id_producto, fecha, orden, id_movimiento),
    ADD CONSTRAINT kardex_lote_1_movimiento_unico UNIQUE (id_movimiento),
    INHERIT dw.kardex;
CREATE INDEX kardex_lote_1_avisos ON dw.kardex_lote_1 (id_producto, fecha) WHERE salto_costo IS NOT NULL;
CREATE VIEW etl.v_tabla_kardex AS
SELECT 'dw.kardex'::regclass AS tabla
UNION ALL
SELECT h.inhrelid::regclass FROM pg_inherits AS h WHERE h.inhparent = 'dw.kardex'::regclass;
DROP VIEW etl.v_diferencia;
ALTER TABLE etl.repeticion DROP COLUMN version, ADD COLUMN tabla_kardex oid;
ALTER TABLE etl.tramo ADD COLUMN primera bigint;
CREATE UNLOGGED TABLE etl.adelanto (id_corrida text, sha256 text, filas bigint);
DROP FUNCTION
    etl.abrir_ventana(timestamptz, timestamptz, uuid, text), etl.vaciar_trabajo(),
    etl.tramos(boolean), etl.valorizar(boolean, bigint, numeric), etl.repetir(bigint, numeric),
    etl.actualizar_kardex(), etl.revisar_kardex() CASCADE;
CREATE FUNCTION etl.abrir_ventana(timestamptz, timestamptz, uuid, text, text, text) RETURNS text
LANGUAGE sql AS 'SELECT NULL::text';
CREATE FUNCTION etl.adelantar(timestamptz, timestamptz, uuid, text) RETURNS text
LANGUAGE sql AS 'SELECT NULL::text';
CREATE FUNCTION etl.anotar_adelanto(text, text, bigint) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION etl.veredicto(etl.control, timestamptz, timestamptz, uuid) RETURNS text
LANGUAGE sql AS 'SELECT NULL::text';
CREATE FUNCTION etl.vaciar_trabajo(p_con_etapa boolean DEFAULT true) RETURNS void
LANGUAGE sql AS 'SELECT';
CREATE FUNCTION etl.agregar_lote(text, bigint, numeric) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION etl.indexar_kardex(text) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION etl.muchas_filas() RETURNS bigint LANGUAGE sql AS 'SELECT 20000::bigint';
CREATE FUNCTION etl.valorizar_tramos(numeric) RETURNS SETOF etl.repeticion
LANGUAGE sql AS 'SELECT * FROM etl.repeticion';
CREATE FUNCTION etl.valorizar_colas(numeric, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION etl.valorizar_altas(numeric, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION etl.entradas_a_tramo(boolean, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION etl.tramos(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION etl.repetir(numeric) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION etl.actualizar_kardex(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION etl.revisar_kardex(bigint) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION etl.sumar_parte(text, date, boolean, bigint) RETURNS SETOF etl.delta
LANGUAGE sql AS 'SELECT * FROM etl.delta';
UPDATE etl.control SET esquema = 9;
