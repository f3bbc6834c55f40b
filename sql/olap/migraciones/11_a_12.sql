-- Views that a refresh computed anew are plain ones over tables that the load keeps: what they need of the
-- ledger is in dw.inventario.

DO $$
DECLARE
    v_vistas text;
    v_permisos text;
    v_detalle text;
BEGIN
    SELECT
        string_agg(format('dw.%I', c.relname), ', '),
        string_agg(format('GRANT SELECT ON dw.%I TO %s;', c.relname, l.lectores), '')
            FILTER (WHERE l.lectores IS NOT NULL)
    INTO v_vistas, v_permisos
    FROM pg_class AS c
    CROSS JOIN LATERAL (
        SELECT string_agg(
            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, ', '
        ) AS lectores
        FROM aclexplode(c.relacl) AS a
        WHERE a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
    ) AS l
    WHERE c.relnamespace = to_regnamespace('dw') AND c.relkind = 'm' AND c.relname IN (
        'mv_abc', 'mv_datos_al', 'mv_inventario_valorizado', 'mv_margen_producto_mes', 'mv_precios',
        'mv_reposicion', 'mv_rotacion', 'mv_valor_diario', 'mv_ventas_diarias'
    );
    EXECUTE coalesce('DROP MATERIALIZED VIEW ' || v_vistas, '');
    -- finish/25_permisos.sql gives them again.
    PERFORM set_config('etl.permisos_de_antes', coalesce(v_permisos, ''), true);
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS v_detalle = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION USING
        ERRCODE = 'ETS01',
        MESSAGE = format('the upgrade makes views anew on which others stand (%s); nothing was changed',
                         replace(v_detalle, E'\n', '; ')),
        HINT = 'drop those, run init, and create them again';
END
$$;
DROP FUNCTION IF EXISTS
    etl.anotar_refresco(uuid), etl.conservar_refresco(etl.control, jsonb), etl.vistas_por_refrescar(),
    etl.actualizar_inventario(bigint, boolean), etl.revaluar(bigint, jsonb, date, boolean);
DROP VIEW IF EXISTS etl.v_vista;
DROP TABLE IF EXISTS etl.refresco;
ALTER TABLE dw.inventario
    ADD COLUMN IF NOT EXISTS ultima_venta timestamptz,
    ADD COLUMN IF NOT EXISTS ultimo_precio numeric(38, 6),
    ADD COLUMN IF NOT EXISTS ultimo_neto numeric(38, 6),
    ADD COLUMN IF NOT EXISTS valor_promedio numeric;
-- finish/20_inventario.sql fills them.
SELECT set_config('etl.inventario_de_nuevo', 'true', true);
