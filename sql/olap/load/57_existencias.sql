-- The shop's own stock beside ours, both of one snapshot of the OLTP.

CREATE OR REPLACE FUNCTION etl.recibir_existencias(p_todas boolean) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_mala record;
BEGIN
    SELECT
        e.id_producto, e.id_sucursal, count(*) AS veces,
        coalesce(min(e.clave_producto), e.id_producto::text) AS producto,
        coalesce(min(e.clave_sucursal), e.id_sucursal::text) AS sucursal,
        bool_or(e.id_sucursal IS NULL) OVER (PARTITION BY e.id_producto)
        AND bool_or(e.id_sucursal IS NOT NULL) OVER (PARTITION BY e.id_producto) AS ambas
    INTO v_mala
    FROM etl.etapa_existencia AS e
    GROUP BY e.id_producto, e.id_sucursal
    ORDER BY e.id_producto IS NULL DESC, count(*) > 1 DESC, ambas DESC, e.id_producto
    LIMIT 1;
    IF v_mala.veces IS NOT NULL AND (v_mala.id_producto IS NULL OR v_mala.veces > 1 OR v_mala.ambas) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01',
            MESSAGE = CASE
                WHEN v_mala.id_producto IS NULL THEN 'existencias.sql yields rows without id_producto'
                WHEN v_mala.veces > 1 THEN format('existencias.sql yields product %s%s %s times',
                    v_mala.producto, ' of branch ' || v_mala.sucursal, v_mala.veces)
                ELSE format('existencias.sql yields product %s by branch and as a whole', v_mala.producto)
            END,
            HINT = 'correct it so that each product is one row, or one a branch, then run again';
    END IF;
    -- What is no number is not known.
    UPDATE etl.etapa_existencia AS e SET existencias = CASE
        WHEN e.existencias > -1e11 AND e.existencias < 1e11 THEN round(e.existencias, 6)
    END
    WHERE (e.existencias > -1e11 AND e.existencias < 1e11 AND e.existencias = round(e.existencias, 6)) IS NOT TRUE;

    DELETE FROM dw.existencias_tienda AS t
    USING etl.etapa_existencia AS e
    WHERE e.existencias IS NULL AND e.id_producto = t.id_producto
        AND coalesce(e.id_sucursal, -9223372036854775808) = coalesce(t.id_sucursal, -9223372036854775808);
    -- Nor is one told by branch any more that is told as a whole, nor the reverse.
    DELETE FROM dw.existencias_tienda AS t
    USING etl.etapa_existencia AS e
    WHERE e.id_producto = t.id_producto AND (e.id_sucursal IS NULL) <> (t.id_sucursal IS NULL);
    IF p_todas THEN
        DELETE FROM dw.existencias_tienda AS t
        WHERE NOT EXISTS (
            SELECT FROM etl.etapa_existencia AS e
            WHERE e.id_producto = t.id_producto
                AND coalesce(e.id_sucursal, -9223372036854775808) = coalesce(t.id_sucursal, -9223372036854775808)
        );
    END IF;
    INSERT INTO dw.existencias_tienda AS t
    SELECT e.id_producto, e.id_sucursal, e.existencias, e.costo_referencia, e.clave_producto
    FROM etl.etapa_existencia AS e
    WHERE e.existencias IS NOT NULL
    ON CONFLICT (id_producto, coalesce(id_sucursal, -9223372036854775808)) DO UPDATE SET
        existencias = excluded.existencias, costo_referencia = excluded.costo_referencia, clave = excluded.clave
    WHERE (t.existencias, t.costo_referencia, t.clave)
        IS DISTINCT FROM (excluded.existencias, excluded.costo_referencia, excluded.clave);
END
$$;
COMMENT ON FUNCTION etl.recibir_existencias(boolean) IS
    'Lleva lo leído de existencias.sql, todo o lo que cambió, a dw.existencias_tienda; falla si un producto viene dos veces, o por sucursal y entero';

