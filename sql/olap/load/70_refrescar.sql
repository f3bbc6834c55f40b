-- The materialized views that a shop adds to dw are refreshed; ours are plain ones, on tables that the
-- load's one transaction changes.

CREATE OR REPLACE VIEW etl.v_vista AS
SELECT
    c.oid AS vista,
    c.relname,
    c.relpages,
    format('%I.%I', s.nspname, c.relname) AS nombre,
    c.relispopulated AND u.hay AS concurrente,
    CASE
        WHEN NOT u.hay THEN 'no unique index on plain columns'
        WHEN NOT c.relispopulated THEN 'never populated'
    END AS razon
FROM pg_class AS c
INNER JOIN pg_namespace AS s ON s.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
            AND i.indpred IS NULL AND i.indexprs IS NULL
    ) AS hay
) AS u
WHERE c.relkind = 'm' AND s.nspname = 'dw';
COMMENT ON VIEW etl.v_vista IS
    'Vistas materializadas que la tienda puso en dw: si se pueden refrescar sin bloquear a quien lee';

CREATE OR REPLACE FUNCTION etl.vistas_por_refrescar()
RETURNS TABLE (
    vista oid, nombre text, concurrente boolean, razon text, turno bigint
)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
WITH RECURSIVE depende AS (
    -- Which view reads which, through any number of plain views.
    SELECT DISTINCT r.ev_class AS vista, d.refobjid AS lee
    FROM pg_rewrite AS r
    INNER JOIN pg_depend AS d
        ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
    INNER JOIN pg_class AS c ON c.oid = d.refobjid AND c.relkind IN ('m', 'v')
), nivel AS (
    SELECT c.oid AS vista, 0 AS nivel
    FROM pg_class AS c
    WHERE c.relkind IN ('m', 'v')
    UNION
    SELECT d.vista, n.nivel + 1
    FROM nivel AS n
    INNER JOIN depende AS d ON d.lee = n.vista
)
SELECT
    v.vista, v.nombre, v.concurrente, v.razon,
    dense_rank() OVER (ORDER BY m.nivel)
FROM etl.v_vista AS v
CROSS JOIN LATERAL (SELECT max(n.nivel) AS nivel FROM nivel AS n WHERE n.vista = v.vista) AS m
-- Two at a time: the longest must not begin when the others are done.
ORDER BY m.nivel, v.relpages DESC, v.relname
$$;
COMMENT ON FUNCTION etl.vistas_por_refrescar() IS
    'Las de etl.v_vista en el orden de sus dependencias; las de un mismo turno no dependen entre sí';
SELECT etl.conceder('EXECUTE', 'etl.vistas_por_refrescar()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.refrescar_vista(p_vista oid) RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET work_mem = '64MB'
-- Views that are renewed in a tenth of a second must not be compiled for half a second.
SET jit = off
-- A concurrent refresh takes statistics of all that it compares, for a join by key that needs few.
SET default_statistics_target = 10
-- Two views at a time are the two processes, and workers would need shared memory.
SET max_parallel_workers_per_gather = 0
SET max_parallel_maintenance_workers = 0
AS $$
DECLARE
    v_vista record;
BEGIN
    SELECT * INTO v_vista FROM etl.v_vista AS v WHERE v.vista = p_vista;
    IF NOT FOUND THEN
        RETURN 'gone';
    END IF;
    EXECUTE format(
        'REFRESH MATERIALIZED VIEW %s %s',
        CASE WHEN v_vista.concurrente THEN 'CONCURRENTLY' ELSE '' END, v_vista.nombre
    );
    RETURN v_vista.razon;
END
$$;
COMMENT ON FUNCTION etl.refrescar_vista(oid) IS
    'Refresca una vista; devuelve por qué no se pudo hacer sin bloquear, o nulo';
SELECT etl.conceder('EXECUTE', 'etl.refrescar_vista(oid)', 'etl_cargador');

CREATE OR REPLACE FUNCTION dw.refrescar_vistas_materializadas()
RETURNS TABLE (vista text, segundos numeric, aviso text, error text)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_vista record;
    v_inicio timestamptz;
BEGIN
    FOR v_vista IN SELECT * FROM etl.vistas_por_refrescar() LOOP
        vista := v_vista.nombre;
        v_inicio := clock_timestamp();
        aviso := NULL;
        error := NULL;
        BEGIN
            aviso := etl.refrescar_vista(v_vista.vista);
        EXCEPTION WHEN OTHERS THEN
            -- Reported, not raised: one bad view must not leave the others stale.
            error := SQLERRM;
        END;
        segundos := round(extract(epoch FROM clock_timestamp() - v_inicio)::numeric, 3);
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dw.refrescar_vistas_materializadas() IS
    'Refresca todas las vistas materializadas de dw; una fila por vista, con su error si falló. El pipeline lo hace vista por vista, cada una en su transacción';
SELECT etl.conceder('EXECUTE', 'dw.refrescar_vistas_materializadas()', 'etl_cargador');
