-- Step 4 of the load: replay the touched products from the first date that changes.
-- Input: etl.etapa (movements that enter), etl.baja (rows that leave) and whatever
-- etl.tramo already holds. A product that the ledger follows with later rows is replayed into
-- etl.repeticion, to be compared with them; one that only grows goes straight to the ledger.

CREATE OR REPLACE FUNCTION etl.cambios_por_producto() RETURNS TABLE (
    id_producto bigint, desde timestamptz, altas bigint, ventas bigint, primera bigint
)
LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_column
BEGIN
    -- A function's result can come from parallel workers, the source of an INSERT cannot.
    RETURN QUERY
    SELECT
        m.id_producto, min(m.fecha), count(m.alta), count(*) FILTER (WHERE m.venta), min(m.alta)
    FROM (
        SELECT e.id_producto, e.fecha, e.id_movimiento AS alta, e.tipo = 'VENTA' AS venta
        FROM etl.etapa AS e
        UNION ALL
        SELECT b.id_producto, b.fecha, NULL, false FROM etl.baja AS b
    ) AS m
    GROUP BY m.id_producto;
END
$$;
COMMENT ON FUNCTION etl.cambios_por_producto() IS
    'De cada producto, la primera fecha de lo que entra o sale, y de lo que entra cuánto, cuántas ventas y su menor número';

CREATE OR REPLACE FUNCTION etl.marcar_tramos() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_productos bigint;
BEGIN
    INSERT INTO etl.tramo AS t (id_producto, desde, altas, ventas, primera)
    SELECT c.* FROM etl.cambios_por_producto() AS c
    ON CONFLICT (id_producto) DO UPDATE SET
        desde = least(t.desde, excluded.desde),
        altas = excluded.altas, ventas = excluded.ventas, primera = excluded.primera;

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

CREATE OR REPLACE FUNCTION etl.es_repeticion_grande() RETURNS boolean
LANGUAGE sql STABLE
AS $$
SELECT count(*) = etl.muchas_filas()
FROM (
    SELECT FROM etl.tramo AS t
    CROSS JOIN LATERAL (
        SELECT FROM dw.kardex AS k
        WHERE k.id_producto = t.id_producto AND k.fecha >= t.desde
        OFFSET 0
    ) AS k
    WHERE t.cola
    LIMIT etl.muchas_filas()
) AS r
$$;
COMMENT ON FUNCTION etl.es_repeticion_grande() IS
    'Si son tantas las filas del kardex que se repiten como las que hacen grande una carga';

CREATE OR REPLACE FUNCTION etl.salto_costo(anterior numeric, costo numeric, factor numeric)
RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN costo = 0 THEN 0
    WHEN anterior > 0 AND (costo > anterior * factor OR anterior > costo * factor)
        -- 0 is what tells that it was free.
        THEN greatest(round(costo * 1.00000000000000000000 / anterior, 6), 0.000001)
END
$$;
COMMENT ON FUNCTION etl.salto_costo(numeric, numeric, numeric) IS
    'Costo de una entrada sobre el promedio anterior, si se aleja más que el factor, al menos 0.000001; 0 si es gratis; si no, nulo';

CREATE OR REPLACE FUNCTION etl.entradas_a_tramo(p_cola boolean, p_parte bigint) RETURNS TABLE (
    id_producto bigint, fecha timestamptz, id_movimiento bigint, id_sucursal bigint,
    orden smallint, tipo text, cantidad numeric, precio_unitario numeric, costo_unitario numeric,
    valor_inicial numeric
)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
-- A part is chosen by <>, since the planner takes what = chooses to be next to nothing.
-- Where the replay of each product starts: its state before the first date that changes.
SELECT
    t.id_producto, '-infinity'::timestamptz, 0::bigint,
    0::bigint, (-1)::smallint, 'SALDO'::text,
    coalesce(u.existencias, a.existencias, 0)::numeric,
    NULL::numeric,
    coalesce(u.costo_promedio, a.costo_promedio, 0)::numeric,
    coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0)::numeric
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
    (CASE WHEN e.tipo = 'VENTA' THEN 1 ELSE 0 END)::smallint, e.tipo,
    round(e.cantidad, 6), etl.precio_informado(e.tipo, e.precio_unitario),
    CASE WHEN e.tipo <> 'VENTA' THEN round(e.costo_unitario, 6) END, NULL
FROM etl.etapa AS e
WHERE (e.id_producto IN (SELECT t.id_producto FROM etl.tramo AS t WHERE t.cola)) = p_cola
    AND e.id_producto & 1 <> 1 - p_parte
$$;
COMMENT ON FUNCTION etl.entradas_a_tramo(boolean, bigint) IS
    'De los productos tocados, con cola o sin ella, de número par (0) o impar (1): su saldo previo, como movimiento de tipo SALDO, y las altas';

