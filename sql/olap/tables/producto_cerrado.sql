-- What a product was in the closed periods: where its sums stand, and the tax that they were netted by.

CREATE TABLE IF NOT EXISTS etl.producto_cerrado (
    id_producto bigint NOT NULL,
    desde       timestamptz NOT NULL,
    hasta       timestamptz NOT NULL,
    categoria   text NOT NULL,
    impuesto    numeric NOT NULL,
    tasas       dw.tasa[],
    precio_con_impuesto boolean NOT NULL,
    inventariable boolean NOT NULL,
    PRIMARY KEY (id_producto, hasta)
);
CREATE INDEX IF NOT EXISTS producto_cerrado_sin_existencias
    ON etl.producto_cerrado (id_producto) WHERE NOT inventariable;
COMMENT ON TABLE etl.producto_cerrado IS
    'De cada producto, la categoría y el impuesto con que está sumado lo cerrado; una fila mientras no cambian';

CREATE OR REPLACE VIEW etl.v_producto_en_su_fecha AS
SELECT c.id_producto, c.desde, c.hasta, c.categoria, c.impuesto, c.tasas, c.precio_con_impuesto
FROM etl.producto_cerrado AS c
UNION ALL
SELECT
    p.id_producto, (SELECT etl.cerrado_hasta()), 'infinity', p.categoria, p.impuesto, p.tasas,
    p.precio_con_impuesto
FROM dw.producto AS p;
COMMENT ON VIEW etl.v_producto_en_su_fecha IS
    'Lo mismo con lo abierto, donde vale lo de hoy: lo asentado entre desde y hasta se suma así';

CREATE OR REPLACE VIEW etl.v_apertura AS
SELECT a.*
FROM dw.apertura AS a
WHERE NOT EXISTS (
    SELECT FROM etl.producto_cerrado AS c
    WHERE NOT c.inventariable AND c.id_producto = a.id_producto AND a.fecha >= c.desde AND a.fecha < c.hasta
) AND NOT EXISTS (
    SELECT FROM dw.producto AS p
    WHERE NOT p.inventariable AND p.id_producto = a.id_producto
        AND a.fecha >= (SELECT etl.cerrado_hasta())
);
COMMENT ON VIEW etl.v_apertura IS
    'Las aperturas que cuentan: no las de lo que no tiene existencias, o no las tenía cuando se cerró su período';

CREATE OR REPLACE FUNCTION etl.tasa_asentada(
    p_producto bigint, p_fecha timestamptz, p_movimiento bigint, p_capa smallint, p_reverso boolean, p_dia date,
    p_linea numeric, p_con_impuesto boolean
) RETURNS numeric
LANGUAGE sql STABLE
AS $$
SELECT etl.tasa_de_venta(p_linea, p_con_impuesto, v.precio_con_impuesto, v.impuesto, v.tasas, p_dia)
FROM (
    SELECT CASE WHEN p_reverso
        THEN (SELECT k.fecha FROM dw.kardex AS k WHERE k.id_movimiento = p_movimiento AND k.capa = p_capa - 1)
        ELSE p_fecha
    END AS fecha
) AS f
INNER JOIN etl.producto_cerrado AS v
    ON v.id_producto = p_producto AND f.fecha >= v.desde AND f.fecha < v.hasta
$$;
COMMENT ON FUNCTION etl.tasa_asentada(bigint, timestamptz, bigint, smallint, boolean, date, numeric, boolean) IS
    'Con qué tasa está neteada una fila cerrada o, si es un reverso, la que deshace';

CREATE OR REPLACE FUNCTION etl.cerrar_productos(p_desde timestamptz, p_hasta timestamptz) RETURNS void
LANGUAGE sql
AS $$
UPDATE etl.producto_cerrado AS c
SET hasta = p_hasta
FROM dw.producto AS p
WHERE p.id_producto = c.id_producto AND c.hasta = p_desde
    AND (c.categoria, c.impuesto, c.tasas, c.precio_con_impuesto, c.inventariable)
    IS NOT DISTINCT FROM (p.categoria, p.impuesto, p.tasas, p.precio_con_impuesto, p.inventariable);
INSERT INTO etl.producto_cerrado (
    id_producto, desde, hasta, categoria, impuesto, tasas, precio_con_impuesto, inventariable
)
SELECT
    p.id_producto, p_desde, p_hasta, p.categoria, p.impuesto, p.tasas, p.precio_con_impuesto, p.inventariable
FROM dw.producto AS p
WHERE NOT EXISTS (
    SELECT FROM etl.producto_cerrado AS c WHERE c.id_producto = p.id_producto AND c.hasta = p_hasta
)
$$;
COMMENT ON FUNCTION etl.cerrar_productos(timestamptz, timestamptz) IS
    'Deja en etl.producto_cerrado lo que los productos son en un período que se cierra';
