-- What earlier releases left: objects whose shape changed are dropped, and made anew by the
-- scripts below.

-- For 23_duenos.sql: what is in dw before the scripts below, some of it perhaps the shop's own.
CREATE TEMPORARY TABLE de_antes ON COMMIT DROP AS
SELECT 'pg_class'::regclass AS clase, c.oid FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('dw')
UNION ALL
SELECT 'pg_proc'::regclass, p.oid FROM pg_proc AS p WHERE p.pronamespace = to_regnamespace('dw');

-- From version 1 to 2. A view of the shop's on one of the five that go stops the upgrade, which
-- then changes nothing.

DO $$
DECLARE
    v_detalle text;
BEGIN
    IF to_regclass('dw.resumen_producto') IS NULL THEN
        RETURN;
    END IF;
    DROP MATERIALIZED VIEW
        dw.mv_ventas_diarias, dw.mv_margen_producto_mes, dw.mv_reposicion, dw.mv_rotacion, dw.mv_abc;
    DROP FUNCTION dw.ventas_por_producto(date, date);
    DROP VIEW etl.v_tramo, etl.v_diferencia;
    DROP FUNCTION
        etl.revaluar(bigint, jsonb, boolean), etl.sumar_diferencias(text), etl.sumar_kardex(text),
        etl.diferencias_de_resumen(text), etl.recalcular_resumenes(text);
    DROP AGGREGATE dw.valuar(text, numeric, numeric, numeric);
    DROP FUNCTION dw.aplicar_movimiento(dw.estado, text, numeric, numeric, numeric);
    DROP TABLE dw.resumen_producto, etl.tramo, etl.repeticion, etl.delta;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS v_detalle = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION USING
        ERRCODE = 'ETS01',
        MESSAGE = format('the upgrade makes views anew on which others stand (%s); nothing was changed',
                         split_part(v_detalle, E'\n', 1)),
        HINT = 'drop those, run init, and create them again';
END
$$;

-- Up to version 3 one process valued and summed.
DROP FUNCTION IF EXISTS
    etl.agregar_al_kardex(bigint, numeric, text, date), etl.sumar_kardex(text, date),
    etl.valorizar(boolean, numeric), etl.tramos(boolean);
-- Up to version 3 the views were refreshed one after the other, all of them each time.
DROP FUNCTION IF EXISTS etl.vistas_por_refrescar();

-- Up to version 4 etl.repeticion, of which nothing is kept from load to load, did not know in which
-- table of the ledger its rows are, up to 3 not where; for a while the replay returned rows of another type, with what the ledger had said
-- as one value.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass('etl.repeticion') AND a.attname = 'tabla_kardex'
            AND NOT a.attisdropped
    ) THEN
        RETURN;
    END IF;
    DROP FUNCTION IF EXISTS
        etl.valorizar_tramos(boolean, numeric), etl.valorizar_parte(boolean, numeric, bigint),
        etl.tramos(boolean, bigint);
    DROP TYPE IF EXISTS etl.valorizado;
    DROP VIEW IF EXISTS etl.v_diferencia;
    DROP TABLE IF EXISTS etl.repeticion;
END
$$;

-- Up to version 3 every load copied its movements' file, and emptied all working tables.
DROP FUNCTION IF EXISTS
    etl.abrir_ventana(timestamptz, timestamptz, uuid, text), etl.vaciar_trabajo();

-- Until a loop took its place, the aggregate dw.valuar valued what is valued again.
DROP FUNCTION IF EXISTS etl.valorizar_parte(numeric, bigint);

-- Up to version 4 a first large load took the ledger's indexes away and built them again.
DROP FUNCTION IF EXISTS etl.soltar_indices(), etl.rehacer_indices();

-- Up to version 5 etl.tramo, of which nothing is kept from load to load, did not count what enters.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass('etl.tramo') AND a.attname = 'altas'
    ) THEN
        RETURN;
    END IF;
    DROP FUNCTION IF EXISTS etl.contar_altas();
    DROP VIEW IF EXISTS etl.v_diferencia;
    DROP TABLE IF EXISTS etl.tramo;
END
$$;

-- Up to version 8 the guard knew only of what a full read removes.
DROP FUNCTION IF EXISTS etl.revisar_retiros(etl.control, jsonb, jsonb);

-- Up to version 8 verify knew the date of a movement in UTC only.
DROP FUNCTION IF EXISTS
    etl.verificar_bloques(timestamptz, bigint), etl.verificar_filas(timestamptz, bigint[], bigint);
DROP VIEW IF EXISTS etl.v_huella;

-- For a while in version 9 verify compared by md5 alone, and replayed a sample.
DROP FUNCTION IF EXISTS
    etl.verificar_bloques(timestamptz, bigint, text),
    etl.verificar_filas(timestamptz, bigint[], bigint, text), etl.verificar_cuadre(),
    etl.verificar_repeticion(bigint, double precision), etl.verificar_libros(bigint, double precision);