CREATE OR REPLACE FUNCTION etl.tramos(p_parte bigint) RETURNS TABLE (
    id_producto bigint, fecha timestamptz, id_movimiento bigint, id_sucursal bigint,
    orden smallint, es_alta boolean, reclasificado boolean, tipo text, cantidad numeric,
    precio_unitario numeric, costo_unitario numeric, valor_inicial numeric,
    costo_total_anterior numeric, ajuste_anterior numeric, existencias_anterior numeric,
    valor_anterior numeric, promedio_anterior numeric, salto_anterior numeric, tabla_kardex oid,
    ctid_kardex tid
)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT
    m.id_producto, m.fecha, m.id_movimiento, m.id_sucursal, m.orden, true, false, m.tipo,
    m.cantidad, m.precio_unitario, m.costo_unitario, m.valor_inicial,
    NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric,
    NULL::oid, NULL::tid
FROM etl.entradas_a_tramo(true, p_parte) AS m
UNION ALL
-- The inner OFFSET 0 keeps the planner from joining with a scan of the whole ledger, the outer one
-- from looking through all of etl.baja again for each product.
SELECT
    r.id_producto, r.fecha, r.id_movimiento, r.id_sucursal, r.orden, false,
    r.reclasificado, r.tipo, r.cantidad, r.precio_unitario, r.costo_unitario, NULL,
    r.costo_total, r.ajuste, r.existencias, r.valor, r.costo_promedio, r.salto_costo,
    r.tabla_kardex, r.ctid_kardex
FROM (
    SELECT t.categoria_anterior IS NOT NULL AS reclasificado, k.*
    FROM etl.tramo AS t
    CROSS JOIN LATERAL (
        SELECT f.*, f.tableoid AS tabla_kardex, f.ctid AS ctid_kardex FROM dw.kardex AS f
        WHERE f.id_producto = t.id_producto AND f.fecha >= t.desde
        OFFSET 0
    ) AS k
    WHERE t.cola AND t.id_producto & 1 <> 1 - p_parte
    OFFSET 0
) AS r
WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_movimiento)
$$;
COMMENT ON FUNCTION etl.tramos(bigint) IS
    'Lo que se repite de los productos con cola, de número par (0) o impar (1): su saldo previo, las altas y las filas que siguen en el kardex';

CREATE OR REPLACE FUNCTION etl.valorizar_colas(p_factor numeric, p_parte bigint) RETURNS TABLE (
    id_producto bigint, fecha timestamptz, id_movimiento bigint, id_sucursal bigint,
    orden smallint, es_alta boolean, difiere boolean, tipo text, provisional boolean,
    cantidad numeric, precio_unitario numeric, costo_unitario numeric, costo_total numeric,
    ajuste numeric, existencias numeric, valor numeric, costo_promedio numeric,
    salto_costo numeric, costo_total_anterior numeric, ajuste_anterior numeric,
    tabla_kardex oid, ctid_kardex tid
)
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- Dear enough for the planner to give it a worker.
COST 1e8
AS $$
#variable_conflict use_column
DECLARE
    v_estado dw.estado;
    v_reclasificado boolean;
    v_inicial numeric;
    v_existencias numeric;
    v_valor numeric;
    v_promedio numeric;
    v_salto numeric;
BEGIN
    -- Branch by branch as in etl.valorizar_altas, and what the ledger says beside it.
    FOR id_producto, fecha, id_movimiento, id_sucursal, orden, es_alta, v_reclasificado, tipo,
        cantidad, precio_unitario, costo_unitario, v_inicial, costo_total_anterior, ajuste_anterior,
        v_existencias, v_valor, v_promedio, v_salto, tabla_kardex, ctid_kardex
    IN
        SELECT
            m.id_producto, m.fecha, m.id_movimiento, m.id_sucursal, m.orden, m.es_alta,
            m.reclasificado, m.tipo, m.cantidad, m.precio_unitario, m.costo_unitario,
            m.valor_inicial, m.costo_total_anterior, m.ajuste_anterior, m.existencias_anterior,
            m.valor_anterior, m.promedio_anterior, m.salto_anterior, m.tabla_kardex, m.ctid_kardex
        FROM etl.tramos(p_parte) AS m
        ORDER BY m.id_producto, m.fecha, m.orden, m.id_movimiento
    LOOP
        IF tipo = 'VENTA' THEN
            v_estado := dw.actualizar_stock_venta(
                ROW(v_estado.existencias, v_estado.valor, v_estado.costo_promedio, NULL, NULL)::dw.estado,
                cantidad
            );
            costo_unitario := v_estado.costo_promedio;
            provisional := v_estado.existencias < 0 OR v_estado.costo_promedio = 0;
            salto_costo := NULL;
        ELSIF tipo = 'ENTRADA_MERCANCIA' THEN
            salto_costo := etl.salto_costo(v_estado.costo_promedio, costo_unitario, p_factor);
            v_estado := dw.actualizar_costo_promedio(
                ROW(v_estado.existencias, v_estado.valor, v_estado.costo_promedio, NULL, NULL)::dw.estado,
                cantidad, costo_unitario
            );
            provisional := false;
        ELSE
            v_estado := ROW(cantidad, v_inicial, costo_unitario, 0.000000, 0.000000)::dw.estado;
            CONTINUE;
        END IF;
        difiere := es_alta OR v_estado.existencias <> v_existencias OR v_estado.valor <> v_valor
            OR v_estado.costo_promedio <> v_promedio OR v_estado.costo_total <> costo_total_anterior
            OR v_estado.ajuste <> ajuste_anterior OR salto_costo IS DISTINCT FROM v_salto;
        -- A rule of the shop's own that yields no value must not pass for one that changes nothing.
        CONTINUE WHEN (difiere OR v_reclasificado) IS FALSE;
        costo_total := v_estado.costo_total;
        ajuste := v_estado.ajuste;
        existencias := v_estado.existencias;
        valor := v_estado.valor;
        costo_promedio := v_estado.costo_promedio;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION etl.valorizar_colas(numeric, bigint) IS
    'Lo que da etl.valorizar_tramos, de los productos de número par (0) o de los de impar (1)';

