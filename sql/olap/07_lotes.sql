-- More than one table for the ledger. An index that is in use takes each row in ten times the time
-- in which one is built once all rows are there: so the new rows of a very large load get a table of
-- their own (a lote), and the rows that one values again, if they are many, move to one that has
-- waited for them since an earlier run (the reserve).

CREATE OR REPLACE FUNCTION etl.kardex_intacto() RETURNS boolean
LANGUAGE sql STABLE
AS $$
-- What a shop put on the ledger is of one table, and none of it may miss a row.
SELECT
    (SELECT count(*) FROM pg_index AS i WHERE i.indrelid = t.tabla) = 3
    AND 17 = (
        SELECT count(*) FROM pg_attribute AS a
        WHERE a.attrelid = t.tabla AND a.attnum > 0 AND NOT a.attisdropped
    )
    AND NOT EXISTS (
        SELECT FROM pg_constraint AS c WHERE c.conrelid = t.tabla AND c.contype NOT IN ('p', 'u', 'n')
    )
    -- Of a foreign key to it, too, there are triggers.
    AND NOT EXISTS (
        SELECT FROM pg_trigger AS d INNER JOIN etl.v_tabla_kardex AS k ON k.tabla = d.tgrelid
    )
    AND NOT EXISTS (
        SELECT FROM pg_publication_tables AS p
        INNER JOIN etl.v_tabla_kardex AS k ON k.tabla = to_regclass(format('%I.%I', p.schemaname, p.tablename))
    )
FROM (SELECT 'dw.kardex'::regclass AS tabla) AS t
$$;
COMMENT ON FUNCTION etl.kardex_intacto() IS
    'Si el kardex es como init lo hizo, de modo que puede tener más tablas';

CREATE OR REPLACE FUNCTION etl.nombre_libre(p_tabla text) RETURNS boolean
LANGUAGE sql STABLE
AS $$
-- A relation of a name that is taken is of an earlier ledger, or somebody else's.
SELECT bool_and(to_regclass('dw.' || p_tabla || n.fin) IS NULL)
FROM unnest(ARRAY['', '_pk', '_movimiento_unico', '_avisos']) AS n (fin)
$$;
COMMENT ON FUNCTION etl.nombre_libre(text) IS
    'Si en dw no hay nada con el nombre de esa tabla, ni con el de sus índices';

CREATE OR REPLACE FUNCTION etl.juntar_al_kardex(p_tabla text, p_comentario text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format('ALTER TABLE dw.%I INHERIT dw.kardex', p_tabla);
    EXECUTE format('COMMENT ON TABLE dw.%I IS %L', p_tabla, 'Parte de dw.kardex: ' || p_comentario);
END
$$;
COMMENT ON FUNCTION etl.juntar_al_kardex(text, text) IS 'Hace de una tabla una parte del kardex';

CREATE OR REPLACE FUNCTION etl.altas_para_lote() RETURNS bigint
LANGUAGE sql STABLE
AS $$
-- Since none has a number of before, none has a movement that the ledger has elsewhere.
SELECT CASE
    WHEN min(t.primera) > coalesce((SELECT max(k.id_movimiento) FROM dw.kardex AS k), min(t.primera) - 1)
        THEN sum(t.altas)::bigint
    ELSE 0
END
FROM etl.tramo AS t
WHERE NOT t.cola
$$;
COMMENT ON FUNCTION etl.altas_para_lote() IS
    'Cuántas altas de productos sin cola pueden ir a un lote: todas, si son de número mayor que los del kardex';

CREATE OR REPLACE FUNCTION etl.conviene_lote(p_lote text, p_altas bigint) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    v_tablas bigint;
    v_bytes bigint;
BEGIN
    IF p_altas < etl.muchas_filas() OR NOT etl.kardex_intacto() OR NOT etl.nombre_libre(p_lote) THEN
        RETURN false;
    END IF;
    SELECT count(*), sum(pg_relation_size(k.tabla)) INTO v_tablas, v_bytes
    FROM etl.v_tabla_kardex AS k;
    -- A quarter or more of what there is (of 150 bytes a row), so that they stay few.
    IF v_bytes > p_altas * 4 * 150 OR v_tablas > 9 THEN
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
COMMENT ON FUNCTION etl.conviene_lote(text, bigint) IS
    'Si las altas son tantas que conviene darles una tabla propia, y no hay ya demasiadas';

CREATE OR REPLACE FUNCTION etl.agregar_lote(p_lote text, p_numero bigint, p_factor numeric)
RETURNS void
LANGUAGE plpgsql
-- Whatever the account's own is: the ledger stays in one place.
SET default_tablespace = ''
AS $$
BEGIN
    -- A table that is made by a query takes its rows from the workers while they value, which an
    -- INSERT does not. A reader that was planning before it joins sees the ledger as it was.
    EXECUTE format(
        'CREATE TABLE dw.%I AS
         SELECT
             v.id_producto, v.fecha, v.id_movimiento, v.id_sucursal, %s::bigint AS version, v.orden,
             v.provisional, v.tipo, v.cantidad::numeric(38, 6), v.precio_unitario::numeric(38, 6),
             v.costo_unitario::numeric(38, 6), v.costo_total::numeric(38, 6),
             v.ajuste::numeric(38, 6), v.existencias::numeric(38, 6), v.valor::numeric(38, 6),
             v.costo_promedio::numeric(38, 6), v.salto_costo
         FROM (
             SELECT * FROM etl.valorizar_altas(%3$L, 0)
             UNION ALL
             SELECT * FROM etl.valorizar_altas(%3$L, 1)
         ) AS v',
        p_lote, p_numero, p_factor
    );
    EXECUTE format('ALTER TABLE dw.%I %s', p_lote, (
        SELECT string_agg(format('ALTER COLUMN %I SET NOT NULL', a.attname), ', ')
        FROM pg_attribute AS a
        WHERE a.attrelid = 'dw.kardex'::regclass AND a.attnum > 0 AND a.attnotnull
    ));
    PERFORM etl.indexar_kardex(p_lote);
    PERFORM etl.juntar_al_kardex(p_lote, 'las altas de la corrida ' || p_numero);
END
$$;
COMMENT ON FUNCTION etl.agregar_lote(text, bigint, numeric) IS
    'Como etl.agregar_al_kardex, en una tabla que pasa a ser parte de dw.kardex';

CREATE OR REPLACE FUNCTION etl.tabla_de_reserva() RETURNS regclass
LANGUAGE sql STABLE
AS $$
SELECT k.tabla
FROM etl.v_tabla_kardex AS k
WHERE k.tabla <> 'dw.kardex'::regclass AND pg_relation_size(k.tabla) = 0
-- The one that has fewest indexes to fill row by row.
ORDER BY (SELECT count(*) FROM pg_index AS i WHERE i.indrelid = k.tabla), k.tabla
LIMIT 1
$$;
COMMENT ON FUNCTION etl.tabla_de_reserva() IS
    'Una parte del kardex sin filas ni rastro de ellas: la reserva, o un lote del que todas se mudaron y que VACUUM ya recortó';

CREATE OR REPLACE FUNCTION etl.reservar_tabla() RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET default_tablespace = ''
AS $$
DECLARE
    v_tabla text;
BEGIN
    -- A shop with a small ledger needs none; one that is late day by day leaves places for lotes.
    IF etl.tabla_de_reserva() IS NOT NULL
        OR (SELECT count(*) > 5 OR sum(pg_relation_size(k.tabla)) < etl.muchas_filas() * 100
            FROM etl.v_tabla_kardex AS k)
        OR NOT etl.kardex_intacto() THEN
        RETURN;
    END IF;
    LOCK TABLE ONLY dw.kardex IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
    -- Its number is that of the first run that can fill it: see etl.revisar_kardex().
    SELECT 'kardex_reserva_' || c.corridas + 1 INTO v_tabla FROM etl.control AS c;
    IF etl.tabla_de_reserva() IS NULL AND etl.nombre_libre(v_tabla) THEN
        EXECUTE format(
            'CREATE TABLE dw.%I (
                 LIKE dw.kardex,
                 CONSTRAINT %I PRIMARY KEY (id_producto, fecha, orden, id_movimiento)
             )',
            v_tabla, v_tabla || '_pk'
        );
        PERFORM etl.juntar_al_kardex(v_tabla, 'filas que se revalorizan muchas a la vez');
    END IF;
