-- Step 4 of the load: replay the touched products from the first date that changes.
-- Input: etl.etapa (movements that enter), etl.baja (rows that leave) and whatever
-- etl.tramo already holds. A product that the ledger follows with later rows is replayed into
-- etl.repeticion, to be compared with them; one that only grows goes straight to the ledger.

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
    'Productos tocados y, de cada uno, la primera fecha que cambia; devuelve cuántos son';

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

CREATE OR REPLACE FUNCTION etl.tramos(p_cola boolean, p_parte bigint) RETURNS TABLE (
    id_producto bigint, fecha timestamptz, id_movimiento bigint, id_sucursal bigint,
    orden smallint, es_alta boolean, reclasificado boolean, tipo text, cantidad numeric,
    precio_unitario numeric, costo_unitario numeric, valor_inicial numeric,
    estado_anterior dw.estado, salto_anterior numeric
)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
-- A part is chosen by <>, since the planner takes what = chooses to be next to nothing.
-- Where the replay of each product starts: its state before the first date that changes.
SELECT
    t.id_producto, '-infinity'::timestamptz, 0::bigint,
    0::bigint, (-1)::smallint, false,
    false, 'SALDO'::text,
    coalesce(u.existencias, a.existencias, 0)::numeric,
    NULL::numeric,
    coalesce(u.costo_promedio, a.costo_promedio, 0)::numeric,
    coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0)::numeric,
    NULL::dw.estado, NULL::numeric
FROM etl.tramo AS t
LEFT JOIN dw.apertura AS a ON a.id_producto = t.id_producto
LEFT JOIN LATERAL (
    SELECT k.existencias, k.valor, k.costo_promedio
    FROM dw.kardex AS k
    WHERE k.id_producto = t.id_producto AND k.fecha < t.desde
    ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
    LIMIT 1
) AS u ON true
WHERE t.cola = p_cola AND t.id_producto & 1 <> 1 - p_parte
UNION ALL
SELECT
    e.id_producto, e.fecha, e.id_movimiento, coalesce(e.id_sucursal, 0),
    (CASE WHEN e.tipo = 'VENTA' THEN 1 ELSE 0 END)::smallint, true, false, e.tipo,
    round(e.cantidad, 6), etl.precio_informado(e.tipo, e.precio_unitario),
    CASE WHEN e.tipo <> 'VENTA' THEN round(e.costo_unitario, 6) END, NULL, NULL, NULL
FROM etl.etapa AS e
WHERE (e.id_producto IN (SELECT t.id_producto FROM etl.tramo AS t WHERE t.cola)) = p_cola
    AND e.id_producto & 1 <> 1 - p_parte
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
WHERE p_cola AND t.cola AND t.id_producto & 1 <> 1 - p_parte
    AND NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = k.id_movimiento)
$$;
COMMENT ON FUNCTION etl.tramos(boolean, bigint) IS
    'Lo que se repite de los productos tocados, con cola o sin ella, de número par (0) o impar (1): su saldo previo, las altas y las filas que siguen en el kardex';

DO $$
BEGIN
    IF to_regtype('etl.valorizado') IS NULL THEN
        CREATE TYPE etl.valorizado AS (
            id_producto     bigint,
            fecha           timestamptz,
            id_movimiento   bigint,
            id_sucursal     bigint,
            orden           smallint,
            es_alta         boolean,
            reclasificado   boolean,
            tipo            text,
            provisional     boolean,
            cantidad        numeric,
            precio_unitario numeric,
            costo_unitario  numeric,
            costo_total     numeric,
            ajuste          numeric,
            existencias     numeric,
            valor           numeric,
            costo_promedio  numeric,
            salto           numeric,
            estado_anterior dw.estado,
            salto_anterior  numeric
        );
    END IF;
END
$$;
COMMENT ON TYPE etl.valorizado IS
    'Un movimiento con el estado que deja, y de una fila del kardex el que dejaba';