CREATE OR REPLACE FUNCTION etl.existencias_que_difieren(p_productos bigint[])
RETURNS TABLE (id_producto bigint, id_sucursal bigint, nuestras numeric, tienda numeric)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN QUERY
    WITH de_la_tienda AS (
        SELECT t.* FROM dw.existencias_tienda AS t WHERE p_productos IS NULL OR t.id_producto = ANY (p_productos)
    ), por_sucursal AS MATERIALIZED (
        SELECT DISTINCT t.id_producto FROM de_la_tienda AS t WHERE t.id_sucursal IS NOT NULL
    ), nuestra AS (
        SELECT i.id_producto, NULL::bigint AS id_sucursal, i.existencias::numeric
        FROM dw.inventario AS i
        WHERE (p_productos IS NULL OR i.id_producto = ANY (p_productos))
            AND NOT EXISTS (SELECT FROM por_sucursal AS s WHERE s.id_producto = i.id_producto)
        UNION ALL
        SELECT e.id_producto, e.id_sucursal, e.existencias
        FROM dw.existencias_sucursal AS e
        WHERE (p_productos IS NULL OR e.id_producto = ANY (p_productos))
            AND EXISTS (SELECT FROM por_sucursal AS s WHERE s.id_producto = e.id_producto)
    )
    SELECT
        coalesce(n.id_producto, t.id_producto), coalesce(n.id_sucursal, t.id_sucursal),
        coalesce(n.existencias, 0), t.existencias
    FROM nuestra AS n
    FULL JOIN de_la_tienda AS t
        ON t.id_producto = n.id_producto
        AND coalesce(t.id_sucursal, -9223372036854775808) = coalesce(n.id_sucursal, -9223372036854775808)
    WHERE coalesce(n.existencias, 0) <> coalesce(t.existencias, 0)
        -- What is no stock has none to compare, whatever either side keeps of it.
        AND NOT EXISTS (
            SELECT FROM dw.producto AS p
            WHERE NOT p.inventariable AND p.id_producto = coalesce(n.id_producto, t.id_producto)
        );
END
$$;
COMMENT ON FUNCTION etl.existencias_que_difieren(bigint[]) IS
    'De esos productos, o de todos (nulo), nuestras existencias y las de la tienda donde no son iguales: por sucursal si así las da; no de lo que no es inventariable';

CREATE OR REPLACE FUNCTION etl.comparar_existencias(p_productos bigint[], p_ventana timestamptz) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_nuevas bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM dw.existencias_tienda) THEN
        DELETE FROM etl.diferencia_existencias;
        RETURN 0;
    END IF;
    WITH difiere AS MATERIALIZED (
        SELECT * FROM etl.existencias_que_difieren(p_productos)
    ), ya_no AS (
        DELETE FROM etl.diferencia_existencias AS d
        WHERE (p_productos IS NULL OR d.id_producto = ANY (p_productos)) AND NOT EXISTS (
            SELECT FROM difiere AS f
            WHERE f.id_producto = d.id_producto
                AND coalesce(f.id_sucursal, -9223372036854775808) = coalesce(d.id_sucursal, -9223372036854775808)
        )
    ), nuevas AS (
        SELECT f.id_producto
        FROM difiere AS f
        LEFT JOIN etl.diferencia_existencias AS d ON d.id_producto = f.id_producto
        WHERE d.id_producto IS NULL
    ), escritas AS (
        INSERT INTO etl.diferencia_existencias AS d
        SELECT f.*, p_ventana FROM difiere AS f
        ON CONFLICT (id_producto, coalesce(id_sucursal, -9223372036854775808)) DO UPDATE SET
            nuestras = excluded.nuestras, tienda = excluded.tienda
        WHERE (d.nuestras, d.tienda) IS DISTINCT FROM (excluded.nuestras, excluded.tienda)
    )
    SELECT count(DISTINCT n.id_producto) INTO v_nuevas FROM nuevas AS n;
    RETURN v_nuevas;
