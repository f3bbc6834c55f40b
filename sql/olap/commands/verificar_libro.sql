-- Proof, of the ledger: each row is what its rule makes of the row before.

CREATE OR REPLACE FUNCTION etl.tramos_de_prueba(p_corta boolean, p_movimientos bigint[], p_parte bigint)
RETURNS TABLE (id_producto bigint, desde timestamptz)
LANGUAGE sql STABLE
-- So it is not written into what asks it.
SET search_path = pg_catalog, pg_temp
AS $$
-- What is closed is proved by its chain.
SELECT s.id_producto, greatest(min(s.desde), (SELECT etl.cerrado_hasta()))
FROM (
    SELECT i.id_producto, '-infinity'::timestamptz AS desde FROM dw.inventario AS i WHERE NOT p_corta
    UNION ALL
    SELECT q.id_producto, q.desde FROM etl.por_probar AS q WHERE p_corta
    UNION ALL
    SELECT k.id_producto, k.fecha
    FROM dw.kardex AS k
    WHERE p_corta AND k.id_movimiento = ANY (p_movimientos)
) AS s
WHERE p_parte IS NULL OR s.id_producto & 1 = p_parte
GROUP BY s.id_producto
$$;
COMMENT ON FUNCTION etl.tramos_de_prueba(boolean, bigint[], bigint) IS
    'Qué se repite para comprobarlo: todo, o lo tocado desde la última comprobación, y desde esos movimientos; de los productos de número par (0), impar (1) o de todos (nulo)';

CREATE OR REPLACE FUNCTION etl.repetir_libro(
    p_corta boolean, p_movimientos bigint[], p_parte bigint
) RETURNS TABLE (falla text, id_producto bigint, id_movimiento bigint)
LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_column
DECLARE
    v_cerrado timestamptz := etl.cerrado_hasta();