CREATE OR REPLACE FUNCTION etl.valorizar_parte(p_cola boolean, p_factor numeric, p_parte bigint)
RETURNS SETOF etl.valorizado
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- Dear enough for the planner to give it a worker.
COST 1e8
AS $$
BEGIN
    RETURN QUERY
    SELECT
        r.id_producto, r.fecha, r.id_movimiento, r.id_sucursal, r.orden, r.es_alta,
        r.reclasificado, r.tipo,
        r.tipo = 'VENTA' AND ((r.paso).existencias < 0 OR (r.paso).costo_promedio = 0),
        r.cantidad, r.precio_unitario,
        CASE WHEN r.tipo = 'VENTA' THEN (r.paso).costo_promedio ELSE r.costo_unitario END,
        (r.paso).costo_total, (r.paso).ajuste, (r.paso).existencias, (r.paso).valor,
        (r.paso).costo_promedio,
        CASE WHEN r.tipo = 'ENTRADA_MERCANCIA'
            THEN etl.salto_costo((r.paso).promedio_previo, r.costo_unitario, p_factor)
        END,
        r.estado_anterior, r.salto_anterior
    FROM (
        SELECT
            m.*,
            dw.valuar(m.tipo, m.cantidad, m.costo_unitario, m.valor_inicial) OVER (
                PARTITION BY m.id_producto ORDER BY m.fecha, m.orden, m.id_movimiento
                ROWS UNBOUNDED PRECEDING
            ) AS paso
        FROM etl.tramos(p_cola, p_parte) AS m
    ) AS r
    WHERE r.tipo <> 'SALDO';
END
$$;
COMMENT ON FUNCTION etl.valorizar_parte(boolean, numeric, bigint) IS
    'Lo que da etl.valorizar_tramos, de los productos de número par (0) o de los de impar (1)';

CREATE OR REPLACE FUNCTION etl.valorizar_tramos(p_cola boolean, p_factor numeric)
RETURNS SETOF etl.valorizado
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    -- Two parts for two processors: products are valued independently of each other. PostgreSQL
    -- spreads no window over workers, and nothing below an INSERT, but it does so with
    -- functions whose result a function returns.
    RETURN QUERY
    SELECT * FROM etl.valorizar_parte(p_cola, p_factor, 0)
    UNION ALL
    SELECT * FROM etl.valorizar_parte(p_cola, p_factor, 1);
END
$$;
COMMENT ON FUNCTION etl.valorizar_tramos(boolean, numeric) IS
    'Cada movimiento de los tramos con el estado que deja; el factor es el de etl.salto_costo';

CREATE OR REPLACE FUNCTION etl.repetir(p_factor numeric) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO etl.repeticion (
        id_producto, fecha, id_movimiento, id_sucursal, orden, es_alta, difiere, tipo, provisional,
        cantidad, precio_unitario, costo_unitario, costo_total, ajuste, existencias, valor,
        costo_promedio, salto_costo, costo_total_anterior, ajuste_anterior
    )
    SELECT
        v.id_producto, v.fecha, v.id_movimiento, v.id_sucursal, v.orden, v.es_alta, v.difiere,
        v.tipo, v.provisional, v.cantidad, v.precio_unitario, v.costo_unitario,
        v.costo_total, v.ajuste, v.existencias, v.valor, v.costo_promedio, v.salto,
        (v.estado_anterior).costo_total, (v.estado_anterior).ajuste
    FROM (
        SELECT
            s.*,
            s.es_alta
            OR ROW(s.existencias, s.valor, s.costo_promedio, s.costo_total, s.ajuste)::dw.estado
            IS DISTINCT FROM s.estado_anterior
            OR s.salto IS DISTINCT FROM s.salto_anterior AS difiere
        FROM etl.valorizar_tramos(true, p_factor) AS s
    ) AS v
    WHERE v.difiere OR v.reclasificado;
END
$$;
COMMENT ON FUNCTION etl.repetir(numeric) IS
    'Valoriza de nuevo los tramos con cola y deja en etl.repeticion las altas y las filas que cambian';
