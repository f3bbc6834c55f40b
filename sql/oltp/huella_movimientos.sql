-- verify's read of movimientos.sql: a fingerprint of each movement's content, made of
-- the same text as etl.v_huella makes in the OLAP, whether it is in scope there, and
-- whether some version of it is so new that it only comes with the next window.
SELECT
    m.id_movimiento::bigint AS id_movimiento,
    ('x' || left(md5(concat_ws(
        '|', m.id_movimiento::bigint, coalesce(m.tipo::text, '-'),
        coalesce(m.id_producto::bigint::text, '-'), coalesce(m.id_sucursal::bigint, 0),
        coalesce(round(m.cantidad::numeric, 6)::text, '-'),
        coalesce(CASE
            WHEN m.tipo::text = 'VENTA'
                OR (m.precio_unitario::numeric > -1e11 AND m.precio_unitario::numeric < 1e11)
                THEN round(m.precio_unitario::numeric, 6)
        END::text, '-'),
        coalesce(
            CASE WHEN m.tipo::text <> 'VENTA' THEN round(m.costo_unitario::numeric, 6) END::text, '-'
        ),
        coalesce(
            to_char(m.fecha::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), '-'
        )
    )), 15))::bit(60)::bigint AS huella,
    m.tipo::text IN ('VENTA', 'ENTRADA_MERCANCIA')
    AND m.anulado::boolean IS NOT TRUE
    AND (m.fecha IS NULL OR (
        m.fecha::timestamptz >= {since}
        AND NOT EXISTS (
            SELECT FROM unnest({products}::bigint[], {dates}::timestamptz[]) AS a (id_producto, fecha)
            WHERE a.id_producto = m.id_producto AND m.fecha::timestamptz < a.fecha
        )
    )) AS alcance,
    {pending} AS pendiente
FROM (
{query}
) AS m
