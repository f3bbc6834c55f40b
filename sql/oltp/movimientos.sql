-- The contract with the shop's own schema: every movement (document line), one
-- row each, whatever its type, date or state. A shop with other tables edits
-- this one file. It must be a single SELECT without ORDER BY, LIMIT or
-- DISTINCT, so that the reader's filter on row versions reaches the tables.
--
--   id_movimiento    bigint, unique: the line's own id. It and the other ids may be text or uuid,
--                    the same wherever a query names them
--   tipo             one of dw.tipo_movimiento: ENTRADA_MERCANCIA, AJUSTE_ENTRADA, COSTO_ADICIONAL,
--                    VENTA, AJUSTE_SALIDA, DEVOLUCION_COMPRA, TRASLADO, DESCUENTO_VENTA,
--                    DEVOLUCION_VENTA, CONTEO; anything else is out of scope, and listed
--   id_producto      bigint
--   id_sucursal      bigint, may be null
--   cantidad         numeric, > 0; of a count what is there, 0 included; of an added cost and a
--                    credit note 1 where it is null; negative: the other movement, such as a
--                    return for a sale; 0 of anything else that moves goods: out of scope, as if it
--                    were voided (so leave such a row in: it may have been more)
--   precio_unitario  numeric, of what is sold, brought back or credited
--   costo_unitario   numeric, of a receipt or an added cost; may be given for a surplus, a count
--                    and a return to the supplier
--   fecha            date, timestamp (read in ETL_TIMEZONE) or timestamptz
--   anulado          boolean
--   version_1 ...    xmin of each table that the row is made of: version_1 of the line,
--                    version_2 of the header, and so on
--
-- These may be left out, and are null then:
--
--   id_origen            bigint: the movement that this one returns, or whose cost it adds to
--   id_sucursal_destino  bigint: the branch that a transfer goes to, which needs it
--   importe              numeric: the line's amount, where a unit price or cost loses cents
--   impuesto             numeric: the tax rate of what is sold, 0.18 for 18 %; null: that of
--                        dw.politica_precio
--   precio_con_impuesto  boolean: whether the price includes it; null: as ETL_PRICES_INCLUDE_TAX
--                        says
--   id_documento         bigint: the header's id, by which a line that was deleted from a document
--                        is noticed when another line of it, or its header, changes
--   documento            text: what the shop calls that document; shown, and no part of the content
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
    d.xmin AS version_1,
    t.xmin AS version_2
FROM public.detalle_transaccion AS d
INNER JOIN public.transacciones AS t ON t.id_transaccion = d.id_transaccion
