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
    INNER JOIN etl.v_apertura AS v ON v.id_producto = a.id_producto
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
INSERT INTO etl.circunstancia (id_movimiento, capa, habia)
WITH movido AS MATERIALIZED (
    SELECT
        r.id_producto, r.id_sucursal, r.id_sucursal_destino, r.cantidad, r.fecha, r.fecha_documento, r.orden,
        r.id_movimiento, r.capa,
        CASE
            WHEN r.id_sucursal_destino IS NOT NULL THEN -r.cantidad
            WHEN r.reverso THEN -x.cantidad
            WHEN r.regla IN ('recibir', 'devolver_venta') THEN r.cantidad
            WHEN r.regla IN ('al_promedio', 'devolver_compra') THEN -r.cantidad
            ELSE 0
        END AS cambio,
        CASE
            WHEN r.regla = 'contar' AND NOT r.reverso AND x.olvidar IS NOT TRUE THEN r.cantidad + coalesce(x.despues, 0)
        END AS contado
    FROM (
        SELECT e.id_producto, coalesce(e.id_sucursal, 0) AS id_sucursal, e.id_sucursal_destino,
            e.fecha, coalesce(e.fecha_documento, e.fecha) AS fecha_documento, p.orden,
            e.id_movimiento, e.capa, p.regla, round(e.cantidad, 6) AS cantidad, e.reverso
        FROM etl.etapa AS e
        INNER JOIN etl.tramo AS t ON t.id_producto = e.id_producto AND t.cuenta_sucursales
        INNER JOIN dw.tipo_movimiento AS p ON p.tipo = e.tipo
        UNION ALL
        SELECT k.id_producto, k.id_sucursal, k.id_sucursal_destino, k.fecha, k.fecha_documento, k.orden,
            k.id_movimiento, k.capa, p.regla, k.cantidad, k.reverso
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
        WHERE NOT EXISTS (
            SELECT FROM etl.baja AS b WHERE b.id_movimiento = k.id_movimiento AND b.capa = k.capa
        )
    ) AS r
    LEFT JOIN etl.circunstancia AS x ON x.id_movimiento = r.id_movimiento AND x.capa = r.capa
)
SELECT
    c.id_movimiento, c.capa,
    coalesce(
        lag(c.contado - c.suma) OVER (
            PARTITION BY c.id_producto, c.id_sucursal ORDER BY c.fecha, c.fecha_documento, c.orden, c.id_movimiento, c.capa
        ),
        s.existencias, 0
    ) + c.suma
FROM (
    SELECT
        m.*,
        sum(m.cambio) OVER (
            PARTITION BY m.id_producto, m.id_sucursal ORDER BY m.fecha, m.fecha_documento, m.orden, m.id_movimiento, m.capa
            ROWS UNBOUNDED PRECEDING
        ) AS suma
    FROM (
        SELECT v.id_producto, v.id_sucursal, v.fecha, v.fecha_documento, v.orden, v.id_movimiento, v.capa, v.cambio, v.contado
        FROM movido AS v
        WHERE v.id_sucursal <> 0
        UNION ALL
        SELECT v.id_producto, v.id_sucursal_destino, v.fecha, v.fecha_documento, v.orden, v.id_movimiento, v.capa, v.cantidad, NULL
        FROM movido AS v
        WHERE v.id_sucursal_destino <> 0
    ) AS m
) AS c
LEFT JOIN etl.v_existencias_al_empezar AS s
    ON s.id_producto = c.id_producto AND s.id_sucursal = c.id_sucursal
WHERE c.contado IS NOT NULL
ON CONFLICT (id_movimiento, capa) DO UPDATE SET habia = excluded.habia
$$;
COMMENT ON FUNCTION etl.reunir_conteos() IS
    'Deja en etl.circunstancia, de cada conteo de una sucursal en los tramos, lo que había en ella';

CREATE OR REPLACE FUNCTION etl.reunir_conteos_cerrados() RETURNS void
LANGUAGE sql
AS $$
-- It is compared with the stock of its day: what there is at its place, less what is closed and moved after
-- it by the dates of the documents. A closed count after it, of its branch or of all, found what it would find.
INSERT INTO etl.circunstancia (id_movimiento, capa, despues, olvidar)
SELECT
    c.id_movimiento, c.capa,
    coalesce(sum(m.variacion) FILTER (WHERE c.de_todo OR m.id_sucursal = c.id_sucursal), 0),
    coalesce(bool_or(m.cuenta), false)
FROM (
    SELECT
        e.id_producto, e.id_movimiento, e.capa, e.fecha_documento, coalesce(e.id_sucursal, 0) AS id_sucursal,
        e.id_sucursal IS NULL AS de_todo
    FROM etl.etapa AS e
    INNER JOIN dw.tipo_movimiento AS t ON t.tipo = e.tipo AND t.regla = 'contar'
    WHERE e.fecha_documento < e.fecha AND NOT e.reverso
    UNION ALL
    SELECT k.id_producto, k.id_movimiento, k.capa, k.fecha_documento, k.id_sucursal, k.de_todo IS TRUE
    FROM dw.kardex AS k
    INNER JOIN etl.tramo AS s ON s.id_producto = k.id_producto AND k.fecha >= s.desde
    WHERE k.orden = 3 AND k.fecha_documento < k.fecha AND NOT k.reverso AND NOT EXISTS (
        SELECT FROM etl.baja AS b WHERE b.id_movimiento = k.id_movimiento AND b.capa = k.capa
    )
) AS c
LEFT JOIN LATERAL (
    SELECT
        p.id_sucursal, p.variacion,
        f.orden = 3 AND NOT f.reverso
        AND (f.de_todo IS TRUE OR NOT c.de_todo AND f.id_sucursal = c.id_sucursal) AND NOT EXISTS (
            SELECT FROM etl.v_reversada AS x WHERE x.id_movimiento = f.id_movimiento AND x.capa = f.capa
        ) AS cuenta
    FROM dw.kardex AS f
    CROSS JOIN LATERAL etl.por_sucursal(f.id_sucursal, f.id_sucursal_destino, f.variacion, f.cantidad) AS p
    WHERE f.id_producto = c.id_producto AND f.fecha < (SELECT etl.cerrado_hasta())
        AND (f.fecha_documento, f.orden, f.id_movimiento) > (c.fecha_documento, 3, c.id_movimiento)
    OFFSET 0
) AS m ON true
GROUP BY c.id_movimiento, c.capa
$$;
COMMENT ON FUNCTION etl.reunir_conteos_cerrados() IS
    'Deja en etl.circunstancia, de cada conteo de un período cerrado, lo que lo cerrado movió después de él; y si un conteo posterior ya lo sabe';
