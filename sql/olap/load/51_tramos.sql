-- Which products are touched, and what of each is valued: from the first date that changes.
-- Input: etl.etapa (movements that enter), etl.baja (rows that leave) and whatever
-- etl.tramo already holds. A product that the ledger follows with later rows is replayed into
-- etl.repeticion, to be compared with them; one that only grows goes straight to the ledger.

CREATE OR REPLACE FUNCTION etl.marcar_tramos() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_productos bigint;
    v_conteos text[] := ARRAY(SELECT p.tipo FROM dw.tipo_movimiento AS p WHERE p.regla = 'contar');
BEGIN
    INSERT INTO etl.tramo AS t (
        id_producto, desde, altas, ventas, entradas, nombra, cuenta_sucursales, sigue_sucursales
    )
    -- A reversal is of a movement that is counted already.
    SELECT m.id_producto, min(m.fecha), count(*) FILTER (WHERE m.tipo IS NOT NULL AND NOT m.reverso),
        count(*) FILTER (WHERE m.tipo = 'VENTA' AND NOT m.reverso),
        count(*) FILTER (WHERE m.tipo = 'ENTRADA_MERCANCIA' AND NOT m.reverso),
        count(m.id_origen) > 0,
        count(m.id_sucursal) FILTER (WHERE m.tipo = ANY (v_conteos)) > 0,
        count(*) FILTER (WHERE m.tipo = ANY (v_conteos) AND m.id_sucursal = 0) > 0
    FROM (
        SELECT e.id_producto, e.fecha, e.tipo, e.id_origen, e.id_sucursal, e.reverso FROM etl.etapa AS e
        UNION ALL
        SELECT b.id_producto, b.fecha, NULL, b.id_origen, NULL, false FROM etl.baja AS b
    ) AS m
    GROUP BY m.id_producto
    ON CONFLICT (id_producto) DO UPDATE SET
        desde = least(t.desde, excluded.desde), altas = excluded.altas, ventas = excluded.ventas,
        entradas = excluded.entradas, nombra = excluded.nombra,
        cuenta_sucursales = excluded.cuenta_sucursales, sigue_sucursales = excluded.sigue_sucursales;
    PERFORM etl.extender_tramos();
    -- What is closed is not valued again, whatever changed.
    UPDATE etl.tramo AS t SET desde = c.hasta
    FROM (SELECT etl.cerrado_hasta() AS hasta OFFSET 0) AS c
    WHERE t.desde < c.hasta;

    UPDATE etl.tramo AS t SET inventariable = false
    FROM dw.producto AS p
    WHERE NOT p.inventariable AND p.id_producto = t.id_producto;
    UPDATE etl.tramo AS t SET referencia = p.costo_referencia
    FROM dw.producto AS p
    WHERE p.costo_referencia IS NOT NULL AND p.id_producto = t.id_producto;

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
    orden smallint, tipo text, regla text, cantidad numeric, precio_unitario numeric,
    costo_unitario numeric, importe numeric, id_origen bigint, id_sucursal_destino bigint,
    de_todo boolean, circunstancia dw.circunstancia, reclasificado boolean, anterior dw.estado,
    variacion_anterior numeric, provisional_anterior boolean, salto_anterior numeric, ctid_kardex tid,
    fecha_documento timestamptz, capa smallint, reverso boolean, impuesto numeric, precio_con_impuesto boolean
)
LANGUAGE sql STABLE
AS $$
-- Where the replay of each product starts: its state before the first date that changes.
SELECT
    t.id_producto, '-infinity'::timestamptz, 0::bigint, 0::bigint, (-1)::smallint, 'SALDO'::text,
    'saldo'::text, coalesce(u.existencias, a.existencias, 0)::numeric, NULL::numeric,
    coalesce(u.costo_promedio, a.costo_promedio, 0)::numeric,
    NULL::numeric, NULL::bigint, NULL::bigint, NULL::boolean,
    ROW(
        coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0),
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, s.sucursales, s.por_sucursal,
        NULL, NULL, NULL
    )::dw.circunstancia,
    false, NULL::dw.estado, NULL::numeric, NULL::boolean, NULL::numeric, NULL::tid,
    '-infinity', 0::smallint, false, NULL::numeric, NULL::boolean
FROM etl.tramo AS t
LEFT JOIN etl.v_apertura AS a ON a.id_producto = t.id_producto
LEFT JOIN LATERAL (
    SELECT k.existencias, k.valor, k.costo_promedio
    FROM dw.kardex AS k
    WHERE k.id_producto = t.id_producto AND k.fecha < t.desde
    ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
    LIMIT 1
) AS u ON true
LEFT JOIN etl.v_sucursales_al_empezar AS s ON s.id_producto = t.id_producto
WHERE t.cola = p_cola
UNION ALL
SELECT
    m.id_producto, m.fecha, m.id_movimiento, m.id_sucursal, m.orden, m.tipo,
    CASE WHEN m.regla = 'contar' AND x.olvidar THEN 'ninguna' ELSE m.regla END, m.cantidad,
    m.precio_unitario, m.costo_unitario, m.importe, m.id_origen, m.id_sucursal_destino, m.de_todo,
    CASE WHEN x.id_movimiento IS NOT NULL OR m.importe IS NOT NULL OR m.sigue_sucursales OR m.referencia IS NOT NULL
        THEN ROW(
            m.importe, x.adicional, x.en_su_entrada,
            CASE WHEN x.recordar THEN m.id_movimiento END, x.id_origen, x.olvidar,
            CASE WHEN x.cantidad IS NOT NULL
                THEN ROW(m.id_origen, x.costo_total, x.cantidad, x.existencias, x.costo_promedio)::dw.origen
            END,
            CASE WHEN m.sigue_sucursales THEN m.id_sucursal END,
            CASE WHEN m.sigue_sucursales THEN m.id_sucursal_destino END,
            m.de_todo, NULL, NULL, x.habia, x.despues, m.referencia
        )::dw.circunstancia
    END,
    m.reclasificado, m.anterior, m.variacion_anterior, m.provisional_anterior, m.salto_anterior,
    m.ctid_kardex, m.fecha_documento, m.capa, m.reverso, m.impuesto, m.precio_con_impuesto
