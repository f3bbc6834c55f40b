-- init --example-oltp: tables that are not the example's, unless all of the example's are there already;
-- of the schemas in aparte nothing is said, as where the OLAP is in the same database
WITH columnas (tabla, columna) AS (
    VALUES
    ('productos', 'id_producto'), ('productos', 'codigo'), ('productos', 'nombre'),
    ('sucursales', 'id_sucursal'), ('sucursales', 'nombre'),
    ('transacciones', 'id_transaccion'), ('transacciones', 'tipo'), ('transacciones', 'anulada'),
    ('detalle_transaccion', 'id_detalle'), ('detalle_transaccion', 'id_transaccion'),
    ('detalle_transaccion', 'costo_unitario')
), del_ejemplo AS (
    SELECT e.tabla
    FROM columnas AS e
    LEFT JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = pg_catalog.to_regclass('public.' || e.tabla) AND a.attname = e.columna AND a.attnum > 0
    GROUP BY e.tabla
    HAVING count(*) = count(a.attname)
)
SELECT n.nspname || '.' || c.relname AS tabla
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f')
    AND n.nspname <> ALL (ARRAY['pg_catalog', 'information_schema'] || %(aparte)s::text[])
    AND n.nspname !~ '^pg_(toast|temp)'
    AND NOT (n.nspname = 'public' AND c.relname IN (SELECT d.tabla FROM del_ejemplo AS d))
    AND (SELECT count(*) FROM del_ejemplo AS d) < (SELECT count(DISTINCT e.tabla) FROM columnas AS e)
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
ORDER BY 1
