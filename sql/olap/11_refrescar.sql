-- Refresh of the materialized views, ours and those that a shop adds to dw.

CREATE OR REPLACE FUNCTION etl.vistas_por_refrescar()
RETURNS TABLE (vista oid, nombre text, propia boolean, concurrente boolean, razon text)
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
    c.oid,
    format('%I.%I', s.nspname, c.relname),
    o.propia,
    c.relispopulated AND u.hay,
    CASE
        WHEN NOT u.hay THEN 'no unique index on plain columns'
        WHEN NOT c.relispopulated AND NOT o.propia THEN 'never populated'
    END
FROM pg_class AS c
INNER JOIN pg_namespace AS s ON s.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT
        max(n.nivel) AS nivel,
        c.relname IN (
            'mv_ventas_diarias', 'mv_margen_producto_mes', 'mv_inventario_valorizado',
            'mv_reposicion', 'mv_rotacion', 'mv_abc', 'mv_valor_diario', 'mv_precios', 'mv_datos_al'
        ) AS propia
    FROM nivel AS n
    WHERE n.vista = c.oid
) AS o
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
            AND i.indpred IS NULL AND i.indexprs IS NULL
    ) AS hay
) AS u
WHERE c.relkind = 'm' AND s.nspname = 'dw'
-- The one that says until when the data go comes last.
ORDER BY c.relname = 'mv_datos_al', o.nivel, c.relname
$$;
COMMENT ON FUNCTION etl.vistas_por_refrescar() IS
    'Vistas materializadas de dw en el orden de sus dependencias, y si se pueden refrescar sin bloquear a quien lee';

CREATE OR REPLACE FUNCTION etl.refrescar_vista(p_vista oid) RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_vista record;
BEGIN
    SELECT * INTO v_vista FROM etl.vistas_por_refrescar() AS v WHERE v.vista = p_vista;
    IF NOT FOUND THEN
        RETURN 'gone';
    END IF;
    PERFORM set_config('work_mem', '64MB', true);
    EXECUTE format(
        'REFRESH MATERIALIZED VIEW %s %s',
        CASE WHEN v_vista.concurrente THEN 'CONCURRENTLY' ELSE '' END, v_vista.nombre
    );
    RETURN v_vista.razon;
END
$$;
COMMENT ON FUNCTION etl.refrescar_vista(oid) IS
    'Refresca una vista; devuelve por qué no se pudo hacer sin bloquear, o nulo';

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

DO $$
DECLARE
    v_vista record;
BEGIN
    -- A view of ours that an upgrade made anew shows at once what is loaded.
    FOR v_vista IN
        SELECT v.nombre
        FROM etl.vistas_por_refrescar() AS v
        INNER JOIN pg_class AS c ON c.oid = v.vista
        CROSS JOIN etl.control AS t
        WHERE v.propia AND NOT c.relispopulated AND t.hasta IS NOT NULL
    LOOP
        EXECUTE format('REFRESH MATERIALIZED VIEW %s', v_vista.nombre);
    END LOOP;
END
$$;
