-- What was booked late: what came, was corrected or was taken back once its period was closed.

CREATE OR REPLACE FUNCTION etl.tasa_en_su_fecha(
    p_producto bigint, p_asentado timestamptz, p_documento timestamptz, p_linea numeric, p_con_impuesto boolean
) RETURNS numeric
LANGUAGE sql STABLE
-- For those who read the view below, and nothing of what this asks.
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT etl.tasa_de_venta(
    p_linea, p_con_impuesto, v.precio_con_impuesto, v.impuesto, v.tasas, (p_documento AT TIME ZONE c.zona)::date
)
FROM etl.v_producto_en_su_fecha AS v
CROSS JOIN etl.control AS c
WHERE v.id_producto = p_producto AND p_asentado >= v.desde AND p_asentado < v.hasta
$$;
COMMENT ON FUNCTION etl.tasa_en_su_fecha(bigint, timestamptz, timestamptz, numeric, boolean) IS
    'Con qué tasa está neteado lo asentado en una fecha, de un documento de otra: la de la línea, si la da';
SELECT etl.conceder('EXECUTE', 'etl.tasa_en_su_fecha(bigint, timestamptz, timestamptz, numeric, boolean)', 'bi_lector');

CREATE OR REPLACE VIEW dw.v_correcciones AS
SELECT
    e.asentado,
    e.id_movimiento,
    CASE
        WHEN e.capa_antes IS NULL THEN 'llegó tarde'
        WHEN e.capa_ahora IS NULL THEN 'retirado'
        ELSE 'corregido'
    END AS que,
    CASE WHEN e.capa_antes IS NOT NULL AND e.capa_ahora IS NOT NULL THEN concat_ws(
        ', ',
        CASE WHEN n.fecha_documento <> a.fecha_documento THEN 'fecha' END,
        CASE WHEN n.tipo <> a.tipo THEN 'tipo' END,
        CASE WHEN n.id_producto <> a.id_producto THEN 'producto' END,
        CASE WHEN (n.id_sucursal, n.id_sucursal_destino, n.de_todo)
            IS DISTINCT FROM (a.id_sucursal, a.id_sucursal_destino, a.de_todo) THEN 'sucursal' END,
        CASE WHEN n.cantidad <> a.cantidad THEN 'cantidad' END,
        CASE WHEN (n.importe, n.precio_unitario, n.costo_documento)
            IS DISTINCT FROM (a.importe, a.precio_unitario, a.costo_documento) THEN 'importe' END,
        CASE WHEN (n.impuesto, n.precio_con_impuesto)
            IS DISTINCT FROM (a.impuesto, a.precio_con_impuesto) THEN 'impuesto' END,
        CASE WHEN n.id_origen IS DISTINCT FROM a.id_origen THEN 'origen' END
    ) END AS cambio,
    e.id_producto,
    p.codigo,
    p.nombre,
    a.tipo AS tipo_antes,
    n.tipo AS tipo_ahora,
    a.fecha_documento AS fecha_antes,
    n.fecha_documento AS fecha_ahora,
    a.id_producto AS id_producto_antes,
    n.id_producto AS id_producto_ahora,
    a.cantidad AS cantidad_antes,
    n.cantidad AS cantidad_ahora,
    a.monto AS importe_antes,
    n.monto AS importe_ahora,
    e.existencias AS efecto_existencias,
    e.valor AS efecto_valor,
    e.venta_neta AS efecto_venta_neta,
    e.costo AS efecto_costo,
    e.venta_neta - e.costo + e.ajuste AS efecto_margen,
    coalesce(d.documento, d.clave) AS documento