END
$$;
COMMENT ON FUNCTION etl.comparar_existencias(bigint[], timestamptz) IS
    'Anota dónde nuestras existencias no son las de la tienda, de esos productos o de todos (nulo); devuelve cuántos productos difieren que antes no';

CREATE OR REPLACE FUNCTION etl.comparar_tocados() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_tocados bigint[] := ARRAY(SELECT t.id_producto FROM etl.tramo AS t);
    v_antes jsonb;
BEGIN
    IF EXISTS (SELECT FROM dw.ajuste_existencias) THEN
        SELECT jsonb_agg(jsonb_build_array(
            t.id_producto, t.id_sucursal, coalesce(d.nuestras, t.existencias)
        )) INTO v_antes
        FROM dw.existencias_tienda AS t
        LEFT JOIN etl.diferencia_existencias AS d
            ON d.id_producto = t.id_producto AND d.id_sucursal IS NOT DISTINCT FROM t.id_sucursal
        WHERE t.id_producto = ANY (v_tocados);
    END IF;
    PERFORM etl.comparar_existencias(v_tocados, (SELECT c.hasta FROM etl.control AS c));
    -- The shop moved nothing meanwhile.
    UPDATE etl.diferencia_existencias AS d
    SET atrasada = d.atrasada + d.nuestras - (v.fila ->> 2)::numeric, atrasada_desde = '-infinity', atrasada_menor = 0
    FROM jsonb_array_elements(v_antes) AS v (fila)
    WHERE d.id_producto = (v.fila ->> 0)::bigint AND d.id_sucursal IS NOT DISTINCT FROM (v.fila ->> 1)::bigint
        AND d.nuestras <> (v.fila ->> 2)::numeric;
END
$$;
COMMENT ON FUNCTION etl.comparar_tocados() IS
    'Lo mismo de lo que se valorizó de nuevo sin leer a la tienda: una apertura, historia anterior, un cierre que se deshace';

CREATE OR REPLACE FUNCTION etl.leer_existencias(p_leidas jsonb, p_ventana timestamptz) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF p_leidas IS NULL OR p_leidas = 'null' THEN
        -- A shop without the query, or one that took it away.
        DELETE FROM dw.existencias_tienda;
        UPDATE etl.control AS c SET existencias = NULL WHERE c.existencias IS NOT NULL;
        RETURN;
    END IF;
    PERFORM etl.recibir_existencias((p_leidas ->> 'todas')::boolean);
    UPDATE etl.control AS c
    SET existencias = p_leidas ->> 'consulta',
        existencias_enteras = CASE WHEN (p_leidas ->> 'todas')::boolean THEN p_ventana ELSE c.existencias_enteras END;
END
$$;
COMMENT ON FUNCTION etl.leer_existencias(jsonb, timestamptz) IS
    'Antes de valorizar: lo que la ventana leyó de existencias.sql, a dw.existencias_tienda';

CREATE OR REPLACE FUNCTION etl.cargar_existencias(p_extracto jsonb, p_ventana timestamptz) RETURNS bigint
LANGUAGE sql
AS $$
SELECT etl.comparar_existencias(
    CASE WHEN NOT (nullif(p_extracto -> 'existencias', 'null') ->> 'todas')::boolean THEN ARRAY(
        SELECT t.id_producto FROM etl.tramo AS t
        UNION
        SELECT e.id_producto FROM etl.etapa_existencia AS e
        UNION
        -- One that has no stock from now on, though it never moved.
        SELECT e.id_producto FROM etl.etapa_producto AS e
        UNION
        -- Nor does what left the catalogue say any more that it has none.
        SELECT p.id_producto
        FROM dw.producto AS p
        WHERE NOT p.vigente AND (p_extracto ->> 'catalogo_completo')::boolean
    ) END,
    p_ventana
)
$$;
COMMENT ON FUNCTION etl.cargar_existencias(jsonb, timestamptz) IS
    'Después de valorizar: lo de la tienda al lado de lo nuestro, todo o lo que pudo cambiar; devuelve cuántos productos difieren que antes no';

