-- `import`, step 6: the till's next number is beyond every id that the files
-- brought. A sequence is never lowered: what it gave out may be on paper.
SELECT setval(s.secuencia, s.mayor)
FROM (
    SELECT
        pg_get_serial_sequence('public.productos', 'id_producto')::regclass AS secuencia,
        (SELECT max(id_producto) FROM public.productos) AS mayor
    UNION ALL
    SELECT
        pg_get_serial_sequence('public.sucursales', 'id_sucursal')::regclass,
        (SELECT max(id_sucursal) FROM public.sucursales)
    UNION ALL
    SELECT
        pg_get_serial_sequence('public.transacciones', 'id_transaccion')::regclass,
        (SELECT max(id_transaccion) FROM public.transacciones)
    UNION ALL
    SELECT
        pg_get_serial_sequence('public.detalle_transaccion', 'id_detalle')::regclass,
        (SELECT max(id_detalle) FROM public.detalle_transaccion)
) AS s
WHERE s.mayor > coalesce(pg_sequence_last_value(s.secuencia), 0)
