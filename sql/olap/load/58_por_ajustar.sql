-- ETL_STOCK_DIFFERENCES=adjust: of what differs, what a window would book

CREATE OR REPLACE FUNCTION etl.en_cuarentena()
RETURNS TABLE (id_producto bigint, id_sucursal bigint, cantidad numeric, se_sabe boolean)
LANGUAGE sql STABLE
AS $$
-- What it will move once it enters; of a count, and of what is no quantity, nobody knows.
SELECT m.id_producto, m.id_sucursal, m.cantidad, m.se_sabe
FROM (
    SELECT
        r.id_producto, coalesce(r.id_sucursal, 0) AS origen, r.id_sucursal_destino AS destino, t.destino AS va,
        t.regla, t.regla IN ('ninguna', 'sumar_costo') AND NOT t.destino
        OR t.regla <> 'contar' AND r.cantidad > -1e11 AND r.cantidad < 1e11 AS se_sabe,
        CASE
            WHEN r.cantidad > -1e11 AND r.cantidad < 1e11 THEN round(r.cantidad, 6)
            * CASE WHEN t.regla IN ('recibir', 'devolver_venta') THEN 1
                WHEN t.regla IN ('al_promedio', 'devolver_compra') OR t.destino THEN -1 ELSE 0 END
            ELSE 0
        END AS sale
    FROM etl.rechazo AS r
    LEFT JOIN dw.tipo_movimiento AS t ON t.tipo = r.tipo
    WHERE r.id_producto IS NOT NULL
) AS r
CROSS JOIN LATERAL (
    SELECT r.id_producto, r.origen AS id_sucursal, r.sale AS cantidad, coalesce(r.se_sabe, false) AS se_sabe
    UNION ALL
    SELECT r.id_producto, r.destino, -r.sale, coalesce(r.se_sabe, false)
    WHERE r.va
) AS m
$$;
COMMENT ON FUNCTION etl.en_cuarentena() IS
    'De los rechazos que nombran un producto: lo que moverá cada uno en su sucursal cuando entre, y si se sabe; de un traslado, en las dos, y en ninguna (nula) si no dice adónde va';

CREATE OR REPLACE FUNCTION etl.por_ajustar(p_leida timestamptz)
RETURNS TABLE (id_producto bigint, id_sucursal bigint, cantidad numeric, deshacer numeric, deshacer_desde timestamptz)
LANGUAGE sql STABLE
AS $$
WITH difiere AS MATERIALIZED (
    SELECT d.id_producto, d.id_sucursal, d.tienda - d.nuestras AS diferencia, d.atrasada, d.atrasada_desde,
        d.atrasada_menor
    FROM etl.diferencia_existencias AS d
    INNER JOIN dw.producto AS p ON p.id_producto = d.id_producto AND p.vigente AND p.inventariable
    -- What the shop does not tell is shown, and stays what it is.
    WHERE d.tienda IS NOT NULL AND d.tienda <> d.nuestras
), espera AS MATERIALIZED (
    SELECT e.* FROM etl.en_cuarentena() AS e WHERE e.id_producto IN (SELECT d.id_producto FROM difiere AS d)
), neta AS (
    SELECT
        d.*,
        -- What waits explains as much of it as it moves that way, and no more.
        CASE WHEN d.diferencia > 0
            THEN d.diferencia - least(greatest(w.cantidad, 0), d.diferencia)
            ELSE d.diferencia - greatest(least(w.cantidad, 0), d.diferencia)
        END AS cantidad
    FROM difiere AS d
    CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(e.cantidad), 0) AS cantidad,
            -- Of what goes nobody knows where, the whole stays what it is.
            coalesce(bool_and(e.se_sabe AND (d.id_sucursal IS NULL OR e.id_sucursal IS NOT NULL)), true) AS se_sabe
        FROM espera AS e
        WHERE e.id_producto = d.id_producto
            AND (d.id_sucursal IS NULL OR e.id_sucursal = d.id_sucursal OR e.id_sucursal IS NULL OR NOT e.se_sabe)
    ) AS w
    WHERE w.se_sabe
    UNION ALL
    -- What was booked of the whole goes back once the shop tells it by branch, and so has it in those.
    SELECT a.id_producto, NULL, NULL, 0, NULL, NULL, -sum(a.cantidad)
    FROM etl.v_ajuste AS a
    INNER JOIN dw.producto AS p ON p.id_producto = a.id_producto AND p.inventariable
    WHERE a.id_sucursal IS NULL AND a.cuenta
        -- Said apart, so that a shop without branches does not sum up what it ever booked.
        AND EXISTS (SELECT FROM dw.existencias_tienda AS t WHERE t.id_sucursal IS NOT NULL)
        AND a.id_producto IN (SELECT t.id_producto FROM dw.existencias_tienda AS t WHERE t.id_sucursal IS NOT NULL)
        AND a.id_producto NOT IN (SELECT t.id_producto FROM dw.existencias_tienda AS t WHERE t.id_sucursal = 0)
        -- But for what a count of what has no branch took.
        AND NOT EXISTS (
            SELECT FROM dw.kardex AS k
            WHERE k.id_producto = a.id_producto AND k.orden = 3 AND k.id_sucursal = 0 AND k.de_todo IS NOT TRUE
                AND k.fecha_documento >= a.fecha AND NOT k.reverso
        )
    GROUP BY a.id_producto
)
SELECT
    n.id_producto, n.id_sucursal, n.cantidad,
    -- What is nearer to nothing than to the least that came late is something else: what broke meanwhile.
    CASE WHEN n.atrasada * n.cantidad < 0 AND 2 * abs(n.cantidad) > n.atrasada_menor
        THEN least(abs(n.cantidad), abs(n.atrasada)) ELSE 0 END,
    n.atrasada_desde
