-- The branches.

CREATE TABLE IF NOT EXISTS dw.sucursal (
    id_sucursal bigint PRIMARY KEY,
    nombre      text NOT NULL
);
ALTER TABLE dw.sucursal ADD COLUMN IF NOT EXISTS clave text;
COMMENT ON COLUMN dw.sucursal.clave IS
    'El id que le da la tienda, si no es un número: id_sucursal son los primeros 60 bits de su md5';
COMMENT ON TABLE dw.sucursal IS 'Sucursales; la 0 es la de los documentos sin sucursal, con el nombre de la 0 del OLTP si la hay';
INSERT INTO dw.sucursal (id_sucursal, nombre) VALUES (0, 'Sin sucursal') ON CONFLICT DO NOTHING;
