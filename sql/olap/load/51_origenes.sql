-- What movements need of each other: a return of its sale, a receipt of the costs that are added to
-- it. A shop that has none of them passes by.

CREATE OR REPLACE FUNCTION etl.hay_origenes() RETURNS boolean
LANGUAGE sql STABLE
AS $$
-- In the order of its index, or statistics may have it read the whole ledger.
SELECT (
    SELECT k.id_origen FROM dw.kardex AS k
    WHERE k.id_origen IS NOT NULL
    ORDER BY k.id_producto, k.id_origen, k.fecha
    LIMIT 1
) IS NOT NULL OR EXISTS (SELECT FROM etl.tramo AS t WHERE t.nombra)
$$;
COMMENT ON FUNCTION etl.hay_origenes() IS
    'Si algún movimiento, del kardex o que entra, nombra a otro: las tiendas que no los usan se ahorran buscarlos';

CREATE OR REPLACE FUNCTION etl.extender_tramos() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT etl.hay_origenes() THEN
        RETURN;
    END IF;
    -- A cost is part of its receipt, before or after it: what changes one changes the other.
    UPDATE etl.tramo AS t
    SET desde = least(t.desde, c.fecha)
    FROM (
        SELECT o.id_producto, min(o.fecha) AS fecha
        FROM (
            SELECT k.id_producto, k.fecha
            FROM (
                SELECT e.id_producto, e.id_origen, e.tipo FROM etl.etapa AS e
                WHERE e.id_origen IS NOT NULL
                UNION ALL
                SELECT b.id_producto, b.id_origen, b.tipo FROM etl.baja AS b
                WHERE b.id_origen IS NOT NULL
            ) AS c
            INNER JOIN dw.tipo_movimiento AS p ON p.tipo = c.tipo AND p.regla = 'sumar_costo'
            CROSS JOIN LATERAL (
                SELECT f.id_producto, f.fecha, f.tipo FROM dw.kardex AS f
                WHERE f.id_movimiento = c.id_origen OFFSET 0
            ) AS k
            WHERE k.id_producto = c.id_producto AND k.tipo = p.tipo_origen
            UNION ALL
            SELECT k.id_producto, k.fecha
            FROM (
                SELECT e.id_producto, e.id_movimiento, e.tipo FROM etl.etapa AS e
                UNION ALL
                SELECT b.id_producto, b.id_movimiento, b.tipo FROM etl.baja AS b
            ) AS r
            INNER JOIN dw.tipo_movimiento AS p ON p.tipo_origen = r.tipo AND p.regla = 'sumar_costo'
            CROSS JOIN LATERAL (
                SELECT f.id_producto, f.fecha, f.tipo FROM dw.kardex AS f
                WHERE f.id_producto = r.id_producto AND f.id_origen = r.id_movimiento
                OFFSET 0
            ) AS k
            WHERE k.tipo = p.tipo
        ) AS o
        GROUP BY o.id_producto
    ) AS c
    WHERE c.id_producto = t.id_producto AND c.fecha < t.desde;
END
$$;
COMMENT ON FUNCTION etl.extender_tramos() IS
    'Un costo que se añade y su entrada cambian juntos: el tramo empieza en la primera de las dos';

