-- What an OLAP of version 1 had and one of today has not: dw.resumen_producto, and objects of
-- other shapes. Run on an OLAP of today it makes one that init upgrades.
DROP TABLE dw.resumen_movil, etl.tramo, etl.repeticion, etl.delta CASCADE;
CREATE TABLE dw.resumen_producto (dia date, id_producto bigint, PRIMARY KEY (dia, id_producto));
CREATE TABLE etl.tramo (id_producto bigint PRIMARY KEY, desde timestamptz NOT NULL);
CREATE TABLE etl.repeticion (id_producto bigint);
CREATE TABLE etl.delta (nivel smallint);
CREATE VIEW etl.v_tramo AS SELECT * FROM etl.tramo;
CREATE VIEW etl.v_diferencia AS SELECT * FROM etl.repeticion;
DROP AGGREGATE dw.valuar(text, numeric, numeric, numeric);
CREATE FUNCTION dw.aplicar_movimiento(dw.estado, text, numeric, numeric, numeric)
RETURNS dw.estado LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE AGGREGATE dw.valuar(text, numeric, numeric, numeric) (
    SFUNC = dw.aplicar_movimiento, STYPE = dw.estado
);
CREATE FUNCTION dw.ventas_por_producto(date, date) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION etl.revaluar(bigint, jsonb, boolean) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION etl.sumar_diferencias(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION etl.sumar_kardex(text) RETURNS SETOF etl.delta LANGUAGE sql
AS 'SELECT * FROM etl.delta';
CREATE FUNCTION etl.diferencias_de_resumen(text) RETURNS SETOF etl.delta LANGUAGE sql
AS 'SELECT * FROM etl.delta';
CREATE FUNCTION etl.recalcular_resumenes(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
DO $$
DECLARE
    v_vista text;
BEGIN
    -- The three views that read dw.resumen_movil went with it.
    FOREACH v_vista IN ARRAY ARRAY['mv_reposicion', 'mv_rotacion', 'mv_abc'] LOOP
        EXECUTE format('CREATE MATERIALIZED VIEW dw.%I AS SELECT 1 AS id_producto', v_vista);
    END LOOP;
END
$$;
UPDATE etl.control SET esquema = 1;
