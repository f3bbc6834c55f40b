-- What is out of scope though nobody meant it: types that are not known, dates before the
-- beginning.

CREATE OR REPLACE FUNCTION etl.anotar_fuera_de_alcance(p_extracto jsonb) RETURNS jsonb
LANGUAGE plpgsql
AS $$
DECLARE
    v_desde timestamptz := (p_extracto ->> 'desde')::timestamptz;
    v_hasta timestamptz := (p_extracto ->> 'hasta')::timestamptz;
    v_todo jsonb := nullif(p_extracto -> 'fuera_de_alcance', 'null');
    v_previsto bigint := (SELECT c.ultimo_previsto FROM etl.control AS c);
    v_antes jsonb;
    v_nuevas jsonb;
BEGIN
    IF v_todo IS NULL
        AND NOT EXISTS (SELECT FROM etl.descarte AS d WHERE d.fuera IN ('tipo', 'fecha'))
        AND NOT EXISTS (SELECT FROM etl.fuera_de_alcance) THEN
        RETURN '[]';
    END IF;
    SELECT coalesce(jsonb_agg(to_jsonb(n)), '[]') INTO v_antes FROM etl.contar_fuera() AS n;

    -- Corrected, voided, or gone.
    DELETE FROM etl.fuera_de_alcance AS f
    USING etl.etapa AS e
    WHERE e.id_movimiento = f.id_movimiento
        AND NOT EXISTS (
            SELECT FROM etl.descarte AS d
            WHERE d.id_movimiento = f.id_movimiento AND d.fuera IN ('tipo', 'fecha')
        );
    DELETE FROM etl.fuera_de_alcance AS f
    USING jsonb_array_elements_text(coalesce(nullif(p_extracto -> 'revisados', 'null'), '[]')) AS r (id)
    WHERE r.id::bigint = f.id_movimiento
        AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = f.id_movimiento);
    IF v_todo IS NOT NULL THEN
        DELETE FROM etl.fuera_de_alcance AS f
        WHERE NOT EXISTS (
                SELECT FROM etl.descarte AS d
                WHERE d.id_movimiento = f.id_movimiento AND d.fuera = f.fuera
            )
            AND NOT EXISTS (
                SELECT FROM jsonb_array_elements(v_todo -> 'filas') AS v (fila)
                WHERE (v.fila ->> 0)::bigint = f.id_movimiento
            );
        DELETE FROM etl.fuera_sin_lista;
    END IF;

    WITH leida AS (
        SELECT e.id_movimiento, d.fuera, e.tipo, e.id_producto, e.fecha
        FROM etl.descarte AS d
        INNER JOIN etl.etapa AS e ON e.id_movimiento = d.id_movimiento
        LEFT JOIN dw.producto AS p ON p.id_producto = e.id_producto
        LEFT JOIN etl.rechazo AS r ON r.id_movimiento = e.id_movimiento
        WHERE (
            d.fuera = 'tipo'
            OR d.fuera = 'fecha'
            -- Of a product that is gone all is read, whatever its date.
            AND p.vigente IS NOT FALSE
            AND (
                etl.es_nueva(e.id_movimiento, v_previsto)
                OR e.id_movimiento IN (SELECT f.id_movimiento FROM etl.fuera_de_alcance AS f)
                OR e.id_movimiento IN (SELECT b.id_movimiento FROM etl.baja AS b)
                OR e.id_movimiento IN (SELECT c.id_movimiento FROM etl.cerrada AS c)
                OR r.id_movimiento IS NOT NULL AND r.fecha IS DISTINCT FROM e.fecha
            )
        ) AND v_todo IS NULL
        UNION ALL
        SELECT
            (v.fila ->> 0)::bigint, v.fila ->> 4, v.fila ->> 1, (v.fila ->> 2)::bigint,
            (v.fila ->> 3)::timestamptz
        FROM jsonb_array_elements(v_todo -> 'filas') AS v (fila)
        WHERE v.fila ->> 4 = 'tipo'
            OR etl.es_nueva((v.fila ->> 0)::bigint, v_previsto)
            OR (v.fila ->> 3)::timestamptz < '1990-01-01'
            OR (v.fila ->> 0)::bigint IN (SELECT f.id_movimiento FROM etl.fuera_de_alcance AS f)
            OR (v.fila ->> 0)::bigint IN (SELECT b.id_movimiento FROM etl.baja AS b)
            OR (v.fila ->> 0)::bigint IN (SELECT c.id_movimiento FROM etl.cerrada AS c)
    ), puesta AS (
        INSERT INTO etl.fuera_de_alcance AS f (
            id_movimiento, fuera, tipo, id_producto, fecha, desde, hasta
        )
        SELECT l.id_movimiento, l.fuera, l.tipo, l.id_producto, l.fecha, v_desde, v_hasta
        FROM leida AS l
        CROSS JOIN etl.control AS c
        LEFT JOIN dw.apertura AS a ON a.id_producto = l.id_producto
        WHERE l.fuera = 'tipo'
            OR l.fecha < coalesce(c.desde_inicial, (p_extracto ->> 'desde_inicial')::timestamptz)
            OR l.fecha < a.fecha
        ON CONFLICT (id_movimiento) DO UPDATE SET
            fuera = excluded.fuera, tipo = excluded.tipo, id_producto = excluded.id_producto,
            fecha = excluded.fecha
        RETURNING f.id_movimiento, f.fuera, f.tipo, f.id_producto, f.fecha, f.xmax = 0 AS nueva
    )
    SELECT coalesce(jsonb_agg(to_jsonb(n) ORDER BY n.movimientos DESC, n.tipo), '[]') INTO v_nuevas
    FROM (
        SELECT
            p.fuera, p.tipo, count(*) AS movimientos,
            (array_agg(p.id_movimiento ORDER BY p.id_movimiento DESC))[1] AS id_movimiento,
            (array_agg(p.fecha ORDER BY p.id_movimiento DESC))[1] AS fecha,
            (array_agg(e.clave ORDER BY p.id_movimiento DESC))[1] AS clave,
            (array_agg(e.documento ORDER BY p.id_movimiento DESC))[1] AS documento
        FROM puesta AS p
        LEFT JOIN etl.etapa AS e ON e.id_movimiento = p.id_movimiento
        WHERE p.nueva
        GROUP BY p.fuera, p.tipo
    ) AS n;

    IF v_todo IS NOT NULL THEN
        INSERT INTO etl.fuera_sin_lista (fuera, tipo, movimientos)
        SELECT 'tipo', v.fila ->> 0, (v.fila ->> 1)::bigint - coalesce(n.listados, 0)
        FROM jsonb_array_elements(v_todo -> 'tipos') AS v (fila)
        LEFT JOIN (
            SELECT f.tipo, count(*) AS listados
            FROM etl.fuera_de_alcance AS f
            WHERE f.fuera = 'tipo'
            GROUP BY f.tipo
        ) AS n ON n.tipo IS NOT DISTINCT FROM v.fila ->> 0
        WHERE (v.fila ->> 1)::bigint > coalesce(n.listados, 0);
        -- Of those that are only counted, what the count gained.
        SELECT v_nuevas || coalesce(jsonb_agg(jsonb_build_object(
            'fuera', 'tipo', 'tipo', s.tipo, 'movimientos', s.movimientos - coalesce(a.movimientos, 0)
        )), '[]') INTO v_nuevas
        FROM etl.fuera_sin_lista AS s
        LEFT JOIN jsonb_to_recordset(v_antes) AS a (fuera text, tipo text, movimientos bigint)
            ON a.fuera = 'tipo' AND a.tipo IS NOT DISTINCT FROM s.tipo
        WHERE s.movimientos > coalesce(a.movimientos, 0);
        UPDATE etl.control AS c
        SET ultimo_previsto = coalesce((v_todo ->> 'ultimo')::bigint, c.ultimo_previsto);
    END IF;
    PERFORM etl.contar_lo_no_listado(1000);
    RETURN v_nuevas;