CREATE OR REPLACE FUNCTION etl.reunir_circunstancias() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE etl.tramo AS t
    SET cuenta_sucursales = true, sigue_sucursales = t.sigue_sucursales OR c.en_ninguna
    FROM (
        SELECT k.id_producto, bool_or(k.id_sucursal = 0) AS en_ninguna
        FROM etl.tramo AS s
        CROSS JOIN LATERAL (
            SELECT f.id_producto, f.id_sucursal FROM dw.kardex AS f
            WHERE f.id_producto = s.id_producto AND f.fecha >= s.desde
                AND f.orden = 3 AND f.de_todo IS NULL
            OFFSET 0
        ) AS k
        -- In the order of its index, or statistics may have it read the whole ledger.
        WHERE (
            SELECT h.id_producto FROM dw.kardex AS h
            WHERE h.orden = 3 AND h.de_todo IS NULL
            ORDER BY h.id_producto, h.fecha
            LIMIT 1
        ) IS NOT NULL
        GROUP BY k.id_producto
    ) AS c
    WHERE c.id_producto = t.id_producto;
    IF etl.cerrado_hasta() > '-infinity' THEN
        PERFORM etl.reunir_reversos();
        PERFORM etl.reunir_conteos_cerrados();
    END IF;
    IF EXISTS (SELECT FROM etl.tramo AS t WHERE t.cuenta_sucursales) THEN
        PERFORM etl.reunir_conteos();
    END IF;

    IF NOT etl.hay_origenes() THEN
        RETURN;
    END IF;
    INSERT INTO etl.circunstancia
    WITH enlace AS MATERIALIZED (
        SELECT e.id_producto, e.id_movimiento, e.capa, e.tipo, p.regla, e.fecha,
            coalesce(e.fecha_documento, e.fecha) AS fecha_documento, p.orden, e.id_origen,
            round(round(e.cantidad, 6) * round(e.costo_unitario, 6), 6) AS costo
        FROM etl.etapa AS e
        INNER JOIN dw.tipo_movimiento AS p ON p.tipo = e.tipo
        WHERE e.id_origen IS NOT NULL AND NOT e.reverso
        UNION ALL
        -- Of the returns those of the tail, of the added costs all, but for those that were closed on
        -- their own.
        SELECT r.*
        FROM (
            SELECT k.*
            FROM etl.tramo AS t
            CROSS JOIN LATERAL (
                SELECT f.id_producto, f.id_movimiento, f.capa, f.tipo, p.regla, f.fecha,
                    f.fecha_documento, f.orden,
                    f.id_origen, round(f.cantidad * f.costo_unitario, 6) AS costo
                FROM dw.kardex AS f
                INNER JOIN dw.tipo_movimiento AS p ON p.tipo = f.tipo
                WHERE f.id_producto = t.id_producto AND f.id_origen IS NOT NULL AND NOT f.reverso
                    AND (f.fecha >= t.desde OR p.regla = 'sumar_costo' AND f.costo_total = 0)
                OFFSET 0
            ) AS k
            OFFSET 0
        ) AS r
        WHERE NOT EXISTS (
                SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_movimiento AND b.capa = r.capa
            )
            AND NOT EXISTS (
                SELECT FROM etl.v_reversada AS x WHERE x.id_movimiento = r.id_movimiento AND x.capa = r.capa
            )
    ), par AS MATERIALIZED (
        -- Each with its origin as it will be in the ledger: of its product and of the right type.
        SELECT n.*, o.capa AS capa_origen, o.fecha AS fecha_origen, o.en_tramo, o.costo_total, o.cantidad, o.existencias,
            o.costo_promedio
        FROM (
            SELECT
                n.*, e.capa, e.fecha, true AS en_tramo, NULL::numeric AS costo_total,
                NULL::numeric AS cantidad, NULL::numeric AS existencias,
                NULL::numeric AS costo_promedio, e.tipo AS tipo_origen
            FROM (SELECT n.id_producto, n.id_movimiento, n.id_origen FROM enlace AS n) AS n
            INNER JOIN etl.etapa AS e
                ON e.id_movimiento = n.id_origen AND e.id_producto = n.id_producto AND NOT e.reverso
            UNION ALL
            SELECT r.*
            FROM (
                SELECT n.*, k.capa, k.fecha, k.fecha >= t.desde, k.costo_total, k.cantidad,
                    k.existencias, k.costo_promedio, k.tipo
                FROM (SELECT n.id_producto, n.id_movimiento, n.id_origen FROM enlace AS n) AS n
                INNER JOIN etl.tramo AS t ON t.id_producto = n.id_producto
                CROSS JOIN LATERAL (
                    SELECT * FROM dw.kardex AS f WHERE f.id_movimiento = n.id_origen OFFSET 0
                ) AS k
                WHERE k.id_producto = n.id_producto AND NOT k.reverso
                OFFSET 0
            ) AS r
            WHERE NOT EXISTS (
                    SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_origen AND b.capa = r.capa
                )
                AND NOT EXISTS (
                    SELECT FROM etl.v_reversada AS x WHERE x.id_movimiento = r.id_origen AND x.capa = r.capa
                )
        ) AS o
        INNER JOIN enlace AS n ON n.id_movimiento = o.id_movimiento
        INNER JOIN dw.tipo_movimiento AS p ON p.tipo = n.tipo AND p.tipo_origen = o.tipo_origen
        CROSS JOIN etl.limite_de_costos() AS l (fecha)
        WHERE n.regla <> 'sumar_costo' OR o.fecha >= l.fecha OR n.fecha < l.fecha
    )
    SELECT
        u.id_movimiento, u.capa, sum(u.adicional), bool_or(u.en_su_entrada), bool_or(u.recordar),
        max(u.id_origen), bool_or(u.olvidar), max(u.costo_total), max(u.cantidad),
        max(u.existencias), max(u.costo_promedio), NULL, NULL
    FROM (
        SELECT
            p.id_origen AS id_movimiento, p.capa_origen AS capa, p.costo AS adicional, NULL::boolean AS en_su_entrada,
            NULL::boolean AS recordar, NULL::bigint AS id_origen, NULL::boolean AS olvidar,
            NULL::numeric AS costo_total, NULL::numeric AS cantidad, NULL::numeric AS existencias,
            NULL::numeric AS costo_promedio
        FROM par AS p
        WHERE p.regla = 'sumar_costo'
        UNION ALL
        SELECT p.id_movimiento, p.capa, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM par AS p
        WHERE p.regla = 'sumar_costo'
        UNION ALL
        SELECT p.id_origen, p.capa_origen, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL
        FROM par AS p
        WHERE p.regla <> 'sumar_costo' AND p.en_tramo AND p.fecha_origen <= p.fecha
        UNION ALL
        SELECT
            p.id_movimiento, p.capa, NULL, NULL, NULL,
            CASE WHEN p.en_tramo THEN p.id_origen END,
            row_number() OVER (
                PARTITION BY p.id_origen ORDER BY p.fecha DESC, p.fecha_documento DESC, p.orden DESC, p.id_movimiento DESC, p.capa DESC
            ) = 1,
            CASE WHEN NOT p.en_tramo THEN p.costo_total END,
            CASE WHEN NOT p.en_tramo THEN p.cantidad END,
            CASE WHEN NOT p.en_tramo THEN p.existencias END,
            CASE WHEN NOT p.en_tramo THEN p.costo_promedio END
        FROM par AS p
        WHERE p.regla <> 'sumar_costo' AND p.fecha_origen <= p.fecha
    ) AS u
    GROUP BY u.id_movimiento, u.capa;
