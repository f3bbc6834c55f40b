-- Views that a refresh computed anew are plain ones over tables that the load keeps: what they need of the
-- ledger is in dw.inventario.

DO $$
DECLARE
    v_vista record;
    v_permisos text := '';
    v_detalle text;
BEGIN
    FOR v_vista IN
        SELECT
            format('%I.%I', 'dw', c.relname) AS vista,
            (
                SELECT string_agg(
                    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, ', '
                )
                FROM aclexplode(c.relacl) AS a
                WHERE a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
            ) AS lectores
        FROM pg_class AS c
        WHERE c.relnamespace = to_regnamespace('dw') AND c.relkind = 'm' AND c.relname IN (
            'mv_abc', 'mv_datos_al', 'mv_inventario_valorizado', 'mv_margen_producto_mes', 'mv_precios',
            'mv_reposicion', 'mv_rotacion', 'mv_valor_diario', 'mv_ventas_diarias'
        )
    LOOP
        EXECUTE format('DROP MATERIALIZED VIEW %s', v_vista.vista);
        v_permisos := v_permisos
            || coalesce(format('GRANT SELECT ON %s TO %s;', v_vista.vista, v_vista.lectores), '');
    END LOOP;
    -- finish/25_permisos.sql gives them again.
    PERFORM set_config('etl.permisos_de_antes', v_permisos, true);
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS v_detalle = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION USING
        ERRCODE = 'ETS01',
        MESSAGE = format('the upgrade makes views anew on which others stand (%s); nothing was changed',
                         split_part(v_detalle, E'\n', 1)),
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
