-- The summaries that the views stand on, kept up to date by each load; and the stock of each branch.

CREATE TABLE IF NOT EXISTS dw.resumen_diario (
    dia                date NOT NULL,
    id_sucursal        bigint NOT NULL,
    categoria          text NOT NULL,
    movimientos        bigint NOT NULL,
    unidades_vendidas  numeric(38, 6) NOT NULL,
    venta_bruta        numeric(38, 6) NOT NULL,
    venta_neta         numeric(38, 6) NOT NULL,
    costo_ventas       numeric(38, 6) NOT NULL,
    ajuste             numeric(38, 6) NOT NULL,
    unidades_recibidas numeric(38, 6) NOT NULL,
    costo_recibido     numeric(38, 6) NOT NULL,
    devoluciones       numeric(38, 6) NOT NULL DEFAULT 0,
    unidades_devueltas numeric(38, 6) NOT NULL DEFAULT 0,
    mermas             numeric(38, 6) NOT NULL DEFAULT 0,
    unidades_merma     numeric(38, 6) NOT NULL DEFAULT 0,
    PRIMARY KEY (dia, id_sucursal, categoria)
)
-- For the same reason as the ledger: a window changes many sums, and no key.
WITH (fillfactor = 50);
COMMENT ON TABLE dw.resumen_diario IS
    'Sumas del kardex por día, sucursal y categoría: ventas netas de devoluciones y descuentos, compras de lo devuelto al proveedor';
COMMENT ON COLUMN dw.resumen_diario.devoluciones IS
    'Lo que devoluciones y descuentos restaron de la venta neta';
COMMENT ON COLUMN dw.resumen_diario.mermas IS
    'Costo de lo que se perdió o faltó, menos lo que se halló de más';

CREATE TABLE IF NOT EXISTS dw.resumen_mensual (
    mes                date NOT NULL,
    id_sucursal        bigint NOT NULL,
    id_producto        bigint NOT NULL,
    movimientos        bigint NOT NULL,
    unidades_vendidas  numeric(38, 6) NOT NULL,
    venta_bruta        numeric(38, 6) NOT NULL,
    venta_neta         numeric(38, 6) NOT NULL,
    costo_ventas       numeric(38, 6) NOT NULL,
    ajuste             numeric(38, 6) NOT NULL,
    unidades_recibidas numeric(38, 6) NOT NULL,
    costo_recibido     numeric(38, 6) NOT NULL,
    devoluciones       numeric(38, 6) NOT NULL DEFAULT 0,
    unidades_devueltas numeric(38, 6) NOT NULL DEFAULT 0,
    mermas             numeric(38, 6) NOT NULL DEFAULT 0,
    unidades_merma     numeric(38, 6) NOT NULL DEFAULT 0,
    PRIMARY KEY (mes, id_sucursal, id_producto)
)
WITH (fillfactor = 50);
COMMENT ON TABLE dw.resumen_mensual IS 'Sumas del kardex por mes, sucursal y producto';

CREATE TABLE IF NOT EXISTS dw.resumen_movil (
    id_producto      bigint PRIMARY KEY,
    unidades_90      numeric(38, 6) NOT NULL,
    unidades_365     numeric(38, 6) NOT NULL,
    venta_neta_365   numeric(38, 6) NOT NULL,
    costo_ventas_365 numeric(38, 6) NOT NULL
);
COMMENT ON TABLE dw.resumen_movil IS
    'Ventas de cada producto en los últimos 90 y 365 días, contados desde el día del último hasta; sin ventas no hay fila';

CREATE TABLE IF NOT EXISTS dw.resumen_sucursal (
    id_producto bigint NOT NULL,
    id_sucursal bigint NOT NULL,
    movimientos bigint NOT NULL,
    variacion   numeric(38, 6) NOT NULL,
    PRIMARY KEY (id_producto, id_sucursal)
);
COMMENT ON TABLE dw.resumen_sucursal IS
    'Lo que los movimientos han cambiado las existencias de cada producto en cada sucursal; un traslado cuenta en las dos';

CREATE OR REPLACE VIEW dw.existencias_sucursal AS
SELECT s.id_producto, s.id_sucursal, sum(s.existencias)::numeric(38, 6) AS existencias
FROM (
    SELECT r.id_producto, r.id_sucursal, r.variacion AS existencias FROM dw.resumen_sucursal AS r
    UNION ALL
    SELECT a.id_producto, a.id_sucursal, a.existencias
    FROM dw.apertura_sucursal AS a
    INNER JOIN etl.v_apertura AS v ON v.id_producto = a.id_producto
) AS s
WHERE NOT EXISTS (
    SELECT FROM dw.producto AS p
    INNER JOIN dw.inventario AS i ON i.id_producto = p.id_producto
    WHERE NOT p.inventariable AND p.id_producto = s.id_producto AND i.existencias = 0
)
GROUP BY s.id_producto, s.id_sucursal;
COMMENT ON VIEW dw.existencias_sucursal IS
    'Existencias de cada producto en cada sucursal en que se ha movido; su suma son las del producto';
SELECT etl.conceder('SELECT', 'dw.existencias_sucursal', 'bi_lector');
-- Whoever reads the view runs what it calls.
SELECT etl.conceder('EXECUTE', 'etl.cerrado_hasta()', 'bi_lector');
