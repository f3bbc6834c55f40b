-- What stands beside the ledger: of which document of the shop's a movement is a line.

CREATE TABLE IF NOT EXISTS dw.documento_movimiento (
    id_movimiento bigint PRIMARY KEY,
    id_documento  bigint,
    documento     text,
    clave         text,
    clave_documento text
);
CREATE INDEX IF NOT EXISTS documento_movimiento_documento ON dw.documento_movimiento (id_documento)
WHERE id_documento IS NOT NULL;
COMMENT ON TABLE dw.documento_movimiento IS
    'De cada movimiento, el documento de la tienda del que es renglón, como se leyó la última vez: no es parte de su contenido. Sin filas, si movimientos.sql no lo da y sus ids son números';
COMMENT ON COLUMN dw.documento_movimiento.clave IS
    'El id que le da la tienda, si no es un número: id_movimiento son los primeros 60 bits de su md5';
COMMENT ON COLUMN dw.documento_movimiento.id_documento IS 'La cabecera: por ella se sabe qué renglones ya no tiene';
COMMENT ON COLUMN dw.documento_movimiento.documento IS 'Como lo llaman en la tienda, por ejemplo F001-123';
