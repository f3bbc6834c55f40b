-- movimientos.sql as the OLAP understands it (etl.v_etapa, etl.motivo_rechazo): of each movement whether
-- it is in scope, what it must wait for in quarantine, and its amounts.
SELECT
    v.*,
    {clock} AS reloj,
    -- In the order of etl.motivo_rechazo, of which the first that holds is told.
    CASE
        WHEN NOT v.alcance THEN NULL
        -- What nearly every movement is, told by the fewest comparisons.
        WHEN v.conocido AND v.fecha <= {limit} AND v.entendida >= 0.000001
            AND v.entendida < 1e5 AND v.monto >= 0 AND v.monto < 1e5
            AND v.importe_entendido IS NULL AND NOT v.destino
            AND (v.impuesto IS NULL OR v.impuesto BETWEEN 0 AND 0.9) THEN NULL
        WHEN NOT v.conocido THEN 'producto desconocido'
        WHEN v.fecha IS NULL THEN 'sin fecha'
        WHEN v.fecha > {limit} THEN 'fecha futura'
        WHEN v.entendida IS NULL THEN 'sin cantidad'
        WHEN v.entendida < 0 AND v.cuanta = 'cero o positiva' THEN 'cantidad negativa'
        WHEN v.entendida <= 0 AND v.cuanta <> 'cero o positiva' THEN 'cantidad no positiva'
        WHEN NOT v.entendida < 1e11 THEN 'cantidad fuera de rango'
        WHEN v.destino AND v.id_sucursal_destino IS NULL THEN 'sin destino'
        WHEN v.destino AND v.id_sucursal_destino = coalesce(v.id_sucursal, 0)
            THEN 'destino igual al origen'
        WHEN v.monto IS NULL AND (v.precio OR v.costo LIKE 'debe%') THEN 'sin ' || v.nombre_monto
        WHEN v.monto < 0 AND (v.precio OR v.costo IN ('debe', 'puede'))
            THEN v.nombre_monto || ' negativo'
        WHEN NOT (v.monto > -1e11 AND v.monto < 1e11) THEN v.nombre_monto || ' fuera de rango'
        WHEN NOT (v.entendida * v.monto > -1e12 AND v.entendida * v.monto < 1e12)
            THEN 'importe fuera de rango'
        WHEN NOT (v.importe_entendido >= 0 AND v.importe_entendido < 1e12)
            THEN 'importe fuera de rango'
        WHEN v.precio AND round(v.impuesto, 6) < 0 THEN 'impuesto negativo'
        WHEN v.precio AND NOT round(v.impuesto, 6) < 1 THEN 'impuesto fuera de rango'
    END AS motivo
FROM (
    SELECT
        m.id_movimiento::bigint AS id_movimiento,
        m.tipo::text AS tipo,
        m.id_producto::bigint AS id_producto,
        m.id_sucursal::bigint AS id_sucursal,
        m.cantidad::numeric AS cantidad,
        m.precio_unitario::numeric AS precio_unitario,
        m.costo_unitario::numeric AS costo_unitario,
        m.anulado::boolean AS anulado,
        {moment} AS fecha,
        p.id_producto IS NOT NULL AS conocido,
        {importe}::numeric AS importe,
        {id_origen}::bigint AS id_origen,
        {id_sucursal_destino}::bigint AS id_sucursal_destino,
        {impuesto}::numeric AS impuesto,
        {precio_con_impuesto}::boolean AS precio_con_impuesto,
        -- What stands beside a movement.
        {id_documento}::bigint AS id_documento,
        {documento}::text AS documento,
        {clave}::text AS clave,
        {clave_documento}::text AS clave_documento,
        -- As etl.v_etapa understands it; costo is without its accent, which not every OLTP has.
        t.tipo AS entendido,
        t.regla, t.precio, t.costo, t.destino, t.tipo_origen IS NOT NULL AS con_origen,
        t.cantidad AS cuanta,
        CASE WHEN n.negativa THEN -n.cantidad ELSE n.cantidad END AS entendida,
        CASE
            WHEN NOT o.importe THEN NULL
            WHEN n.negativa THEN abs(round({importe}::numeric, 6))
            ELSE round({importe}::numeric, 6)
        END AS importe_entendido,
        CASE WHEN t.precio THEN 'precio' ELSE 'costo' END AS nombre_monto,
        CASE
            WHEN t.precio THEN round(m.precio_unitario::numeric, 6)
            WHEN t.costo <> 'no' THEN round(m.costo_unitario::numeric, 6)
        END AS monto,
        coalesce(
            t.tipo IS NOT NULL
            AND m.anulado::boolean IS NOT TRUE
            AND (
                n.cantidad = 0 AND t.cantidad = 'positiva'
                AND CASE WHEN o.importe THEN coalesce(round({importe}::numeric, 6), 0) ELSE 0 END = 0
            ) IS NOT TRUE
            AND (m.fecha IS NULL OR (
                {moment} >= {since} AND (a.fecha IS NULL OR {moment} >= a.fecha)
            )),
            false
        ) AS alcance,
        coalesce({pending}, false) AS pendiente
    FROM (
{query}
    ) AS m
    LEFT JOIN (
        SELECT DISTINCT q.id_producto::bigint AS id_producto
        FROM (
{catalogue}
        ) AS q
    ) AS p ON p.id_producto = m.id_producto::bigint
    LEFT JOIN unnest({products}::bigint[], ARRAY[{dates}]::{type}[]) AS a (id_producto, fecha)
        ON a.id_producto = m.id_producto::bigint
    LEFT JOIN jsonb_to_recordset({types}::jsonb) AS o (
        tipo text, cantidad text, tipo_si_negativa text, importe boolean
    ) ON o.tipo = m.tipo::text
    CROSS JOIN LATERAL (
        SELECT q.cantidad, q.cantidad < 0 AND o.tipo_si_negativa IS NOT NULL AS negativa
        FROM (
            SELECT CASE
                WHEN m.cantidad IS NULL AND o.cantidad = 'uno si falta' THEN 1.000000
                ELSE round(m.cantidad::numeric, 6)
            END AS cantidad
        ) AS q
    ) AS n
    LEFT JOIN jsonb_to_recordset({types}::jsonb) AS t (
        tipo text, regla text, cantidad text, precio boolean, costo text, destino boolean,
        tipo_origen text
    ) ON t.tipo = CASE WHEN n.negativa THEN o.tipo_si_negativa ELSE o.tipo END
    -- Else each is worked out again for every expression that names it.
    OFFSET 0
) AS v
