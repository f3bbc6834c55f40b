-- The touched products are valued, summed and carried to the ledger: what is done, in its order.

CREATE OR REPLACE FUNCTION etl.revaluar(
    p_numero bigint, p_opciones jsonb, p_corte date, p_todos boolean
) RETURNS jsonb
LANGUAGE plpgsql
AS $$
DECLARE
    v_factor numeric := (p_opciones ->> 'factor_salto')::numeric;
    v_productos bigint := etl.marcar_tramos();
    v_revaluadas bigint := 0;
    v_vacio boolean;
BEGIN
    IF v_productos > 0 THEN
        PERFORM etl.reunir_circunstancias();
        v_vacio := NOT EXISTS (SELECT FROM dw.kardex);
        -- First what leaves: a movement can come back under another product.
        IF EXISTS (SELECT FROM etl.tramo AS t WHERE t.cola) THEN
            PERFORM etl.repetir(p_numero, v_factor);
            v_revaluadas := etl.actualizar_kardex();
        END IF;
        IF EXISTS (SELECT FROM etl.tramo AS t WHERE NOT t.cola) THEN
            PERFORM etl.agregar_al_kardex(p_numero, v_factor);
        END IF;
        IF v_vacio THEN
            PERFORM etl.indexar_kardex();
        END IF;
        -- Read again, since rows that an INSERT hands on cost more than rows of a table.
        INSERT INTO etl.delta
        SELECT * FROM etl.sumar(p_opciones ->> 'zona', p_corte, v_vacio);
        PERFORM etl.sumar_movil();
        PERFORM etl.sumar_sucursales();
    END IF;
    PERFORM etl.marcar_por_probar(p_numero);
    -- Without a change too: the cut may have left a product without sales.
    PERFORM etl.actualizar_resumenes();
    PERFORM etl.actualizar_inventario(
        p_numero, p_corte, p_opciones ->> 'zona', p_todos
    );
    RETURN (
        SELECT jsonb_build_object(
            'productos_tocados', v_productos, 'revaluadas', v_revaluadas,
            'altas', coalesce(sum(t.altas), 0), 'ventas', coalesce(sum(t.ventas), 0),
            'entradas', coalesce(sum(t.entradas), 0),
            'existencias_cambiadas', count(*) FILTER (WHERE t.cambia_existencias),
            'referencias_cambiadas', count(*) FILTER (WHERE t.cambia_referencia)
        )
        FROM etl.tramo AS t
    );
END
$$;
COMMENT ON FUNCTION etl.revaluar(bigint, jsonb, date, boolean) IS
    'Repite los productos tocados, lleva las diferencias a kardex, resúmenes e inventario, y las cuenta; el corte es el día del hasta con que se cuentan 90 y 365 días';