CREATE OR REPLACE FUNCTION etl.anotar_atrasadas(p_extracto jsonb, p_antes timestamptz) RETURNS void
LANGUAGE sql
AS $$
-- Of what entered, and left, what the OLTP had before the last window: its rejects that entered now, what
-- was sought by its number, lines that a document has no more, with those that are in their place; of a full
-- read, which does not tell, what is dated before.
WITH lectura AS (
    SELECT
        (p_extracto ->> 'imagen_completa')::boolean AS completa,
        ARRAY(
            SELECT v.id::bigint
            FROM jsonb_array_elements_text(
                coalesce(nullif(p_extracto -> 'revisados', 'null'), '[]')
                || coalesce(nullif(p_extracto -> 'lineas_borradas', 'null'), '[]')
            ) AS v (id)
        ) AS revisados
), movida AS (
    SELECT k.id_producto, k.fecha_documento, k.id_sucursal, k.id_sucursal_destino, k.variacion, k.cantidad
    FROM lectura AS l
    CROSS JOIN etl.etapa AS e
    CROSS JOIN LATERAL (
        SELECT * FROM dw.kardex AS f WHERE f.id_movimiento = e.id_movimiento AND f.capa = e.capa OFFSET 0
    ) AS k
    WHERE e.id_producto IN (SELECT a.id_producto FROM dw.ajuste_existencias AS a)
        AND CASE WHEN l.completa THEN k.fecha_documento < p_antes
            ELSE e.atrasada OR e.id_movimiento = ANY (l.revisados) END
    UNION ALL
    SELECT b.id_producto, b.fecha_documento, b.id_sucursal, b.id_sucursal_destino, -b.variacion, -b.cantidad
    FROM lectura AS l
    CROSS JOIN etl.baja AS b
    WHERE b.id_producto IN (SELECT a.id_producto FROM dw.ajuste_existencias AS a)
        AND CASE WHEN l.completa THEN b.fecha_documento < p_antes ELSE b.id_movimiento = ANY (l.revisados) END
), lugar AS (
    SELECT
        m.id_producto, s.id_sucursal, sum(s.variacion) AS variacion, min(m.fecha_documento) AS primera,
        min(abs(s.variacion)) AS menor
    FROM movida AS m
    CROSS JOIN LATERAL etl.por_sucursal(m.id_sucursal, m.id_sucursal_destino, m.variacion, m.cantidad) AS s
    GROUP BY m.id_producto, s.id_sucursal
)
UPDATE etl.diferencia_existencias AS d
SET atrasada = d.atrasada + u.variacion, atrasada_desde = least(d.atrasada_desde, u.primera),
    atrasada_menor = least(d.atrasada_menor, u.menor)
FROM (
    SELECT
        f.id_producto, f.id_sucursal, sum(l.variacion) AS variacion, min(l.primera) AS primera,
        min(l.menor) AS menor
    FROM etl.diferencia_existencias AS f
    INNER JOIN lugar AS l
        ON l.id_producto = f.id_producto AND (f.id_sucursal IS NULL OR l.id_sucursal = f.id_sucursal)
    GROUP BY f.id_producto, f.id_sucursal
) AS u
WHERE d.id_producto = u.id_producto AND d.id_sucursal IS NOT DISTINCT FROM u.id_sucursal AND u.variacion <> 0
$$;
COMMENT ON FUNCTION etl.anotar_atrasadas(jsonb, timestamptz) IS
    'De los productos con ajustes que difieren, suma a etl.diferencia_existencias lo que esta carga movió y la tienda ya sabía';
