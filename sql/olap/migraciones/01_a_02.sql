-- The sales of the last days of a product are kept by product, not by day. A view of the shop's on one
-- of the five that go stops the upgrade, which then changes nothing.

DO $$
DECLARE
    v_detalle text;
BEGIN
    IF to_regclass('dw.resumen_producto') IS NULL THEN
        RETURN;
    END IF;
    DROP MATERIALIZED VIEW
        dw.mv_ventas_diarias, dw.mv_margen_producto_mes, dw.mv_reposicion, dw.mv_rotacion, dw.mv_abc;
    DROP FUNCTION dw.ventas_por_producto(date, date);
    DROP VIEW etl.v_tramo, etl.v_diferencia;
    DROP FUNCTION
        etl.revaluar(bigint, jsonb, boolean), etl.sumar_diferencias(text), etl.sumar_kardex(text),
        etl.diferencias_de_resumen(text), etl.recalcular_resumenes(text);
    DROP AGGREGATE dw.valuar(text, numeric, numeric, numeric);
    DROP FUNCTION dw.aplicar_movimiento(dw.estado, text, numeric, numeric, numeric);
    DROP TABLE dw.resumen_producto, etl.tramo, etl.repeticion, etl.delta;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS v_detalle = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION USING
        ERRCODE = 'ETS01',
        MESSAGE = format('the upgrade makes views anew on which others stand (%s); nothing was changed',
                         split_part(v_detalle, E'\n', 1)),
        HINT = 'drop those, run init, and create them again';
END
$$;

-- finish/10_resumenes.sql makes the sums of what is loaded.
SELECT set_config('etl.sumar_de_nuevo', 'true', true);
