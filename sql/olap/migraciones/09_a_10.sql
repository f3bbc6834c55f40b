-- The ledger is one table: what a very large load had added was a table of its own, which inherited
-- from it. Its rows go into the ledger before anything else looks at that.

DO $$
DECLARE
    v_lote record;
    v_hay boolean;
    v_columnas text;
    v_filas bigint;
    v_movidas bigint;
    v_detalle text;
BEGIN
    FOR v_lote IN
        SELECT h.inhrelid::regclass AS tabla, substring(c.relname FROM '\d+$')::numeric AS corrida
        FROM pg_inherits AS h
        INNER JOIN pg_class AS c ON c.oid = h.inhrelid
        WHERE h.inhparent = to_regclass('dw.kardex') AND c.relname ~ '^kardex_lote_\d+$'
    LOOP
        LOCK TABLE dw.kardex IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', v_lote.tabla) INTO v_hay;
        IF v_hay AND v_lote.corrida > (SELECT c.corridas FROM etl.control AS c) THEN
            RAISE EXCEPTION USING
                ERRCODE = 'ETS01',
                MESSAGE = format('%s holds movements of a run that this database has not had', v_lote.tabla),
                HINT = 'a backup was restored over a later state: restore it into an empty database';
        END IF;
        SELECT string_agg(quote_ident(a.attname), ', ') INTO v_columnas
        FROM pg_attribute AS a
        WHERE a.attrelid = 'dw.kardex'::regclass AND a.attnum > 0 AND NOT a.attisdropped;
        EXECUTE format('SELECT count(*) FROM %s', v_lote.tabla) INTO v_filas;
        EXECUTE format(
            'INSERT INTO dw.kardex (%s) SELECT %s FROM %s ORDER BY id_producto, fecha, orden, id_movimiento',
            v_columnas, v_columnas, v_lote.tabla
        );
        GET DIAGNOSTICS v_movidas = ROW_COUNT;
        IF v_movidas <> v_filas THEN
            RAISE EXCEPTION USING
                ERRCODE = 'ETS01',
                MESSAGE = format('of the %s rows of %s dw.kardex took %s; nothing was changed',
                                 v_filas, v_lote.tabla, v_movidas),
                HINT = 'a trigger or a rule of dw.kardex keeps rows out: disable it, and run init again';
        END IF;
        -- What a trigger of the shop's has put off would stop the rest.
        SET CONSTRAINTS ALL IMMEDIATE;
        EXECUTE format('DROP TABLE %s', v_lote.tabla);
    END LOOP;
EXCEPTION
    WHEN unique_violation THEN
        GET STACKED DIAGNOSTICS v_detalle = PG_EXCEPTION_DETAIL;
        RAISE EXCEPTION USING
            ERRCODE = 'ETS01',
            MESSAGE = format('%s holds a movement that dw.kardex has, too (%s); nothing was changed',
                             v_lote.tabla, v_detalle),
            HINT = 'a backup was restored over this database: restore it into an empty one';
    WHEN dependent_objects_still_exist THEN
        GET STACKED DIAGNOSTICS v_detalle = PG_EXCEPTION_DETAIL;
        RAISE EXCEPTION USING
            ERRCODE = 'ETS01',
            MESSAGE = format('the upgrade moves the rows of %s to dw.kardex, and something stands on it (%s); nothing was changed',
                             v_lote.tabla, split_part(v_detalle, E'\n', 1)),
            HINT = 'drop that, run init, and create it again on dw.kardex';
END
$$;
DROP FUNCTION IF EXISTS
    etl.admite_lote(text), etl.conviene_lote(text), etl.agregar_lote(text, bigint, numeric),
    etl.indexar_kardex(text), etl.admite_tabla_por_tabla();
DROP VIEW IF EXISTS etl.v_tabla_kardex;

-- For a while loops valued and summed, in two processes where the rows were many.
DROP FUNCTION IF EXISTS
    etl.valorizar_tramos(boolean, numeric), etl.valorizar_parte(boolean, numeric, bigint),
    etl.valorizar_parte(numeric, bigint),
    etl.valorizar_tramos(numeric), etl.valorizar_colas(numeric, bigint),
    etl.valorizar_altas(numeric, bigint), etl.tramos(boolean, bigint), etl.tramos(bigint),
    etl.entradas_a_tramo(boolean, bigint), etl.repetir(numeric), etl.cambios_por_producto(),
    etl.sumar_parte(text, date, boolean, bigint), etl.muchas_filas(), etl.es_carga_grande(),
    etl.es_repeticion_grande(), etl.admite_procesos(), etl.permitir_procesos(),
    etl.actualizar_kardex(bigint), etl.revisar_kardex(bigint);
DROP TYPE IF EXISTS etl.valorizado;

-- etl.repeticion, of which nothing is kept from load to load, had other columns than the ledger.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass('etl.repeticion') AND a.attname = 'version'
    ) THEN
        DROP VIEW IF EXISTS etl.v_diferencia;
        DROP TABLE IF EXISTS etl.repeticion;
    END IF;
END
$$;

-- For a while a large file was staged while it was still being read.
DROP FUNCTION IF EXISTS
    etl.abrir_ventana(timestamptz, timestamptz, uuid, text, text, text), etl.vaciar_trabajo(boolean),
    etl.adelantar(timestamptz, timestamptz, uuid, text), etl.anotar_adelanto(text, text, bigint),
    etl.veredicto(etl.control, timestamptz, timestamptz, uuid);
DROP TABLE IF EXISTS etl.adelanto;

ALTER TABLE IF EXISTS etl.tramo DROP COLUMN IF EXISTS primera;