FROM neta AS n
WHERE n.cantidad <> 0 AND abs(n.cantidad) < 1e11
    -- A count that is dated after this takes what would be booked here: it comes once that is past.
    AND NOT EXISTS (
        SELECT FROM dw.kardex AS k
        WHERE k.id_producto = n.id_producto AND k.fecha >= p_leida AND k.orden = 3 AND NOT k.reverso
    )
$$;
COMMENT ON FUNCTION etl.por_ajustar(timestamptz) IS
    'De los productos con existencias y sucursales que la tienda nombra, lo que difiere sin lo que espera como rechazo; y cuánto de ello deshace lo que nos cambió algo que ella ya sabía';

CREATE OR REPLACE FUNCTION etl.proponer_ajustes(p_extracto jsonb)
RETURNS SETOF dw.ajuste_existencias
LANGUAGE sql STABLE
AS $$
WITH ventana AS (
    SELECT
        (p_extracto ->> 'desde')::timestamptz AS desde, (p_extracto ->> 'hasta')::timestamptz AS hasta,
        (p_extracto ->> 'leida')::timestamptz AS leida
), difiere AS MATERIALIZED (
    SELECT d.* FROM ventana AS v CROSS JOIN LATERAL etl.por_ajustar(v.leida) AS d
), deshecho AS MATERIALIZED (
    -- The latest first.
    SELECT
        a.id_producto, a.id_sucursal, a.id_movimiento, a.fecha,
        least(
            abs(a.cantidad),
            greatest(d.deshacer - coalesce(sum(abs(a.cantidad)) OVER (
                PARTITION BY a.id_producto, a.id_sucursal ORDER BY a.fecha DESC, a.id_movimiento
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0), 0)
        ) * sign(d.cantidad) AS cantidad
    FROM difiere AS d
    INNER JOIN etl.v_ajuste AS a
        ON a.id_producto = d.id_producto AND a.id_sucursal IS NOT DISTINCT FROM d.id_sucursal
        AND a.cuenta AND a.cantidad * d.cantidad < 0
        -- It is no more due to what was dated after it.
        AND a.fecha >= d.deshacer_desde
    WHERE d.deshacer > 0
        -- What was counted since holds, whatever came before.
        AND NOT EXISTS (
            SELECT FROM dw.kardex AS k
            WHERE k.id_producto = d.id_producto AND k.orden = 3 AND k.fecha_documento >= a.fecha AND NOT k.reverso
        )
), nuevo AS (
    SELECT d.id_producto, d.id_sucursal, d.cantidad - coalesce(sum(r.cantidad), 0) AS cantidad
    FROM difiere AS d
    LEFT JOIN deshecho AS r
        ON r.id_producto = d.id_producto AND r.id_sucursal IS NOT DISTINCT FROM d.id_sucursal
    GROUP BY d.id_producto, d.id_sucursal, d.cantidad
)
SELECT
    etl.numero_de_ajuste(
        i.inicial, extract(epoch FROM v.desde)::text, extract(epoch FROM v.hasta)::text, n.id_producto::text,
        n.id_sucursal::text
    ),
    v.desde, v.hasta, v.leida, n.id_producto, n.id_sucursal, n.cantidad::numeric(38, 6), NULL::bigint
FROM nuevo AS n
CROSS JOIN ventana AS v
CROSS JOIN LATERAL (
    SELECT NOT EXISTS (SELECT FROM dw.kardex AS k WHERE k.id_producto = n.id_producto AND k.fecha < v.leida)
        AND NOT EXISTS (SELECT FROM etl.v_apertura AS a WHERE a.id_producto = n.id_producto) AS inicial
    OFFSET 0
) AS i
WHERE n.cantidad <> 0
UNION ALL
SELECT
    etl.numero_de_ajuste(
        false, extract(epoch FROM v.desde)::text, extract(epoch FROM v.hasta)::text, 'deshace',
        d.id_movimiento::text
    ),
    v.desde, v.hasta, d.fecha, d.id_producto, d.id_sucursal, d.cantidad::numeric(38, 6), d.id_movimiento
FROM deshecho AS d
CROSS JOIN ventana AS v
WHERE d.cantidad <> 0
$$;
COMMENT ON FUNCTION etl.proponer_ajustes(jsonb) IS
    'Lo que esta ventana asentaría: primero lo que deshace ajustes anteriores de ese producto y sucursal, en su fecha y el último primero; lo demás, en la de la instantánea';
