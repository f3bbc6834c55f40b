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
    IF EXISTS (SELECT FROM etl.tramo AS t WHERE t.cuenta_sucursales) THEN
        PERFORM etl.reunir_conteos();
    END IF;

    IF NOT etl.hay_origenes() THEN
        RETURN;
    END IF;
    INSERT INTO etl.circunstancia
    WITH enlace AS MATERIALIZED (
        SELECT e.id_producto, e.id_movimiento, e.tipo, p.regla, e.fecha, p.orden, e.id_origen,
            round(round(e.cantidad, 6) * round(e.costo_unitario, 6), 6) AS costo
        FROM etl.etapa AS e
        INNER JOIN dw.tipo_movimiento AS p ON p.tipo = e.tipo
        WHERE e.id_origen IS NOT NULL
        UNION ALL
        -- Of the returns those of the tail, of the added costs all.
        SELECT r.*
        FROM (
            SELECT k.*
            FROM etl.tramo AS t
            CROSS JOIN LATERAL (
                SELECT f.id_producto, f.id_movimiento, f.tipo, p.regla, f.fecha, f.orden,
                    f.id_origen, round(f.cantidad * f.costo_unitario, 6) AS costo
                FROM dw.kardex AS f
                INNER JOIN dw.tipo_movimiento AS p ON p.tipo = f.tipo
                WHERE f.id_producto = t.id_producto AND f.id_origen IS NOT NULL
                    AND (f.fecha >= t.desde OR p.regla = 'sumar_costo')
                OFFSET 0
            ) AS k
            OFFSET 0
        ) AS r
        WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_movimiento)
    ), par AS MATERIALIZED (
        -- Each with its origin as it will be in the ledger: of its product and of the right type.
        SELECT n.*, o.fecha AS fecha_origen, o.en_tramo, o.costo_total, o.cantidad, o.existencias,
            o.costo_promedio
        FROM (
            SELECT
                n.*, e.fecha, true AS en_tramo, NULL::numeric AS costo_total,
                NULL::numeric AS cantidad, NULL::numeric AS existencias,
                NULL::numeric AS costo_promedio, e.tipo AS tipo_origen
            FROM (SELECT n.id_producto, n.id_movimiento, n.id_origen FROM enlace AS n) AS n
            INNER JOIN etl.etapa AS e
                ON e.id_movimiento = n.id_origen AND e.id_producto = n.id_producto
            UNION ALL
            SELECT r.*
            FROM (
                SELECT n.*, k.fecha, k.fecha >= t.desde, k.costo_total, k.cantidad,
                    k.existencias, k.costo_promedio, k.tipo
                FROM (SELECT n.id_producto, n.id_movimiento, n.id_origen FROM enlace AS n) AS n
                INNER JOIN etl.tramo AS t ON t.id_producto = n.id_producto
                CROSS JOIN LATERAL (
                    SELECT * FROM dw.kardex AS f WHERE f.id_movimiento = n.id_origen OFFSET 0
                ) AS k
                WHERE k.id_producto = n.id_producto
                OFFSET 0
            ) AS r
            WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_origen)
        ) AS o
        INNER JOIN enlace AS n ON n.id_movimiento = o.id_movimiento
        INNER JOIN dw.tipo_movimiento AS p ON p.tipo = n.tipo AND p.tipo_origen = o.tipo_origen
    )
    SELECT
        u.id_movimiento, sum(u.adicional), bool_or(u.en_su_entrada), bool_or(u.recordar),
        max(u.id_origen), bool_or(u.olvidar), max(u.costo_total), max(u.cantidad),
        max(u.existencias), max(u.costo_promedio), NULL
    FROM (
        SELECT
            p.id_origen AS id_movimiento, p.costo AS adicional, NULL::boolean AS en_su_entrada,
            NULL::boolean AS recordar, NULL::bigint AS id_origen, NULL::boolean AS olvidar,
            NULL::numeric AS costo_total, NULL::numeric AS cantidad, NULL::numeric AS existencias,
            NULL::numeric AS costo_promedio
        FROM par AS p
        WHERE p.regla = 'sumar_costo'
        UNION ALL
        SELECT p.id_movimiento, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM par AS p
        WHERE p.regla = 'sumar_costo'
        UNION ALL
        SELECT p.id_origen, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL
        FROM par AS p
        WHERE p.regla <> 'sumar_costo' AND p.en_tramo AND p.fecha_origen <= p.fecha
        UNION ALL
        SELECT
            p.id_movimiento, NULL, NULL, NULL,
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
    GROUP BY u.id_movimiento;
END
$$;
COMMENT ON FUNCTION etl.reunir_circunstancias() IS
    'Llena etl.circunstancia con lo que los movimientos de los tramos necesitan unos de otros, y marca los productos que se cuentan por sucursal';