BEGIN
    -- A row is right if the rule of its type makes it of the row before: if all are, and the first stands
    -- on the opening, the ledger is its replay. So none waits for another.
    RETURN QUERY
    WITH tramo AS MATERIALIZED (
        SELECT
            q.id_producto, q.desde, coalesce(p.inventariable, true) AS inventariable, p.costo_referencia AS referencia,
            coalesce(u.existencias, a.existencias, 0)::numeric AS existencias,
            coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0)::numeric AS valor,
            coalesce(u.costo_promedio, a.costo_promedio, 0)::numeric AS costo_promedio
        FROM etl.tramos_de_prueba(p_corta, p_movimientos, p_parte) AS q
        LEFT JOIN dw.producto AS p ON p.id_producto = q.id_producto
        LEFT JOIN etl.v_apertura AS a ON a.id_producto = q.id_producto
        LEFT JOIN LATERAL (
            SELECT k.existencias, k.valor, k.costo_promedio
            FROM dw.kardex AS k
            WHERE k.id_producto = q.id_producto AND k.fecha < q.desde
            ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
            LIMIT 1
        ) AS u ON true
    ), par AS MATERIALIZED (
        -- What names another that serves as its origin: of the product, of the right type, and before it.
        SELECT n.id_movimiento, n.capa, n.regla, n.costo, n.id_origen, o.capa AS capa_origen, o.origen
        FROM (
            SELECT k.*, t.regla, t.tipo_origen, round(k.cantidad * k.costo_unitario, 6) AS costo
            FROM tramo AS r
            CROSS JOIN LATERAL (
                SELECT f.id_producto, f.id_movimiento, f.capa, f.id_origen, f.tipo, f.fecha, f.cantidad,
                    f.costo_unitario, f.costo_total
                FROM dw.kardex AS f
                WHERE f.id_producto = r.id_producto AND f.id_origen IS NOT NULL AND NOT f.reverso
                    AND NOT EXISTS (
                        SELECT FROM dw.kardex AS x
                        WHERE x.reverso AND x.id_movimiento = f.id_movimiento AND x.capa = f.capa + 1
                    )
                OFFSET 0
            ) AS k
            INNER JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo
            OFFSET 0
        ) AS n
        CROSS JOIN LATERAL (
            SELECT
                f.id_producto, f.tipo, f.fecha, f.capa,
                ROW(f.id_movimiento, f.costo_total, f.cantidad, f.existencias, f.costo_promedio)::dw.origen
                    AS origen
            FROM dw.kardex AS f
            WHERE f.id_movimiento = n.id_origen AND NOT f.reverso AND NOT EXISTS (
                SELECT FROM dw.kardex AS x
                WHERE x.reverso AND x.id_movimiento = f.id_movimiento AND x.capa = f.capa + 1
            )
            OFFSET 0
        ) AS o
        CROSS JOIN etl.limite_de_costos() AS l (fecha)
        WHERE o.id_producto = n.id_producto AND o.tipo = n.tipo_origen
            AND CASE WHEN n.regla = 'sumar_costo'
                -- Closed on its own it is no part of its receipt.
                THEN (o.fecha >= l.fecha OR n.fecha < l.fecha) AND (n.fecha >= l.fecha OR n.costo_total = 0)
                ELSE o.fecha <= n.fecha END
    ), conteo AS (
        -- Of the products that are counted by branch: what the branch had.
        SELECT c.id_movimiento, c.capa, c.habia
        FROM (
            SELECT
                e.id_movimiento, e.capa, e.cuenta,
                coalesce(sum(e.variacion) OVER (
                    PARTITION BY e.id_producto, e.id_sucursal
                    ORDER BY e.fecha, e.fecha_documento, e.orden, e.id_movimiento, e.capa
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ), 0) AS habia
            FROM (
                SELECT k.id_producto, k.fecha, k.fecha_documento, k.orden, k.id_movimiento, k.capa,
                    m.id_sucursal, m.variacion, m.cuenta
                FROM tramo AS r
                CROSS JOIN LATERAL (
                    SELECT FROM dw.kardex AS f
                    WHERE f.id_producto = r.id_producto AND f.orden = 3 AND f.de_todo IS NULL
                    LIMIT 1
                ) AS n
                CROSS JOIN LATERAL (
                    SELECT * FROM dw.kardex AS f WHERE f.id_producto = r.id_producto OFFSET 0
                ) AS k
                CROSS JOIN LATERAL (VALUES
                    (
                        k.id_sucursal,
                        k.variacion - CASE WHEN k.id_sucursal_destino IS NULL THEN 0 ELSE k.cantidad END,
                        k.orden = 3 AND k.de_todo IS NULL AND NOT k.reverso
                    ),
                    (k.id_sucursal_destino, k.cantidad, false)
                ) AS m (id_sucursal, variacion, cuenta)
                WHERE m.id_sucursal IS NOT NULL
                UNION ALL
                SELECT a.id_producto, '-infinity', '-infinity', -1, 0, 0, a.id_sucursal, a.existencias, false
                FROM dw.apertura_sucursal AS a
                INNER JOIN etl.v_apertura AS v ON v.id_producto = a.id_producto
            ) AS e
        ) AS c
        WHERE c.cuenta
    ), tardio AS (
        -- A count of a closed day, of which what is closed and came after it tells.
        SELECT
            k.id_movimiento, k.capa,
            coalesce(sum(m.variacion) FILTER (WHERE k.de_todo OR m.id_sucursal = k.id_sucursal), 0) AS despues,
            coalesce(bool_or(m.cuenta), false) AS sabido
        FROM tramo AS r
        CROSS JOIN LATERAL (
            SELECT * FROM dw.kardex AS f
            WHERE f.id_producto = r.id_producto AND f.fecha >= r.desde
                AND f.orden = 3 AND f.fecha_documento < f.fecha AND NOT f.reverso
            OFFSET 0
        ) AS k
        LEFT JOIN LATERAL (
            SELECT
                s.id_sucursal, s.variacion,
                f.orden = 3 AND NOT f.reverso
                AND (f.de_todo IS TRUE OR k.de_todo IS NULL AND f.id_sucursal = k.id_sucursal) AND NOT EXISTS (
                    SELECT FROM dw.kardex AS x
                    WHERE x.reverso AND x.id_movimiento = f.id_movimiento AND x.capa = f.capa + 1
                ) AS cuenta
            FROM dw.kardex AS f
            CROSS JOIN LATERAL etl.por_sucursal(f.id_sucursal, f.id_sucursal_destino, f.variacion, f.cantidad) AS s
            WHERE f.id_producto = k.id_producto AND f.fecha < (SELECT etl.cerrado_hasta())
                AND (f.fecha_documento, f.orden, f.id_movimiento) > (k.fecha_documento, 3, k.id_movimiento)
            OFFSET 0
        ) AS m ON true
        GROUP BY k.id_movimiento, k.capa
    ), deshecho AS (
        -- What a reversal undoes: its cost, what it is worth, and its quantity with its sign.
        SELECT
            k.id_movimiento, k.capa,
            ROW(
                k.id_movimiento,
                CASE WHEN d.dentro THEN d.queda ELSE c.costo_total END,
                c.variacion,
                CASE
                    WHEN d.dentro THEN d.queda
                    WHEN t.regla = 'sumar_costo' THEN c.costo_total + c.ajuste
                    WHEN c.variacion < 0 THEN -(t.signo * c.costo_total + c.ajuste)
                    WHEN c.tipo = 'ENTRADA_MERCANCIA' THEN greatest(c.costo_total, 0)
                    ELSE c.costo_total
                END,
                c.costo_promedio
            )::dw.origen AS origen
        FROM tramo AS r
        CROSS JOIN LATERAL (
            SELECT * FROM dw.kardex AS f
            WHERE f.id_producto = r.id_producto AND f.fecha >= r.desde AND f.reverso
            OFFSET 0
        ) AS k
        CROSS JOIN LATERAL (
            SELECT * FROM dw.kardex AS f WHERE f.id_movimiento = k.id_movimiento AND f.capa = k.capa - 1
            OFFSET 0
        ) AS c
        INNER JOIN dw.tipo_movimiento AS t ON t.tipo = c.tipo
        CROSS JOIN LATERAL (
            SELECT
                t.regla = 'sumar_costo' AND c.costo_total = 0 AS dentro,
                CASE WHEN EXISTS (
                    SELECT FROM dw.kardex AS o
                    WHERE o.id_movimiento = c.id_origen AND o.fecha < (SELECT etl.cerrado_hasta())
                        AND o.id_producto = c.id_producto AND o.tipo = t.tipo_origen AND NOT o.reverso
                        AND NOT EXISTS (
                            SELECT FROM dw.kardex AS x
                            WHERE x.reverso AND x.id_movimiento = o.id_movimiento AND x.capa = o.capa + 1
                        )
                ) THEN round(c.cantidad * c.costo_unitario, 6) ELSE 0 END AS queda
        ) AS d
    ), circunstancia AS MATERIALIZED (
        SELECT
            c.id_movimiento, c.capa, (array_agg(c.origen) FILTER (WHERE c.origen IS NOT NULL))[1] AS origen,
            sum(c.adicional) AS adicional, max(c.habia) AS habia, max(c.despues) AS despues,
            bool_or(c.sabido) AS sabido
        FROM (
            SELECT p.id_movimiento, p.capa, p.origen, NULL::numeric AS adicional, NULL::numeric AS habia,
                NULL::numeric AS despues, NULL::boolean AS sabido
            FROM par AS p
            UNION ALL
            SELECT p.id_origen, p.capa_origen, NULL, p.costo, NULL, NULL, NULL
            FROM par AS p WHERE p.regla = 'sumar_costo'
            UNION ALL
            SELECT n.id_movimiento, n.capa, NULL, NULL, n.habia, NULL, NULL FROM conteo AS n
            UNION ALL
            SELECT l.id_movimiento, l.capa, NULL, NULL, NULL, l.despues, l.sabido FROM tardio AS l
            UNION ALL
            SELECT u.id_movimiento, u.capa, u.origen, NULL, NULL, NULL, NULL FROM deshecho AS u
        ) AS c
        GROUP BY c.id_movimiento, c.capa
    )
    SELECT
        -- Each row: what there was, plus what entered, less what left, plus the adjustment.
        CASE
            WHEN f.existencias <> f.existencias_previas + f.variacion
                OR f.valor - f.valor_previo <> f.entra + f.ajuste
                THEN 'the ledger does not foot'
            WHEN f.suelta THEN 'the row does not follow the booking that it corrects'
            ELSE 'a replay gives other figures'
        END,
        f.id_producto, f.id_movimiento
    FROM (
        -- Nearly every movement is a sale or a receipt: their rules are written in here by the planner, as
        -- in dw.aplicar_movimiento. OFFSET 0: else each would be worked out for each column compared.
        SELECT
            s.*,
            CASE
                WHEN NOT s.sencillo THEN NULL
                WHEN s.regla = 'al_promedio' THEN dw.actualizar_stock_venta(
                    ROW(s.existencias_previas, s.valor_previo, s.promedio_previo, NULL, NULL)::dw.estado, s.cantidad
                )
                ELSE dw.actualizar_costo_promedio(
                    ROW(s.existencias_previas, s.valor_previo, s.promedio_previo, NULL, NULL)::dw.estado,
                    s.cantidad, s.costo_unitario
                )
            END AS estado,
            CASE WHEN NOT s.sencillo THEN dw.valuar_movimiento(
                ROW(
                    s.existencias_previas, s.valor_previo, s.promedio_previo, NULL, NULL, NULL, NULL, NULL, NULL,
                    NULL, NULL
                )::dw.paso,
                s.regla, s.cantidad, s.costo_unitario, s.importe, s.adicional, s.origen IS NOT NULL, s.origen,
                coalesce(s.habia, s.existencias_previas) - coalesce(s.despues, 0), s.referencia
            ) END AS paso
        FROM (
            SELECT
                k.id_producto, k.id_movimiento, k.tipo, k.orden, k.provisional, k.salto_costo,
                k.cantidad::numeric, k.costo_unitario::numeric, k.costo_total::numeric, k.ajuste::numeric,
                k.existencias::numeric, k.valor::numeric, k.costo_promedio::numeric, k.variacion::numeric,
                k.importe::numeric, k.reverso, k.fecha, k.fecha_documento,
                CASE WHEN c.sabido THEN 'ninguna' ELSE etl.regla_de(k.reverso, t.regla, t.signo, r.inventariable) END
                    AS regla,
                r.inventariable, r.referencia,
                t.orden AS orden_del_tipo, c.despues,
                -- Bookings of one movement take turns: what it was, its reversal, what it is. By the key, and of
                -- the few that have one before them: not by EXISTS, of which there is a plan that reads all.
                CASE WHEN k.capa > 0 OR k.reverso THEN (
                    SELECT x.reverso <> k.reverso AND (NOT k.reverso OR (
                        x.id_producto, x.tipo, x.fecha_documento, x.cantidad, x.precio_unitario, x.costo_unitario,
                        x.importe, x.id_origen, x.de_todo, x.impuesto, x.precio_con_impuesto
                    ) IS NOT DISTINCT FROM (
                        k.id_producto, k.tipo, k.fecha_documento, k.cantidad, k.precio_unitario, k.costo_unitario,
                        k.importe, k.id_origen, k.de_todo, k.impuesto, k.precio_con_impuesto
                    ))
                    FROM dw.kardex AS x
                    WHERE x.id_movimiento = k.id_movimiento AND x.capa = k.capa - 1
                    LIMIT 1
                ) IS NOT TRUE ELSE false END AS suelta,
                CASE t.signo WHEN 1 THEN k.costo_total WHEN -1 THEN -k.costo_total ELSE 0 END AS entra, c.origen, c.adicional, c.habia,
                r.inventariable AND NOT k.reverso AND (
                    t.regla = 'al_promedio'
                    OR t.regla = 'recibir' AND k.costo_unitario IS NOT NULL AND k.importe IS NULL
                    AND c.adicional IS NULL
                ) AS sencillo,
                coalesce(k.existencias_previas, r.existencias)::numeric AS existencias_previas,
                coalesce(k.valor_previo, r.valor)::numeric AS valor_previo,
                coalesce(k.promedio_previo, r.costo_promedio)::numeric AS promedio_previo
            FROM tramo AS r
            CROSS JOIN LATERAL (
                -- A product at a time, in the order of its key: nothing is sorted.
                SELECT
                    f.*, lag(f.existencias) OVER w AS existencias_previas,
                    lag(f.valor) OVER w AS valor_previo, lag(f.costo_promedio) OVER w AS promedio_previo
                FROM dw.kardex AS f
                WHERE f.id_producto = r.id_producto AND f.fecha >= r.desde
                WINDOW w AS (ORDER BY f.fecha, f.fecha_documento, f.orden, f.id_movimiento, f.capa)
                OFFSET 0
            ) AS k
            INNER JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo
            LEFT JOIN circunstancia AS c ON c.id_movimiento = k.id_movimiento AND c.capa = k.capa
        ) AS s
        OFFSET 0
    ) AS f
    WHERE
        -- A rule of the shop's own that yields no value must not pass for one that agrees.
        CASE
            WHEN f.sencillo THEN (f.estado).existencias = f.existencias AND (f.estado).valor = f.valor
                AND (f.estado).costo_promedio = f.costo_promedio
                AND (f.estado).costo_total = f.costo_total AND (f.estado).ajuste = f.ajuste
            ELSE (f.paso).existencias = f.existencias AND (f.paso).valor = f.valor
                AND (f.paso).costo_promedio = f.costo_promedio
                AND (f.paso).costo_total = f.costo_total AND (f.paso).ajuste = f.ajuste
        END IS NOT TRUE
        OR f.existencias <> f.existencias_previas + f.variacion
        OR f.valor - f.valor_previo <> f.entra + f.ajuste
        OR f.orden <> f.orden_del_tipo
        OR f.suelta
        -- What corrects a closed period is booked where it ends.
        OR f.fecha <> CASE WHEN f.reverso THEN v_cerrado ELSE greatest(f.fecha_documento, v_cerrado) END
        OR f.provisional <> (
            CASE WHEN f.sencillo THEN f.regla = 'al_promedio' ELSE (f.paso).al_promedio END
            AND (f.existencias < 0 OR f.costo_promedio = 0)
        )
        OR f.tipo = 'VENTA' AND NOT f.reverso AND f.costo_unitario IS DISTINCT FROM f.costo_promedio
        OR (f.tipo <> 'ENTRADA_MERCANCIA' OR f.reverso OR NOT f.inventariable) AND f.salto_costo IS NOT NULL
        -- Which cost is far from the average is a setting's matter; how far it is, is not.
        OR f.tipo = 'ENTRADA_MERCANCIA' AND NOT f.reverso AND f.inventariable AND (f.salto_costo = 0) IS DISTINCT FROM (
            CASE WHEN f.costo_unitario = 0 THEN true WHEN f.salto_costo IS NOT NULL THEN false END
        )
        OR f.salto_costo <> 0 AND f.salto_costo IS DISTINCT FROM greatest(
            round(f.costo_unitario * 1.00000000000000000000 / nullif(f.promedio_previo, 0), 6), 0.000001
        );
END
$$;
COMMENT ON FUNCTION etl.repetir_libro(boolean, bigint[], bigint) IS
    'Repite desde su apertura, o desde lo que cambió, los productos de número par (0) o impar (1), y dice en qué filas el kardex difiere o no cuadra con la anterior';
