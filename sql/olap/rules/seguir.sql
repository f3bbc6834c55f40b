-- A movement with circumstances: what it needs of those before it is looked up in the state that the
-- pass carries, and what those after it will need is put there.
--
-- A sale of 4 of 10 that are worth 50.00, that a later return will name:
--   dw.seguir(ROW(10,50,5,0,0,0,false,NULL,NULL,NULL,NULL)::dw.paso, 'al_promedio', 4, NULL, ROW(NULL,NULL,NULL,7,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL)::dw.circunstancia)
--   → (6,30.000000,5,20.000000,0.000000,-4,t,5,"{""(7,20.000000,4,6,5)""}",,)

CREATE OR REPLACE FUNCTION dw.seguir(
    paso dw.paso, regla text, cantidad numeric, costo_unitario numeric, c dw.circunstancia
) RETURNS dw.paso
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    p dw.paso;
    v_origen dw.origen := c.origen;
    v_otro dw.origen;
    v_quedan dw.origen[];
    v_lugar integer;
    v_habia numeric;
BEGIN
    IF c.id_origen IS NOT NULL THEN
        FOREACH v_otro IN ARRAY coalesce(paso.origenes, '{}') LOOP
            IF v_otro.id_movimiento = c.id_origen THEN
                v_origen := v_otro;
            END IF;
            IF v_otro.id_movimiento <> c.id_origen OR NOT c.olvidar THEN
                v_quedan := v_quedan || v_otro;
            END IF;
        END LOOP;
        paso.origenes := v_quedan;
    END IF;
    IF c.id_sucursal IS NOT NULL THEN
        v_lugar := array_position(paso.sucursales, c.id_sucursal);
        IF v_lugar IS NULL THEN
            paso.sucursales := paso.sucursales || c.id_sucursal;
            paso.por_sucursal := paso.por_sucursal || 0.000000;
            v_lugar := cardinality(paso.sucursales);
        END IF;
        v_habia := CASE WHEN c.de_todo THEN paso.existencias ELSE paso.por_sucursal[v_lugar] END;
    END IF;

    p := dw.valuar_movimiento(
        paso, regla, cantidad, costo_unitario, c.importe, c.adicional, c.en_su_entrada, v_origen,
        -- A count of a closed period found what there was then.
        coalesce(v_habia, c.habia, paso.existencias) - coalesce(c.despues, 0),
        c.referencia
    );
    p.promedio_previo := paso.costo_promedio;
    p.origenes := paso.origenes;
    p.sucursales := paso.sucursales;
    p.por_sucursal := paso.por_sucursal;
    IF c.recordar IS NOT NULL THEN
        p.origenes := p.origenes || ROW(
            c.recordar, p.costo_total, cantidad, p.existencias, p.costo_promedio
        )::dw.origen;
    END IF;
    IF v_lugar IS NOT NULL THEN
        p.por_sucursal[v_lugar] := p.por_sucursal[v_lugar] + p.variacion
            - CASE WHEN c.id_destino IS NULL THEN 0 ELSE cantidad END;
    END IF;
    IF c.id_destino IS NOT NULL THEN
        v_lugar := array_position(p.sucursales, c.id_destino);
        IF v_lugar IS NULL THEN
            p.sucursales := p.sucursales || c.id_destino;
            p.por_sucursal := p.por_sucursal || cantidad;
        ELSE
            p.por_sucursal[v_lugar] := p.por_sucursal[v_lugar] + cantidad;
        END IF;
    END IF;
    RETURN p;
END
$$;
COMMENT ON FUNCTION dw.seguir(dw.paso, text, numeric, numeric, dw.circunstancia) IS
    'Un movimiento con sus circunstancias: su origen y lo que hay en su sucursal salen de la pasada, y lo que otros necesitarán queda en ella';
