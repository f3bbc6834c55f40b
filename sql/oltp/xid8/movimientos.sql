-- movimientos.sql for ETL_CAPTURE=xid8, once captura_xid8.sql was run: ../movimientos.sql
-- says what each column must be. Only the versions differ:
--
--   version_1 ...    version_etl of each table that the row is made of: version_1 of the line,
--                    version_2 of the header, and so on
SELECT
    d.id_detalle AS id_movimiento,
    t.tipo,
    d.id_producto,
    t.id_sucursal,
    d.cantidad,
    d.precio_unitario,
    d.costo_unitario,
    t.fecha,
    t.anulada AS anulado,
    d.id_origen,
    t.id_sucursal_destino,
    d.importe,
    d.version_etl AS version_1,
    t.version_etl AS version_2
FROM public.detalle_transaccion AS d
INNER JOIN public.transacciones AS t ON t.id_transaccion = d.id_transaccion
