-- What the dashboards' account, which asks this, may SELECT in dw and etl: each view that it is
-- promised, there or not, and every table, since the ledger itself is not for it.
-- The list of views is that of the grants to bi_lector in 22_roles.sql; a test compares them.
SELECT
    v.nombre AS relacion,
    true AS prometida,
    coalesce(
        has_schema_privilege(c.relnamespace, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
        false
    ) AS legible
FROM (
    VALUES
        ('dw.mv_ventas_diarias'),
        ('dw.mv_margen_producto_mes'),
        ('dw.mv_inventario_valorizado'),
        ('dw.mv_reposicion'),
        ('dw.mv_rotacion'),
        ('dw.mv_abc'),
        ('dw.mv_valor_diario'),
        ('dw.mv_precios'),
        ('dw.mv_datos_al'),
        ('dw.v_corridas'),
        ('dw.v_rechazos'),
        ('dw.v_kardex'),
        ('dw.v_saltos_costo')
) AS v (nombre)
LEFT JOIN (
    pg_class AS c INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
) ON n.nspname || '.' || c.relname = v.nombre
UNION ALL
SELECT
    n.nspname || '.' || c.relname,
    false,
    has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('dw', 'etl') AND c.relkind IN ('r', 'p', 'f')
ORDER BY 1
