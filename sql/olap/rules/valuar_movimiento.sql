-- A movement by the rule of its type, once all that it needs is known.
--
-- A return of 2 to the supplier, who credits 7.00 each for what had cost 5.00:
--   dw.valuar_movimiento(ROW(10,50,5,0,0,0,false,NULL,NULL,NULL,NULL)::dw.paso, 'devolver_compra', 2, 7, NULL, NULL, NULL, ROW(1,50,10,10,5)::dw.origen, 10, NULL)
--   → (8,40.000000,5.000000,14.000000,4.000000,-2,f,,,,)
-- A count that finds 8 of 10:
--   dw.valuar_movimiento(ROW(10,50,5,0,0,0,false,NULL,NULL,NULL,NULL)::dw.paso, 'contar', 8, NULL, NULL, NULL, NULL, NULL, 10, NULL)
--   → (8,40.000000,5,-10.000000,0.000000,-2,t,,,,)
-- A surplus of 3 of what has no cost yet, where the shop knows one of 4.00:
--   dw.valuar_movimiento(ROW(0,0,0,0,0,0,false,NULL,NULL,NULL,NULL)::dw.paso, 'recibir', 3, NULL, NULL, NULL, NULL, NULL, 0, 4)
--   → (3,12.000000,4,12.000000,0.000000,3,f,,,,)

CREATE OR REPLACE FUNCTION dw.valuar_movimiento(
    paso dw.paso, regla text, cantidad numeric, costo_unitario numeric, importe numeric,
    adicional numeric, en_su_entrada boolean, origen dw.origen, habia numeric, referencia numeric
) RETURNS dw.paso
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    e dw.estado := ROW(paso.existencias, paso.valor, paso.costo_promedio, NULL, NULL)::dw.estado;
    r dw.estado := e;
    v_variacion numeric := 0;
    v_signo numeric := 1;
    -- What the document or its origin says that it cost; null where only the average says it.
    v_costo numeric;
    v_acreditado numeric;
    v_al_promedio boolean := false;
BEGIN
    IF regla = 'ninguna' THEN
        v_costo := 0.000000;
    ELSIF regla = 'al_promedio' THEN
        v_variacion := -cantidad;
        v_signo := -1;
        r := dw.al_promedio(e, v_variacion);
        v_al_promedio := true;
    ELSIF regla IN ('recibir', 'contar') THEN
        v_variacion := cantidad - CASE regla WHEN 'contar' THEN habia ELSE 0 END;
        IF v_variacion = 0 THEN
            v_costo := 0.000000;
        ELSIF v_variacion > 0 AND (costo_unitario IS NOT NULL OR importe IS NOT NULL) THEN
            r := dw.recibir(e, v_variacion, costo_unitario, coalesce(adicional, 0), importe);
            v_costo := coalesce(importe, round(v_variacion * costo_unitario, 6)) + coalesce(adicional, 0);
        ELSIF v_variacion > 0 AND e.costo_promedio = 0 AND referencia IS NOT NULL THEN
            r := dw.recibir(e, v_variacion, referencia, 0, NULL);
            v_costo := round(v_variacion * referencia, 6);
        ELSE
            r := dw.al_promedio(e, v_variacion);
            v_al_promedio := true;
        END IF;
    ELSIF regla = 'devolver_venta' THEN
        v_variacion := cantidad;
        IF origen.cantidad IS NULL AND e.costo_promedio = 0 AND referencia IS NOT NULL THEN
            v_costo := round(cantidad * referencia, 6);
            r := dw.devolver_venta(e, cantidad, v_costo);
        ELSIF origen.cantidad IS NULL THEN
            r := dw.al_promedio(e, cantidad);
            v_al_promedio := true;
        ELSE
            v_costo := dw.costo_devuelto(
                cantidad, e.costo_promedio, origen.costo_total, origen.cantidad,
                origen.existencias, origen.costo_promedio
            );
            r := dw.devolver_venta(e, cantidad, v_costo);
            v_al_promedio := origen.existencias < 0;
        END IF;
    ELSIF regla = 'devolver_compra' THEN
        v_variacion := -cantidad;
        v_signo := -1;
        v_acreditado := CASE WHEN costo_unitario IS NOT NULL
            THEN coalesce(importe, round(cantidad * costo_unitario, 6)) END;
        v_costo := CASE WHEN origen.cantidad IS NULL THEN v_acreditado
            ELSE round(
                cantidad * greatest(origen.costo_total, 0) * 1.00000000000000000000 / origen.cantidad, 6
            ) END;
        v_al_promedio := (e.existencias > cantidad AND e.valor >= v_costo) IS NOT TRUE;
        r := CASE WHEN v_costo IS NULL THEN dw.al_promedio(e, v_variacion)
            ELSE dw.devolver_compra(e, cantidad, v_costo) END;
        -- The state knows what it had cost; the row, what is credited.
        v_costo := coalesce(v_acreditado, v_costo);
    ELSIF regla = 'sumar_costo' THEN
        v_costo := CASE WHEN en_su_entrada THEN 0.000000 ELSE round(cantidad * costo_unitario, 6) END;
        IF en_su_entrada IS NOT TRUE THEN
            r := dw.sumar_costo(e, v_costo);
        END IF;
    ELSIF regla IN ('anular_salida', 'anular_entrada') THEN
        -- `origen` is the row that is undone: its cost, in `existencias` what it is worth, and its
        -- quantity with the sign that it had.
        v_variacion := -origen.cantidad;
        v_signo := CASE regla WHEN 'anular_salida' THEN -1 ELSE 1 END;
        v_costo := -origen.costo_total;
        IF v_variacion > 0 THEN
            r := dw.devolver_venta(e, v_variacion, origen.existencias);
        ELSIF v_variacion < 0 THEN
            r := dw.devolver_compra(e, -v_variacion, origen.existencias);
        ELSIF origen.existencias <> 0 THEN
            r := dw.sumar_costo(e, -origen.existencias);
        END IF;
    ELSE
        RAISE EXCEPTION USING
            ERRCODE = 'ETS01',
            MESSAGE = format('there is no rule %s for a movement; nothing was written',
                             coalesce(quote_literal(regla), 'NULL')),
            HINT = 'give dw.valuar_movimiento a branch for it, and run init';
    END IF;

    -- Every row foots: what its cost does not explain is the adjustment.
    v_costo := coalesce(v_costo, v_signo * (r.valor - e.valor));
    RETURN ROW(
        r.existencias, r.valor, r.costo_promedio, v_costo, r.valor - e.valor - v_signo * v_costo,
        v_variacion, v_al_promedio, NULL, NULL, NULL, NULL
    )::dw.paso;
END
$$;
COMMENT ON FUNCTION dw.valuar_movimiento(dw.paso, text, numeric, numeric, numeric, numeric, boolean, dw.origen, numeric, numeric) IS
    'Un movimiento por la regla de su tipo: lo que deja, su costo_total, su ajuste y cuánto cambió las existencias; una regla que no conoce lo detiene';