END
$$;
COMMENT ON FUNCTION etl.anotar_fuera_de_alcance(jsonb) IS
    'Pone al día la lista de lo que está fuera de alcance; devuelve lo que esta ventana trajo de nuevo, por tipo';

CREATE OR REPLACE FUNCTION etl.es_nueva(p_movimiento bigint, p_previsto bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
-- Numbers that are hashes say nothing of when they were given; a sequence never gets so far.
SELECT p_movimiento > p_previsto OR p_previsto IS NULL OR p_previsto > 1125899906842624
$$;
COMMENT ON FUNCTION etl.es_nueva(bigint, bigint) IS
    'Si un movimiento se escribió después de empezar, por su número; los números que no son de una secuencia lo parecen todos';

CREATE OR REPLACE FUNCTION etl.contar_lo_no_listado(p_tope bigint) RETURNS void
LANGUAGE sql
AS $$
WITH sobrante AS (
    DELETE FROM etl.fuera_de_alcance AS f
    USING (
        SELECT
            g.id_movimiento,
            row_number() OVER (
                PARTITION BY g.fuera, g.tipo ORDER BY g.hasta DESC, g.id_movimiento DESC
            ) AS puesto
        FROM etl.fuera_de_alcance AS g
    ) AS n
    WHERE n.id_movimiento = f.id_movimiento AND n.puesto > p_tope
    RETURNING f.fuera, f.tipo
), antes AS (
    DELETE FROM etl.fuera_sin_lista AS s RETURNING s.fuera, s.tipo, s.movimientos
)
INSERT INTO etl.fuera_sin_lista (fuera, tipo, movimientos)
SELECT u.fuera, u.tipo, sum(u.movimientos)
FROM (
    SELECT a.fuera, a.tipo, a.movimientos FROM antes AS a
    UNION ALL
    SELECT s.fuera, s.tipo, 1 FROM sobrante AS s
) AS u
GROUP BY u.fuera, u.tipo
$$;
COMMENT ON FUNCTION etl.contar_lo_no_listado(bigint) IS
    'Deja en la lista los últimos de cada tipo; los demás pasan a ser una cuenta';

CREATE OR REPLACE FUNCTION etl.contar_fuera() RETURNS TABLE (fuera text, tipo text, movimientos bigint)
LANGUAGE sql STABLE
AS $$
SELECT u.fuera, u.tipo, sum(u.movimientos)::bigint
FROM (
    SELECT f.fuera, f.tipo, count(*) AS movimientos
    FROM etl.fuera_de_alcance AS f
    CROSS JOIN etl.control AS c
    LEFT JOIN dw.apertura AS a ON a.id_producto = f.id_producto
    -- Earlier history, or another opening, may have taken it in since.
    WHERE f.fuera = 'tipo' OR f.fecha < c.desde_inicial OR f.fecha < a.fecha
    GROUP BY f.fuera, f.tipo
    UNION ALL
    SELECT s.fuera, s.tipo, s.movimientos FROM etl.fuera_sin_lista AS s
) AS u
GROUP BY u.fuera, u.tipo
$$;
COMMENT ON FUNCTION etl.contar_fuera() IS
    'Cuántos movimientos de cada tipo están fuera de alcance, por su tipo o por su fecha';

CREATE OR REPLACE FUNCTION etl.resumir_fuera_de_alcance() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'tipos', (
        SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.movimientos DESC, t.tipo), '[]')
        FROM (
            SELECT n.tipo, n.movimientos FROM etl.contar_fuera() AS n WHERE n.fuera = 'tipo'
        ) AS t
    ),
    'fechas', (
        SELECT coalesce(sum(n.movimientos), 0) FROM etl.contar_fuera() AS n WHERE n.fuera = 'fecha'
    ),
    'ejemplos', (
        SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.hasta DESC, e.id_movimiento DESC), '[]')
        FROM (
            SELECT
                f.id_movimiento, f.tipo, f.id_producto, f.fecha, f.desde, f.hasta, d.clave, d.documento,
                p.clave AS clave_producto,
                CASE
                    WHEN f.fecha < c.desde_inicial THEN 'antes de la fecha inicial'
                    ELSE 'antes de la apertura'
                END AS motivo
            FROM etl.fuera_de_alcance AS f
            CROSS JOIN etl.control AS c
            LEFT JOIN dw.apertura AS a ON a.id_producto = f.id_producto
            LEFT JOIN dw.documento_movimiento AS d ON d.id_movimiento = f.id_movimiento
            LEFT JOIN dw.producto AS p ON p.id_producto = f.id_producto
            WHERE f.fuera = 'fecha' AND (f.fecha < c.desde_inicial OR f.fecha < a.fecha)
            ORDER BY f.hasta DESC, f.id_movimiento DESC
            LIMIT 20
        ) AS e
    )
)
$$;
COMMENT ON FUNCTION etl.resumir_fuera_de_alcance() IS
    'Lo que está fuera de alcance sin que nadie lo quisiera: tipos con su cuenta, cuántas fechas y las últimas de ellas';
SELECT etl.conceder('EXECUTE', 'etl.resumir_fuera_de_alcance()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.fechas_por_revisar() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'movimientos', (
        -- Whatever kept it out before: it may be its date now.
        SELECT coalesce(jsonb_agg(f.id_movimiento), '[]') FROM etl.fuera_de_alcance AS f
    ),
    'apertura', (
        SELECT max(a.fecha) FROM dw.apertura AS a WHERE a.fecha < 'infinity'
    )
)
$$;
COMMENT ON FUNCTION etl.fechas_por_revisar() IS
    'Qué movimientos busca una lectura completa aunque su fecha los deje fuera, y la última apertura';
SELECT etl.conceder('EXECUTE', 'etl.fechas_por_revisar()', 'etl_cargador');
