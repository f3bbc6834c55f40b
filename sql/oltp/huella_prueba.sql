-- verify: fingerprints of movements that never were, made by the OLTP and by the OLAP: only where
-- both make the same, whatever their versions and processors, are hashes compared, else md5.
SELECT string_agg(({fingerprint})::text, ' ' ORDER BY c.id_movimiento)
FROM (
    VALUES
        (1::bigint, 'VENTA', 7::bigint, NULL::bigint, 2::numeric, 10.5::numeric, NULL::numeric,
            '2026-01-31 23:59:59.999999'::timestamp),
        (2, 'VENTA', 1152921504606846975, 3, 0.000001, 0, 4, '1999-12-31 00:00:00'),
        (3, 'ENTRADA_MERCANCIA', 7, 1, 99999999999.999999, -5, 0, '2026-02-28 12:00:00'),
        (4, 'ENTRADA_MERCANCIA', 7, 1, 12.3400, 5.00, 1234.5678, '2026-02-28 12:00:00'),
        (9223372036854775807, 'ENTRADA_MERCANCIA', -8, -1, 10000, NULL, 0.1, '2040-06-15 06:30:00.25')
) AS c (
    id_movimiento, tipo, id_producto, id_sucursal, cantidad, precio_unitario, costo_unitario, reloj
)
