-- The branches.

CREATE TABLE IF NOT EXISTS dw.sucursal (
    id_sucursal bigint PRIMARY KEY,
    nombre      text NOT NULL
);
COMMENT ON TABLE dw.sucursal IS 'Sucursales; la 0 es la de los documentos sin sucursal, con el nombre de la 0 del OLTP si la hay';
INSERT INTO dw.sucursal (id_sucursal, nombre) VALUES (0, 'Sin sucursal') ON CONFLICT DO NOTHING;
