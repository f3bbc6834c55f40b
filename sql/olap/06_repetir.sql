-- Step 4 of the load: replay the touched products from the first date that changes.
-- Input: etl.etapa (movements that enter), etl.baja (rows that leave) and whatever
-- etl.tramo already holds. Output: etl.repeticion.

CREATE OR REPLACE FUNCTION etl.marcar_tramos() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_productos bigint;
BEGIN
    INSERT INTO etl.tramo AS t (id_producto, desde)
    SELECT m.id_producto, min(m.fecha)
    FROM (
        SELECT e.id_producto, e.fecha FROM etl.etapa AS e
        UNION ALL
        SELECT b.id_producto, b.fecha FROM etl.baja AS b
    ) AS m
    GROUP BY m.id_producto
    ON CONFLICT (id_producto) DO UPDATE SET desde = least(t.desde, excluded.desde);
    SELECT count(*) INTO v_productos FROM etl.tramo;
    RETURN v_productos;
END
$$;
COMMENT ON FUNCTION etl.marcar_tramos() IS
    'Productos tocados y, de cada uno, la primera fecha que cambia; devuelve cuántos son';

CREATE OR REPLACE VIEW etl.v_tramo AS
-- Where the replay of each product starts: its state before the first date that changes.
SELECT
    t.id_producto, '-infinity'::timestamptz AS fecha, 0::bigint AS id_movimiento,
    0::bigint AS id_sucursal, (-1)::smallint AS orden, false AS es_alta,
    false AS reclasificado, 'SALDO'::text AS tipo,
    coalesce(u.existencias, a.existencias, 0)::numeric AS cantidad,
    NULL::numeric AS precio_unitario,
    coalesce(u.costo_promedio, a.costo_promedio, 0)::numeric AS costo_unitario,
    coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0)::numeric AS valor_inicial,
    NULL::dw.estado AS estado_anterior, NULL::numeric AS salto_anterior
FROM etl.tramo AS t
LEFT JOIN dw.apertura AS a ON a.id_producto = t.id_producto
LEFT JOIN LATERAL (
    SELECT k.existencias, k.valor, k.costo_promedio
    FROM dw.kardex AS k
    WHERE k.id_producto = t.id_producto AND k.fecha < t.desde
    ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
    LIMIT 1
) AS u ON true
UNION ALL
SELECT
    e.id_producto, e.fecha, e.id_movimiento, coalesce(e.id_sucursal, 0),
    (CASE WHEN e.tipo = 'VENTA' THEN 1 ELSE 0 END)::smallint, true, false, e.tipo,
    round(e.cantidad, 6), etl.precio_informado(e.tipo, e.precio_unitario),
    CASE WHEN e.tipo <> 'VENTA' THEN round(e.costo_unitario, 6) END, NULL, NULL, NULL
FROM etl.etapa AS e
UNION ALL
-- OFFSET 0 keeps the planner from joining with a scan of the whole ledger.
SELECT
    t.id_producto, k.fecha, k.id_movimiento, k.id_sucursal, k.orden, false,
    t.categoria_anterior IS NOT NULL, k.tipo, k.cantidad, k.precio_unitario, k.costo_unitario, NULL,
    ROW(k.existencias, k.valor, k.costo_promedio, k.costo_total, k.ajuste)::dw.estado, k.salto_costo
FROM etl.tramo AS t
CROSS JOIN LATERAL (
    SELECT * FROM dw.kardex AS f
    WHERE f.id_producto = t.id_producto AND f.fecha >= t.desde
    OFFSET 0
) AS k
WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = k.id_movimiento);
COMMENT ON VIEW etl.v_tramo IS
    'Lo que se repite de cada producto tocado: su saldo previo, las altas y las filas que siguen en el kardex';

CREATE OR REPLACE FUNCTION etl.salto_costo(anterior numeric, costo numeric, factor numeric)
RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN anterior > 0 AND costo > 0 AND (costo > anterior * factor OR anterior > costo * factor)
        THEN round(costo * 1.00000000000000000000 / anterior, 6)
END
$$;
COMMENT ON FUNCTION etl.salto_costo(numeric, numeric, numeric) IS
    'Costo de una entrada sobre el promedio anterior, si se aleja más que el factor; si no, nulo';

CREATE OR REPLACE FUNCTION etl.repetir(p_factor numeric) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO etl.repeticion (
        id_producto, fecha, id_movimiento, id_sucursal, orden, es_alta, difiere, tipo, cantidad,
        precio_unitario, costo_unitario, costo_total, ajuste, existencias, valor, costo_promedio,
        salto_costo, costo_total_anterior, ajuste_anterior
    )
    SELECT
        v.id_producto, v.fecha, v.id_movimiento, v.id_sucursal, v.orden, v.es_alta, v.difiere,
        v.tipo, v.cantidad, v.precio_unitario,
        CASE WHEN v.tipo = 'VENTA' THEN (v.estado).costo_promedio ELSE v.costo_unitario END,
        (v.estado).costo_total, (v.estado).ajuste,
        (v.estado).existencias, (v.estado).valor, (v.estado).costo_promedio,
        v.salto, (v.estado_anterior).costo_total, (v.estado_anterior).ajuste
    FROM (
        SELECT
            s.*,
            s.es_alta OR s.estado IS DISTINCT FROM s.estado_anterior
            OR s.salto IS DISTINCT FROM s.salto_anterior AS difiere
        FROM (
            SELECT
                r.*,
                CASE WHEN r.tipo = 'ENTRADA_MERCANCIA' THEN etl.salto_costo(
                    lag((r.estado).costo_promedio) OVER (
                        PARTITION BY r.id_producto ORDER BY r.fecha, r.orden, r.id_movimiento
                    ),
                    r.costo_unitario, p_factor
                ) END AS salto
            FROM (
                SELECT
                    m.*,
                    dw.valuar(m.tipo, m.cantidad, m.costo_unitario, m.valor_inicial) OVER (
                        PARTITION BY m.id_producto ORDER BY m.fecha, m.orden, m.id_movimiento
                        ROWS UNBOUNDED PRECEDING
                    ) AS estado
                FROM etl.v_tramo AS m
            ) AS r
        ) AS s
        WHERE s.tipo <> 'SALDO'
    ) AS v
    WHERE v.difiere OR v.reclasificado;
END
$$;
COMMENT ON FUNCTION etl.repetir(numeric) IS
    'Valoriza de nuevo los tramos y deja en etl.repeticion las altas y las filas que cambian';
