-- Which products are touched, and what of each is valued: from the first date that changes.
-- Input: etl.etapa (movements that enter), etl.baja (rows that leave) and whatever
-- etl.tramo already holds. A product that the ledger follows with later rows is replayed into
-- etl.repeticion, to be compared with them; one that only grows goes straight to the ledger.

CREATE OR REPLACE FUNCTION etl.marcar_tramos() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_productos bigint;
BEGIN
    INSERT INTO etl.tramo AS t (id_producto, desde, altas, ventas)
    SELECT m.id_producto, min(m.fecha), count(*) FILTER (WHERE m.alta), count(*) FILTER (WHERE m.venta)
    FROM (
        SELECT e.id_producto, e.fecha, true AS alta, e.tipo = 'VENTA' AS venta FROM etl.etapa AS e
        UNION ALL
        SELECT b.id_producto, b.fecha, false, false FROM etl.baja AS b
    ) AS m
    GROUP BY m.id_producto
    ON CONFLICT (id_producto) DO UPDATE SET
        desde = least(t.desde, excluded.desde), altas = excluded.altas, ventas = excluded.ventas;

    -- LIMIT keeps the planner from joining with a scan of the whole ledger.
    UPDATE etl.tramo AS t
    SET cola = true
    FROM (
        SELECT s.id_producto
        FROM etl.tramo AS s
        CROSS JOIN LATERAL (
            SELECT FROM dw.kardex AS k
            WHERE k.id_producto = s.id_producto AND k.fecha >= s.desde
            LIMIT 1
        ) AS k
    ) AS c
    WHERE c.id_producto = t.id_producto;
    SELECT count(*) INTO v_productos FROM etl.tramo;
    RETURN v_productos;
END
$$;
COMMENT ON FUNCTION etl.marcar_tramos() IS
    'Productos tocados y, de cada uno, la primera fecha que cambia y lo que entra; devuelve cuántos son';

CREATE OR REPLACE FUNCTION etl.tramos(p_cola boolean) RETURNS TABLE (
    id_producto bigint, fecha timestamptz, id_movimiento bigint, id_sucursal bigint,
    orden smallint, tipo text, cantidad numeric, precio_unitario numeric, costo_unitario numeric,
    valor_inicial numeric, reclasificado boolean, anterior dw.estado, salto_anterior numeric,
    ctid_kardex tid
)
LANGUAGE sql STABLE
AS $$
-- Where the replay of each product starts: its state before the first date that changes.
SELECT
    t.id_producto, '-infinity'::timestamptz, 0::bigint, 0::bigint, (-1)::smallint, 'SALDO'::text,
    coalesce(u.existencias, a.existencias, 0)::numeric,
    NULL::numeric,
    coalesce(u.costo_promedio, a.costo_promedio, 0)::numeric,
    coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0)::numeric,
    false, NULL::dw.estado, NULL::numeric, NULL::tid
FROM etl.tramo AS t
LEFT JOIN dw.apertura AS a ON a.id_producto = t.id_producto
LEFT JOIN LATERAL (
    SELECT k.existencias, k.valor, k.costo_promedio
    FROM dw.kardex AS k
    WHERE k.id_producto = t.id_producto AND k.fecha < t.desde
    ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
    LIMIT 1
) AS u ON true
WHERE t.cola = p_cola
UNION ALL
SELECT
    e.id_producto, e.fecha, e.id_movimiento, coalesce(e.id_sucursal, 0),
    (CASE WHEN e.tipo = 'VENTA' THEN 1 ELSE 0 END)::smallint, e.tipo,
    round(e.cantidad, 6), etl.precio_informado(e.tipo, e.precio_unitario),
    CASE WHEN e.tipo <> 'VENTA' THEN round(e.costo_unitario, 6) END, NULL,
    false, NULL, NULL, NULL
FROM etl.etapa AS e
WHERE (e.id_producto IN (SELECT t.id_producto FROM etl.tramo AS t WHERE t.cola)) = p_cola
UNION ALL
-- The inner OFFSET 0 keeps the planner from joining with a scan of the whole ledger, the outer one
-- from looking through all of etl.baja again for each product.
SELECT
    r.id_producto, r.fecha, r.id_movimiento, r.id_sucursal, r.orden, r.tipo, r.cantidad,
    r.precio_unitario, r.costo_unitario, NULL, r.reclasificado,
    ROW(r.existencias, r.valor, r.costo_promedio, r.costo_total, r.ajuste)::dw.estado,
    r.salto_costo, r.ctid_kardex
FROM (
    SELECT t.categoria_anterior IS NOT NULL AS reclasificado, k.*
    FROM etl.tramo AS t
    CROSS JOIN LATERAL (
        SELECT f.*, f.ctid AS ctid_kardex FROM dw.kardex AS f
        WHERE f.id_producto = t.id_producto AND f.fecha >= t.desde
        OFFSET 0
    ) AS k
    WHERE p_cola AND t.cola
    OFFSET 0
) AS r
WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_movimiento)
$$;
COMMENT ON FUNCTION etl.tramos(boolean) IS
    'De los productos tocados, con cola o sin ella: su saldo previo, como movimiento de tipo SALDO, las altas y, con lo que dicen de su estado, las filas que siguen en el kardex';
