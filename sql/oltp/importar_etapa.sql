-- `import`, step 1: where the files are put before they are compared with the
-- tables. linea is the line of the CSV file; id is the file's own id.

CREATE TEMPORARY TABLE importar_productos (
    linea        bigint NOT NULL,
    id           bigint NOT NULL,
    codigo       text,
    nombre       text NOT NULL,
    categoria    text,
    precio_lista numeric
) ON COMMIT DROP;

CREATE TEMPORARY TABLE importar_movimientos (
    linea           bigint NOT NULL,
    id              bigint NOT NULL,
    tipo            text NOT NULL,
    id_producto     bigint NOT NULL,
    cantidad        numeric,
    precio_unitario numeric,
    costo_unitario  numeric,
    fecha           timestamptz NOT NULL,
    id_sucursal     bigint,
    anulada         boolean,
    id_origen       bigint,
    id_destino      bigint,
    importe         numeric
) ON COMMIT DROP;