CREATE OR REPLACE FUNCTION etl.valorizar_tramos(p_factor numeric)
RETURNS SETOF etl.repeticion
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    -- Two parts for two processors: products are valued independently of each other. PostgreSQL
    -- gives workers nothing below an INSERT, but functions whose result a function returns.
    RETURN QUERY
    SELECT * FROM etl.valorizar_colas(p_factor, 0)
    UNION ALL
    SELECT * FROM etl.valorizar_colas(p_factor, 1);
END
$$;
COMMENT ON FUNCTION etl.valorizar_tramos(numeric) IS
    'Las altas de los tramos con cola, y las filas del kardex que cambian, con el estado que dejan; el factor es el de etl.salto_costo';

CREATE OR REPLACE FUNCTION etl.repetir(p_factor numeric) RETURNS void
LANGUAGE sql
AS $$
INSERT INTO etl.repeticion SELECT * FROM etl.valorizar_tramos(p_factor)
$$;
COMMENT ON FUNCTION etl.repetir(numeric) IS
    'Valoriza de nuevo los tramos con cola y deja en etl.repeticion las altas y las filas que cambian';

CREATE OR REPLACE FUNCTION etl.valorizar_altas(p_factor numeric, p_parte bigint) RETURNS TABLE (
    id_producto bigint, fecha timestamptz, id_movimiento bigint, id_sucursal bigint,
    orden smallint, provisional boolean, tipo text, cantidad numeric, precio_unitario numeric,
    costo_unitario numeric, costo_total numeric, ajuste numeric, existencias numeric,
    valor numeric, costo_promedio numeric, salto_costo numeric
)
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- Dear enough for the planner to give it a worker.
COST 1e8
AS $$
#variable_conflict use_column
DECLARE
    v_estado dw.estado;
BEGIN
    -- The rules that dw.valuar applies, of the same state, called one after the other: a loop takes
    -- two thirds of the time of an ordered aggregate, and verify values with that.
    FOR id_producto, fecha, id_movimiento, id_sucursal, orden, tipo, cantidad, precio_unitario,
        costo_unitario, valor
    IN
        SELECT
            m.id_producto, m.fecha, m.id_movimiento, m.id_sucursal, m.orden, m.tipo, m.cantidad,
            m.precio_unitario, m.costo_unitario, m.valor_inicial
        FROM etl.entradas_a_tramo(false, p_parte) AS m
        ORDER BY m.id_producto, m.fecha, m.orden, m.id_movimiento
    LOOP
        IF tipo = 'VENTA' THEN
            v_estado := dw.actualizar_stock_venta(
                ROW(v_estado.existencias, v_estado.valor, v_estado.costo_promedio, NULL, NULL)::dw.estado,
                cantidad
            );
            costo_unitario := v_estado.costo_promedio;
            provisional := v_estado.existencias < 0 OR v_estado.costo_promedio = 0;
            salto_costo := NULL;
        ELSIF tipo = 'ENTRADA_MERCANCIA' THEN
            salto_costo := etl.salto_costo(v_estado.costo_promedio, costo_unitario, p_factor);
            v_estado := dw.actualizar_costo_promedio(
                ROW(v_estado.existencias, v_estado.valor, v_estado.costo_promedio, NULL, NULL)::dw.estado,
                cantidad, costo_unitario
            );
            provisional := false;
        ELSE
            v_estado := ROW(cantidad, valor, costo_unitario, 0.000000, 0.000000)::dw.estado;
            CONTINUE;
        END IF;
        costo_total := v_estado.costo_total;
        ajuste := v_estado.ajuste;
        existencias := v_estado.existencias;
        valor := v_estado.valor;
        costo_promedio := v_estado.costo_promedio;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION etl.valorizar_altas(numeric, bigint) IS
    'Las altas de los productos sin cola, de número par (0) o impar (1), con el estado que dejan; el factor es el de etl.salto_costo';
