-- verify's read of movimientos.sql: a fingerprint of each movement's content, made as the OLAP
-- makes it (etl.huella()), whether it is in scope there, and whether some version of it is so new
-- that it only comes with the next window.
-- Of what must wait in quarantine, by the rules of etl.motivo_rechazo, it is negative. Its
-- date is compared as it stands: in UTC, or as a wall clock where it has no zone.
SELECT
    c.id_movimiento,
    CASE
        WHEN NOT c.alcance THEN 0
        ELSE CASE WHEN c.motivo IS NULL THEN 1 ELSE -1 END * {fingerprint}
    END AS huella,
    c.alcance,
    c.pendiente
FROM (
    SELECT
        v.*,
        {clock} AS reloj,
        -- In the order of etl.motivo_rechazo, of which the first that holds is told.
        CASE
            WHEN NOT v.alcance THEN NULL
            -- What nearly every movement is, told by the fewest comparisons.
            WHEN v.conocido AND v.fecha <= {limit} AND v.cantidad >= 0.000001
                AND v.cantidad < 1e5 AND v.monto >= 0 AND v.monto < 1e5 THEN NULL
            WHEN NOT v.conocido THEN 'producto desconocido'
            WHEN v.fecha IS NULL THEN 'sin fecha'
            WHEN v.fecha > {limit} THEN 'fecha futura'
            WHEN v.cantidad IS NULL THEN 'sin cantidad'
            WHEN round(v.cantidad, 6) <= 0 THEN 'cantidad no positiva'
            WHEN NOT round(v.cantidad, 6) < 1e11 THEN 'cantidad fuera de rango'
            WHEN v.monto IS NULL THEN 'sin ' || v.nombre_monto
            WHEN v.monto < 0 THEN v.nombre_monto || ' negativo'
            WHEN NOT v.monto < 1e11 THEN v.nombre_monto || ' fuera de rango'
            WHEN NOT round(v.cantidad, 6) * v.monto < 1e12 THEN 'importe fuera de rango'
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
            {moment} AS fecha,
            p.id_producto IS NOT NULL AS conocido,
            CASE m.tipo::text WHEN 'VENTA' THEN 'precio' ELSE 'costo' END AS nombre_monto,
            round(
                CASE m.tipo::text WHEN 'VENTA' THEN m.precio_unitario ELSE m.costo_unitario END::numeric,
                6
            ) AS monto,
            coalesce(
                m.tipo::text IN ('VENTA', 'ENTRADA_MERCANCIA')
                AND m.anulado::boolean IS NOT TRUE
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
        -- Else each is worked out again for every expression that names it.
        OFFSET 0
    ) AS v
) AS c