EXCEPTION WHEN lock_not_available THEN
    -- Somebody cleans the ledger, builds an index or loads: after the next run.
    RETURN;
END
$$;
COMMENT ON FUNCTION etl.reservar_tabla() IS
    'Añade al kardex una parte vacía, si no tiene ninguna, en una transacción propia: ver etl.tabla_para_mudar()';

CREATE OR REPLACE FUNCTION etl.tabla_para_mudar(p_cambian bigint) RETURNS regclass
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF p_cambian < etl.muchas_filas() OR NOT etl.kardex_intacto()
        -- An eighth or more of what there is (of 150 bytes a row).
        OR (SELECT sum(pg_relation_size(k.tabla)) > p_cambian * 8 * 150 FROM etl.v_tabla_kardex AS k) THEN
        RETURN NULL;
    END IF;
    -- A reader looks at the tables that there were when it was planned, and at the rows of the
    -- moment when it begins after that: in a table that is made now, it would miss the rows that
    -- leave the others. The reserve is of an earlier transaction; so old a plan is only one that
    -- waits for a lock.
    IF EXISTS (
        SELECT FROM pg_locks AS l
        INNER JOIN etl.v_tabla_kardex AS k ON k.tabla = l.relation
        INNER JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()
        WHERE NOT l.granted
    ) THEN
        RETURN NULL;
    END IF;
    RETURN etl.tabla_de_reserva();
END
$$;
COMMENT ON FUNCTION etl.tabla_para_mudar(bigint) IS
    'A qué parte del kardex se mudan las filas que cambian de valor, si son tantas que conviene; si no, nulo';

CREATE OR REPLACE FUNCTION etl.mudar(p_numero bigint, p_destino regclass) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    -- In the order of the one index that is there already: it grows at its end alone.
    EXECUTE format(
        'INSERT INTO %s (
             id_producto, fecha, id_movimiento, id_sucursal, version, orden, provisional, tipo,
             cantidad, precio_unitario, costo_unitario, costo_total, ajuste, existencias, valor,
             costo_promedio, salto_costo
         )
         SELECT
             r.id_producto, r.fecha, r.id_movimiento, r.id_sucursal, $1, r.orden, r.provisional,
             r.tipo, r.cantidad, r.precio_unitario, r.costo_unitario, r.costo_total, r.ajuste,
             r.existencias, r.valor, r.costo_promedio, r.salto_costo
         FROM etl.repeticion AS r
         WHERE NOT r.es_alta AND r.difiere
         ORDER BY r.id_producto, r.fecha, r.orden, r.id_movimiento',
        p_destino
    ) USING p_numero;
    PERFORM etl.indexar_kardex(c.relname) FROM pg_class AS c WHERE c.oid = p_destino;
END
$$;
COMMENT ON FUNCTION etl.mudar(bigint, regclass) IS
    'Escribe las filas que cambian de valor en otra parte del kardex, y pone sus índices';