FROM (
    SELECT
        k.id_movimiento, k.capa_antes, k.capa_ahora, k.asentado, k.id_producto,
        sum(k.variacion) AS existencias,
        sum(t.signo * k.costo_total + k.ajuste) AS valor,
        sum(k.ajuste) AS ajuste,
        coalesce(sum(-t.signo * k.costo_total) FILTER (WHERE t.ventas), 0) AS costo,
        coalesce(sum(
            CASE WHEN t.resta <> k.reverso THEN -1 ELSE 1 END * dw.venta_neta(
                CASE WHEN k.importe IS NULL THEN k.cantidad ELSE 1.000000 END,
                coalesce(k.importe, k.precio_unitario),
                etl.tasa_en_su_fecha(
                    k.id_producto, coalesce(r.fecha, k.asentado), k.fecha_documento, k.impuesto,
                    k.precio_con_impuesto
                )
            )
        ) FILTER (WHERE t.ventas), 0) AS venta_neta
    FROM (
        -- A correction is the reversal of what was booked, what is booked in its place, or both.
        SELECT
            f.*, f.fecha AS asentado,
            min(f.capa) FILTER (WHERE f.reverso) OVER w - 1 AS capa_antes,
            max(f.capa) FILTER (WHERE NOT f.reverso) OVER w AS capa_ahora
        FROM (
            SELECT
                g.*,
                -- What comes back after a further closing is no part of what took it out before.
                CASE
                    WHEN NOT g.reverso AND lag(g.reverso) OVER v
                        AND (lag(g.fecha) OVER v = g.fecha OR g.fecha_documento = g.fecha) THEN g.capa - 1
                    ELSE g.capa
                END AS correccion
            FROM (
                -- As the index for corrections says it, and apart: that they are few is not in the
                -- statistics of the ledger.
                SELECT * FROM dw.kardex AS h WHERE h.capa > 0 OR h.fecha_documento < h.fecha OFFSET 0
            ) AS g
            WINDOW v AS (PARTITION BY g.id_movimiento ORDER BY g.capa)
        ) AS f
        WINDOW w AS (PARTITION BY f.id_movimiento, f.correccion)
    ) AS k
    INNER JOIN etl.v_clase AS t
        ON t.tipo = k.tipo AND t.con_costo = (k.costo_unitario IS NOT NULL)
        AND t.inicial = (k.id_movimiento < -2305843009213693952)
    -- Of a reversal, where the row is booked that it undoes.
    LEFT JOIN LATERAL (
        SELECT o.fecha
        FROM dw.kardex AS o
        WHERE k.reverso AND o.id_movimiento = k.id_movimiento AND o.capa = k.capa - 1
        OFFSET 0
    ) AS r ON true
    GROUP BY k.id_movimiento, k.capa_antes, k.capa_ahora, k.asentado, k.id_producto
) AS e
INNER JOIN dw.producto AS p ON p.id_producto = e.id_producto
-- What it was, and what it is.
LEFT JOIN LATERAL (
    SELECT
        k.*, CASE WHEN k.tipo <> 'VENTA' THEN k.costo_unitario END AS costo_documento,
        coalesce(k.importe, round(k.cantidad * coalesce(k.precio_unitario, k.costo_unitario), 6)) AS monto
    FROM dw.kardex AS k
    WHERE k.id_movimiento = e.id_movimiento AND k.capa = e.capa_antes
    OFFSET 0
) AS a ON true
LEFT JOIN LATERAL (
    SELECT
        k.*, CASE WHEN k.tipo <> 'VENTA' THEN k.costo_unitario END AS costo_documento,
        coalesce(k.importe, round(k.cantidad * coalesce(k.precio_unitario, k.costo_unitario), 6)) AS monto
    FROM dw.kardex AS k
    WHERE k.id_movimiento = e.id_movimiento AND k.capa = e.capa_ahora
    OFFSET 0
) AS n ON true
LEFT JOIN dw.documento_movimiento AS d ON d.id_movimiento = e.id_movimiento;
COMMENT ON VIEW dw.v_correcciones IS
    'Lo que llegó, se corrigió o se retiró con su período cerrado: qué era, qué es, y qué cambia donde está asentado; si cambió de producto o pasó a lo abierto, una línea por cada producto y cada fecha de asiento';
COMMENT ON COLUMN dw.v_correcciones.asentado IS 'Dónde: el fin del último cierre o, de lo que pasó a lo abierto, su fecha';
COMMENT ON COLUMN dw.v_correcciones.que IS
    'llegó tarde, corregido o retirado (anulado, borrado, fuera de alcance o rechazado)';
COMMENT ON COLUMN dw.v_correcciones.cambio IS 'De lo corregido, qué ya no es lo mismo';
COMMENT ON COLUMN dw.v_correcciones.id_producto IS 'De cuyo kardex es la línea, como codigo, nombre y los efectos';
COMMENT ON COLUMN dw.v_correcciones.efecto_existencias IS
    'Cuánto cambian por los asientos de la línea, como valor, venta neta, costo y margen';
COMMENT ON COLUMN dw.v_correcciones.efecto_margen IS 'Venta neta - costo + ajuste';
SELECT etl.conceder('SELECT', 'dw.v_correcciones', 'bi_lector');
SELECT etl.conceder('EXECUTE', 'dw.venta_neta(numeric, numeric, numeric)', 'bi_lector');
