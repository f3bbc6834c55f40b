-- What a count of a branch needs: what there was in it.

CREATE OR REPLACE FUNCTION etl.por_sucursal(
    p_sucursal bigint, p_destino bigint, p_variacion numeric, p_cantidad numeric
) RETURNS TABLE (id_sucursal bigint, variacion numeric)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT p_sucursal, p_variacion
UNION ALL
SELECT p_sucursal, -p_cantidad WHERE p_destino IS NOT NULL
UNION ALL
SELECT p_destino, p_cantidad WHERE p_destino IS NOT NULL
$$;
COMMENT ON FUNCTION etl.por_sucursal(bigint, bigint, numeric, numeric) IS
    'Lo que una fila del kardex cambió en cada sucursal: la suya y, si es un traslado, las dos';

CREATE OR REPLACE VIEW etl.v_existencias_al_empezar AS
SELECT u.id_producto, u.id_sucursal, sum(u.existencias)::numeric AS existencias
FROM (
    SELECT a.id_producto, a.id_sucursal, a.existencias
    FROM dw.apertura_sucursal AS a
    INNER JOIN etl.tramo AS t ON t.id_producto = a.id_producto
    WHERE t.cuenta_sucursales
    UNION ALL
    SELECT r.id_producto, r.id_sucursal, r.variacion
    FROM dw.resumen_sucursal AS r
    INNER JOIN etl.tramo AS t ON t.id_producto = r.id_producto
    WHERE t.cuenta_sucursales AND t.desde > '-infinity'
    UNION ALL
    SELECT t.id_producto, m.id_sucursal, -m.variacion
    FROM etl.tramo AS t
    CROSS JOIN LATERAL (
        SELECT f.id_sucursal, f.id_sucursal_destino, f.variacion, f.cantidad FROM dw.kardex AS f
        WHERE f.id_producto = t.id_producto AND f.fecha >= t.desde
        OFFSET 0
    ) AS k
    CROSS JOIN LATERAL etl.por_sucursal(k.id_sucursal, k.id_sucursal_destino, k.variacion, k.cantidad) AS m
    WHERE t.cuenta_sucursales AND t.desde > '-infinity'
) AS u
GROUP BY u.id_producto, u.id_sucursal;
COMMENT ON VIEW etl.v_existencias_al_empezar IS
    'De los productos que se cuentan por sucursal, lo que había en cada una antes de su tramo';

CREATE OR REPLACE VIEW etl.v_sucursales_al_empezar AS
SELECT
    s.id_producto, array_agg(s.id_sucursal ORDER BY s.id_sucursal) AS sucursales,
    array_agg(s.existencias ORDER BY s.id_sucursal) AS por_sucursal
FROM etl.v_existencias_al_empezar AS s
INNER JOIN etl.tramo AS t ON t.id_producto = s.id_producto AND t.sigue_sucursales
GROUP BY s.id_producto;
COMMENT ON VIEW etl.v_sucursales_al_empezar IS
    'Lo mismo en una fila por producto, para la pasada de los que se cuentan en la sucursal 0';

CREATE OR REPLACE FUNCTION etl.reunir_conteos() RETURNS void
LANGUAGE sql
AS $$
-- What anything but a count changes does not hang on the state, and after a count of a branch there is what
-- was counted: so what a count finds is a sum. Branch 0 is the pass's own, since whole counts change it.
INSERT INTO etl.circunstancia (id_movimiento, habia)
SELECT
    c.id_movimiento,
    coalesce(
        lag(c.contado - c.suma) OVER (
            PARTITION BY c.id_producto, c.id_sucursal ORDER BY c.fecha, c.orden, c.id_movimiento
        ),
        s.existencias, 0
    ) + c.suma
FROM (
    SELECT
        m.*,
        sum(m.cambio) OVER (
            PARTITION BY m.id_producto, m.id_sucursal ORDER BY m.fecha, m.orden, m.id_movimiento
            ROWS UNBOUNDED PRECEDING
        ) AS suma
    FROM (
        SELECT r.id_producto, b.id_sucursal, r.fecha, r.orden, r.id_movimiento, b.cambio, b.contado
        FROM (
            SELECT e.id_producto, coalesce(e.id_sucursal, 0) AS id_sucursal, e.id_sucursal_destino,
                e.fecha, p.orden, e.id_movimiento, p.regla, round(e.cantidad, 6) AS cantidad
            FROM etl.etapa AS e
            INNER JOIN etl.tramo AS t ON t.id_producto = e.id_producto AND t.cuenta_sucursales
            INNER JOIN dw.tipo_movimiento AS p ON p.tipo = e.tipo
            UNION ALL
            SELECT k.id_producto, k.id_sucursal, k.id_sucursal_destino, k.fecha, k.orden,
                k.id_movimiento, p.regla, k.cantidad
            FROM (
                SELECT f.*
                FROM etl.tramo AS t
                CROSS JOIN LATERAL (
                    SELECT * FROM dw.kardex AS l
                    WHERE l.id_producto = t.id_producto AND l.fecha >= t.desde
                    OFFSET 0
                ) AS f
                WHERE t.cuenta_sucursales
                OFFSET 0
            ) AS k
            INNER JOIN dw.tipo_movimiento AS p ON p.tipo = k.tipo
            WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = k.id_movimiento)
        ) AS r
        CROSS JOIN LATERAL (
            VALUES (
                r.id_sucursal,
                CASE
                    WHEN r.id_sucursal_destino IS NOT NULL THEN -r.cantidad
                    WHEN r.regla IN ('recibir', 'devolver_venta') THEN r.cantidad
                    WHEN r.regla IN ('al_promedio', 'devolver_compra') THEN -r.cantidad
                    ELSE 0
                END,
                CASE WHEN r.regla = 'contar' THEN r.cantidad END
            ), (r.id_sucursal_destino, r.cantidad, NULL)
        ) AS b (id_sucursal, cambio, contado)
        WHERE b.id_sucursal <> 0
    ) AS m
) AS c
LEFT JOIN etl.v_existencias_al_empezar AS s
    ON s.id_producto = c.id_producto AND s.id_sucursal = c.id_sucursal
WHERE c.contado IS NOT NULL
$$;
COMMENT ON FUNCTION etl.reunir_conteos() IS
    'Deja en etl.circunstancia, de cada conteo de una sucursal en los tramos, lo que había en ella';