FROM (
    SELECT
        e.id_producto, e.fecha, e.id_movimiento, coalesce(e.id_sucursal, 0) AS id_sucursal, p.orden,
        e.tipo, etl.regla_de(e.reverso, p.regla, p.signo, t.inventariable) AS regla, round(e.cantidad, 6) AS cantidad,
        etl.precio_informado(p.precio, e.precio_unitario) AS precio_unitario,
        CASE WHEN p.costo <> 'no' OR e.reverso THEN round(e.costo_unitario, 6) END AS costo_unitario,
        e.importe, e.id_origen, e.id_sucursal_destino,
        -- A reversal has what the closed row has, whatever its type looks at today.
        CASE WHEN (p.regla = 'contar' OR e.reverso) AND e.id_sucursal IS NULL THEN true END AS de_todo,
        t.sigue_sucursales, false AS reclasificado, NULL::dw.estado AS anterior,
        NULL::numeric AS variacion_anterior, NULL::boolean AS provisional_anterior,
        NULL::numeric AS salto_anterior, NULL::tid AS ctid_kardex,
        coalesce(e.fecha_documento, e.fecha) AS fecha_documento, e.capa, e.reverso,
        CASE WHEN p.precio OR e.reverso THEN round(e.impuesto, 6) END AS impuesto,
        CASE WHEN p.precio OR e.reverso THEN e.precio_con_impuesto END AS precio_con_impuesto,
        -- Only for what may enter without a cost: any other row needs no circumstances for it.
        CASE
            WHEN t.referencia IS NULL THEN NULL
            WHEN e.costo_unitario IS NULL AND NOT e.reverso AND p.regla IN ('recibir', 'contar', 'devolver_venta')
                THEN t.referencia
        END AS referencia
    FROM etl.etapa AS e
    INNER JOIN etl.tramo AS t ON t.id_producto = e.id_producto
    INNER JOIN dw.tipo_movimiento AS p ON p.tipo = e.tipo
    WHERE t.cola = p_cola
    UNION ALL
    -- The inner OFFSET 0 keeps the planner from joining with a scan of the whole ledger, the outer
    -- one from looking through all of etl.baja again for each product.
    SELECT
        r.id_producto, r.fecha, r.id_movimiento, r.id_sucursal, r.orden, r.tipo,
        etl.regla_de(r.reverso, p.regla, p.signo, r.inventariable), r.cantidad, r.precio_unitario,
        CASE WHEN r.tipo <> 'VENTA' OR r.reverso THEN r.costo_unitario END, r.importe,
        r.id_origen, r.id_sucursal_destino, r.de_todo, r.sigue_sucursales, r.reclasificado,
        ROW(r.existencias, r.valor, r.costo_promedio, r.costo_total, r.ajuste)::dw.estado,
        r.variacion, r.provisional, r.salto_costo, r.ctid_kardex, r.fecha_documento, r.capa, r.reverso,
        r.impuesto, r.precio_con_impuesto,
        CASE
            WHEN r.referencia IS NULL THEN NULL
            WHEN r.costo_unitario IS NULL AND NOT r.reverso AND p.regla IN ('recibir', 'contar', 'devolver_venta')
                THEN r.referencia
        END
    FROM (
        SELECT t.categoria_anterior IS NOT NULL AS reclasificado, t.sigue_sucursales, t.inventariable, t.referencia, k.*
        FROM etl.tramo AS t
        CROSS JOIN LATERAL (
            SELECT f.*, f.ctid AS ctid_kardex FROM dw.kardex AS f
            WHERE f.id_producto = t.id_producto AND f.fecha >= t.desde
            OFFSET 0
        ) AS k
        WHERE p_cola AND t.cola
        OFFSET 0
    ) AS r
    INNER JOIN dw.tipo_movimiento AS p ON p.tipo = r.tipo
    WHERE NOT EXISTS (
        SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_movimiento AND b.capa = r.capa
    )
) AS m
LEFT JOIN etl.circunstancia AS x ON x.id_movimiento = m.id_movimiento AND x.capa = m.capa
$$;
COMMENT ON FUNCTION etl.tramos(boolean) IS
    'De los productos tocados, con cola o sin ella: su saldo previo, como movimiento de tipo SALDO, las altas y, con lo que dicen de su estado, las filas que siguen en el kardex';

CREATE OR REPLACE FUNCTION etl.precio_informado(p_precio boolean, precio numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN p_precio OR (precio > -1e11 AND precio < 1e11) THEN round(precio, 6)
END
$$;
COMMENT ON FUNCTION etl.precio_informado(boolean, numeric) IS
    'El precio que guarda el kardex: el de un tipo que lo necesita, o el de otro si es un número posible';

CREATE OR REPLACE FUNCTION etl.regla_de(reverso boolean, regla text, signo smallint, inventariable boolean)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN NOT reverso THEN CASE WHEN inventariable THEN regla ELSE 'ninguna' END
    WHEN signo = -1 THEN 'anular_salida'
    ELSE 'anular_entrada'
END
$$;
COMMENT ON FUNCTION etl.regla_de(boolean, text, smallint, boolean) IS
    'La regla con que se valoriza una fila: la de su tipo o, si no tiene existencias, ninguna; o la de su reverso';