END
$$;
COMMENT ON FUNCTION etl.reunir_circunstancias() IS
    'Llena etl.circunstancia con lo que los movimientos de los tramos necesitan unos de otros, y marca los productos que se cuentan por sucursal';

CREATE OR REPLACE FUNCTION etl.reunir_reversos() RETURNS void
LANGUAGE sql
AS $$
-- What left comes back at what it took from the value; what entered leaves at its cost, a receipt at no less
-- than nothing; an added cost leaves by what it put in. Of one that was within its receipt that is what the
-- receipt still holds of it: nothing, if it is undone too.
INSERT INTO etl.circunstancia (id_movimiento, capa, costo_total, existencias, cantidad)
SELECT
    c.id_movimiento, r.capa,
    CASE WHEN d.dentro THEN a.costo ELSE c.costo_total END,
    CASE
        WHEN d.dentro THEN a.costo
        WHEN t.regla = 'sumar_costo' THEN c.costo_total + c.ajuste
        WHEN c.variacion < 0 THEN -(t.signo * c.costo_total + c.ajuste)
        WHEN c.tipo = 'ENTRADA_MERCANCIA' THEN greatest(c.costo_total, 0)
        ELSE c.costo_total
    END,
    c.variacion
FROM (
    SELECT e.id_movimiento, e.capa FROM etl.etapa AS e WHERE e.reverso
    UNION ALL
    SELECT k.id_movimiento, k.capa
    FROM dw.kardex AS k
    INNER JOIN etl.tramo AS t ON t.id_producto = k.id_producto AND k.fecha >= t.desde
    WHERE k.reverso AND NOT EXISTS (
        SELECT FROM etl.baja AS b WHERE b.id_movimiento = k.id_movimiento AND b.capa = k.capa
    )
) AS r
CROSS JOIN LATERAL (
    SELECT * FROM dw.kardex AS f
    WHERE f.id_movimiento = r.id_movimiento AND f.capa = r.capa - 1
    OFFSET 0
) AS c
INNER JOIN dw.tipo_movimiento AS t ON t.tipo = c.tipo
CROSS JOIN LATERAL (
    SELECT t.regla = 'sumar_costo' AND c.costo_total = 0 AS dentro
) AS d
CROSS JOIN LATERAL (
    SELECT CASE WHEN EXISTS (
        SELECT FROM dw.kardex AS o
        WHERE d.dentro AND o.id_movimiento = c.id_origen AND o.fecha < (SELECT etl.cerrado_hasta())
            AND o.id_producto = c.id_producto AND o.tipo = t.tipo_origen AND NOT o.reverso
            -- Of what had no stock a receipt took nothing in.
            AND o.variacion <> 0
            AND NOT EXISTS (
                SELECT FROM etl.v_reversada AS x WHERE x.id_movimiento = o.id_movimiento AND x.capa = o.capa
            )
    ) THEN round(c.cantidad * c.costo_unitario, 6) ELSE 0 END AS costo
) AS a
$$;
COMMENT ON FUNCTION etl.reunir_reversos() IS
    'Deja en etl.circunstancia, de cada reverso en los tramos, el costo, el valor y la variación de lo que deshace';
