-- A lote: what a very large load adds becomes a table of its own, a part of the ledger.

CREATE OR REPLACE FUNCTION etl.admite_lote(p_lote text) RETURNS boolean
LANGUAGE sql STABLE
AS $$
-- What a shop put on the ledger is of that table alone, and none of it may miss a row. A relation
-- of a name that is taken is of an earlier ledger, or somebody else's.
SELECT
    (SELECT count(*) FROM pg_index AS i WHERE i.indrelid = t.tabla) = 3
    AND 17 = (
        SELECT count(*) FROM pg_attribute AS a
        WHERE a.attrelid = t.tabla AND a.attnum > 0 AND NOT a.attisdropped
    )
    AND NOT EXISTS (SELECT FROM pg_trigger AS d WHERE d.tgrelid = t.tabla)
    AND NOT EXISTS (SELECT FROM pg_publication_rel AS p WHERE p.prrelid = t.tabla)
    AND NOT EXISTS (
        SELECT FROM pg_constraint AS c WHERE c.conrelid = t.tabla AND c.contype NOT IN ('p', 'u', 'n')
    )
    AND NOT EXISTS (
        SELECT FROM unnest(ARRAY['', '_pk', '_movimiento_unico', '_avisos']) AS n (fin)
        WHERE to_regclass('dw.' || p_lote || n.fin) IS NOT NULL
    )
    AND (SELECT count(*) FROM etl.v_tabla_kardex) <= 8
FROM (SELECT 'dw.kardex'::regclass AS tabla) AS t
$$;
COMMENT ON FUNCTION etl.admite_lote(text) IS
    'Si el kardex puede tener una tabla más: es como init lo hizo, el nombre está libre y no son ya demasiadas';

CREATE OR REPLACE FUNCTION etl.conviene_lote(p_lote text) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    v_altas bigint;
    v_primera bigint;
    v_bytes bigint;
BEGIN
    SELECT sum(t.altas), min(t.primera) INTO v_altas, v_primera FROM etl.tramo AS t WHERE NOT t.cola;
    IF coalesce(v_altas, 0) < etl.muchas_filas() OR NOT etl.admite_lote(p_lote) THEN
        RETURN false;
    END IF;
    SELECT sum(pg_relation_size(k.tabla)) INTO v_bytes FROM etl.v_tabla_kardex AS k;
    -- Each is a quarter or more of what there was (of 300 bytes a row, half of them its page's
    -- room; an eighth of a ledger whose pages are full); and since none has numbers of before,
    -- none has a movement that the ledger has elsewhere.
    IF v_bytes > v_altas * 4 * 300
        OR v_primera <= (SELECT max(k.id_movimiento) FROM dw.kardex AS k) THEN
        RETURN false;
    END IF;
    -- What a lote takes when it joins the ledger; readers do not wait for it.
    LOCK TABLE ONLY dw.kardex IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    -- Somebody cleans it or builds an index: the rows enter without a lote.
    RETURN false;
END
$$;
COMMENT ON FUNCTION etl.conviene_lote(text) IS
    'Si las altas de los productos sin cola son tantas, y de número mayor que los del kardex, que conviene darles una tabla propia';

CREATE OR REPLACE FUNCTION etl.agregar_lote(p_lote text, p_numero bigint, p_factor numeric)
RETURNS void
LANGUAGE plpgsql
-- Whatever the account's own is: the ledger stays in one place.
SET default_tablespace = ''
AS $$
BEGIN
    -- An index that is in use is filled row by row, in ten times the time in which one is built
    -- once all rows are there; and a table that is made by a query takes its rows from the workers
    -- while they value, which an INSERT does not.
    EXECUTE format(
        'CREATE TABLE dw.%I %s AS %s',
        p_lote,
        (
            -- The ledger's room on its pages, and what the shop has set for autovacuum.
            SELECT 'WITH (' || string_agg(format('%I = %L', o.option_name, o.option_value), ', ') || ')'
            FROM pg_class AS c
            CROSS JOIN LATERAL pg_options_to_table(c.reloptions) AS o
            WHERE c.oid = 'dw.kardex'::regclass
        ),
        (
            -- The types of each part for itself: of both together, each row would be copied once more.
            SELECT string_agg(
                format(
                    'SELECT
                         v.id_producto, v.fecha, v.id_movimiento, v.id_sucursal,
                         %s::bigint AS version, v.orden, v.provisional, v.tipo,
                         v.cantidad::numeric(38, 6), v.precio_unitario::numeric(38, 6),
                         v.costo_unitario::numeric(38, 6), v.costo_total::numeric(38, 6),
                         v.ajuste::numeric(38, 6), v.existencias::numeric(38, 6),
                         v.valor::numeric(38, 6), v.costo_promedio::numeric(38, 6), v.salto_costo
                     FROM etl.valorizar_altas(%L, %s) AS v',
                    p_numero, p_factor, p.parte
                ),
                ' UNION ALL '
            )
            FROM (VALUES (0), (1)) AS p (parte)
        )
    );
    EXECUTE format('ALTER TABLE dw.%I %s', p_lote, (
        SELECT string_agg(format('ALTER COLUMN %I SET NOT NULL', a.attname), ', ')
        FROM pg_attribute AS a
        WHERE a.attrelid = 'dw.kardex'::regclass AND a.attnum > 0 AND a.attnotnull
    ));
    PERFORM etl.indexar_kardex(p_lote);
    EXECUTE format('ALTER TABLE dw.%I INHERIT dw.kardex', p_lote);
    EXECUTE format(
        'COMMENT ON TABLE dw.%I IS %L', p_lote,
        'Parte de dw.kardex: las altas de la corrida ' || p_numero
    );
END
$$;
COMMENT ON FUNCTION etl.agregar_lote(text, bigint, numeric) IS
    'Como etl.agregar_al_kardex, en una tabla que pasa a ser parte de dw.kardex';
