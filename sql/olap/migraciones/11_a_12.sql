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

-- Two types were valued, and what tells them apart stood in the functions.
DROP VIEW IF EXISTS etl.v_diferencia, etl.v_baja_desconocida;
DROP FUNCTION IF EXISTS
    etl.libro_producto(bigint, date, date, text), etl.sumar(text, date, boolean), etl.diferencias_de_resumen(text, date),
    etl.valorizar(boolean, bigint, numeric), etl.tramos(boolean),
    etl.precio_informado(text, numeric),
    etl.motivo_rechazo(text, boolean, numeric, numeric, timestamptz, timestamptz);
DROP AGGREGATE IF EXISTS dw.valuar(text, numeric, numeric, numeric);
DROP FUNCTION IF EXISTS dw.aplicar_movimiento(dw.paso, text, numeric, numeric, numeric);
DROP TYPE IF EXISTS dw.paso;
-- Of these nothing is kept from load to load.
DROP TABLE IF EXISTS etl.etapa, etl.baja, etl.tramo, etl.repeticion, etl.delta;
ALTER TABLE etl.rechazo
    ADD COLUMN IF NOT EXISTS id_origen bigint,
    ADD COLUMN IF NOT EXISTS id_sucursal_destino bigint,
    ADD COLUMN IF NOT EXISTS importe numeric;
ALTER TABLE dw.kardex
    ADD COLUMN IF NOT EXISTS variacion numeric(38, 6),
    ADD COLUMN IF NOT EXISTS importe numeric(38, 6),
    ADD COLUMN IF NOT EXISTS id_origen bigint,
    ADD COLUMN IF NOT EXISTS id_sucursal_destino bigint,
    ADD COLUMN IF NOT EXISTS de_todo boolean,
    ALTER COLUMN costo_unitario DROP NOT NULL;
UPDATE dw.kardex AS k
SET variacion = CASE k.tipo WHEN 'VENTA' THEN -k.cantidad ELSE k.cantidad END
WHERE k.variacion IS NULL;
ALTER TABLE dw.kardex ALTER COLUMN variacion SET NOT NULL;
ALTER TABLE dw.resumen_diario
    ADD COLUMN IF NOT EXISTS devoluciones numeric(38, 6) NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS unidades_devueltas numeric(38, 6) NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS mermas numeric(38, 6) NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS unidades_merma numeric(38, 6) NOT NULL DEFAULT 0;
ALTER TABLE dw.resumen_mensual
    ADD COLUMN IF NOT EXISTS devoluciones numeric(38, 6) NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS unidades_devueltas numeric(38, 6) NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS mermas numeric(38, 6) NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS unidades_merma numeric(38, 6) NOT NULL DEFAULT 0;
-- What moved in each branch is summed from the ledger.
SELECT set_config('etl.sumar_de_nuevo', 'true', true);
-- Of the new types nothing was kept: what the shop has of them is read. (Before there was a list,
-- nothing was known of the queries either, and then everything is.)
DO $$
BEGIN
    IF to_regclass('etl.fuera_sin_lista') IS NOT NULL THEN
        UPDATE etl.control AS c
        SET horizonte = NULL
        WHERE EXISTS (
            SELECT FROM (
                SELECT f.tipo FROM etl.fuera_de_alcance AS f WHERE f.fuera = 'tipo'
                UNION ALL
                SELECT s.tipo FROM etl.fuera_sin_lista AS s WHERE s.fuera = 'tipo'
            ) AS u
            WHERE u.tipo IN (
                'AJUSTE_ENTRADA', 'AJUSTE_SALIDA', 'CONTEO', 'COSTO_ADICIONAL', 'DESCUENTO_VENTA',
                'DEVOLUCION_COMPRA', 'DEVOLUCION_VENTA', 'TRASLADO'
            )
        );
    END IF;
END
$$;
