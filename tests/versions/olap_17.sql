-- The OLAP's objects as init made them when they were of version 17 (pg_dump --schema-only).
SET check_function_bodies = false;
CREATE SCHEMA dw;
COMMENT ON SCHEMA dw IS 'Inventario valorizado, resúmenes y vistas para los tableros';
CREATE SCHEMA etl;
COMMENT ON SCHEMA etl IS 'Control y tablas de trabajo de la carga';
CREATE TYPE dw.origen AS (
	id_movimiento bigint,
	costo_total numeric,
	cantidad numeric,
	existencias numeric,
	costo_promedio numeric
);
COMMENT ON TYPE dw.origen IS 'De una venta o una entrada ya valorizada, lo que necesita su devolución';
CREATE TYPE dw.circunstancia AS (
	importe numeric,
	adicional numeric,
	en_su_entrada boolean,
	recordar bigint,
	id_origen bigint,
	olvidar boolean,
	origen dw.origen,
	id_sucursal bigint,
	id_destino bigint,
	de_todo boolean,
	sucursales bigint[],
	por_sucursal numeric[],
	habia numeric,
	despues numeric,
	referencia numeric
);
COMMENT ON TYPE dw.circunstancia IS 'Lo que un movimiento necesita además de su cantidad y su costo: el importe de la línea, lo que se añade a su entrada o si está en ella, con qué número recordarlo, su origen (en esta pasada, o ya valorizado antes), sus sucursales de un conteo, lo que había en la suya y, de lo que entra sin costo, el de referencia; nula para casi todos';
CREATE TYPE dw.estado AS (
	existencias numeric,
	valor numeric,
	costo_promedio numeric,
	costo_total numeric,
	ajuste numeric
);
COMMENT ON TYPE dw.estado IS 'Estado de un producto tras un movimiento, con el costo y el ajuste de ese movimiento';
CREATE TYPE dw.paso AS (
	existencias numeric,
	valor numeric,
	costo_promedio numeric,
	costo_total numeric,
	ajuste numeric,
	variacion numeric,
	al_promedio boolean,
	promedio_previo numeric,
	origenes dw.origen[],
	sucursales bigint[],
	por_sucursal numeric[]
);
COMMENT ON TYPE dw.paso IS 'Un dw.estado con la cantidad con signo que lo cambió, si se valorizó al promedio, el promedio que había antes y lo que necesitan los movimientos que siguen: los orígenes que nombran y, si se cuenta por sucursal, lo que hay en cada una';
CREATE TYPE dw.tasa AS (
	desde date,
	impuesto numeric
);
COMMENT ON TYPE dw.tasa IS 'Una tasa de impuesto y el día desde el que vale';
CREATE FUNCTION dw.actualizar_costo_promedio(estado dw.estado, cantidad numeric, costo_unitario numeric) RETURNS dw.estado
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE
    WHEN (estado).existencias > 0 THEN ROW(
        (estado).existencias + cantidad,
        (estado).valor + round(cantidad * costo_unitario, 6),
        -- The factor makes the quotient carry enough decimals to be rounded only once.
        round(
            ((estado).valor + round(cantidad * costo_unitario, 6)) * 1.00000000000000000000
            / ((estado).existencias + cantidad),
            6
        ),
        round(cantidad * costo_unitario, 6),
        0.000000
    )::dw.estado
    ELSE ROW(
        (estado).existencias + cantidad,
        round(((estado).existencias + cantidad) * costo_unitario, 6),
        costo_unitario,
        round(cantidad * costo_unitario, 6),
        round(((estado).existencias + cantidad) * costo_unitario, 6)
        - (estado).valor
        - round(cantidad * costo_unitario, 6)
    )::dw.estado
END
$$;
COMMENT ON FUNCTION dw.actualizar_costo_promedio(estado dw.estado, cantidad numeric, costo_unitario numeric) IS 'Entrada de mercancía: promedia si hay existencias; si no, el costo empieza de nuevo y el ajuste corrige lo vendido antes de recibirse';
CREATE FUNCTION dw.actualizar_stock_venta(estado dw.estado, cantidad numeric) RETURNS dw.estado
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT ROW(
    (estado).existencias - cantidad,
    round(((estado).existencias - cantidad) * (estado).costo_promedio, 6),
    (estado).costo_promedio,
    (estado).valor - round(((estado).existencias - cantidad) * (estado).costo_promedio, 6),
    0.000000
)::dw.estado
$$;
COMMENT ON FUNCTION dw.actualizar_stock_venta(estado dw.estado, cantidad numeric) IS 'Venta: sale al costo promedio, que no cambia; con existencias 0 el valor queda en 0';
CREATE FUNCTION dw.al_promedio(estado dw.estado, cantidad numeric) RETURNS dw.estado
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT dw.actualizar_stock_venta(estado, -cantidad)
$$;
COMMENT ON FUNCTION dw.al_promedio(estado dw.estado, cantidad numeric) IS 'Entra (cantidad positiva) o sale (negativa) al costo promedio, que no cambia; costo_total es lo que sale';
CREATE FUNCTION dw.aplicar_movimiento(paso dw.paso, regla text, cantidad numeric, costo_unitario numeric, c dw.circunstancia) RETURNS dw.paso
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
BEGIN
    -- Nearly every movement is one of the first two. The rule is written into each expression by the
    -- planner, so that only its own arithmetic is paid.
    IF c IS NULL AND regla = 'al_promedio' THEN
        RETURN ROW((dw.actualizar_stock_venta(
            ROW(paso.existencias, paso.valor, paso.costo_promedio, NULL, NULL)::dw.estado, cantidad
        )).*, -cantidad, true, NULL, paso.origenes, paso.sucursales, paso.por_sucursal)::dw.paso;
    ELSIF c IS NULL AND regla = 'recibir' AND costo_unitario IS NOT NULL THEN
        RETURN ROW((dw.actualizar_costo_promedio(
            ROW(paso.existencias, paso.valor, paso.costo_promedio, NULL, NULL)::dw.estado,
            cantidad, costo_unitario
        )).*, cantidad, false, paso.costo_promedio, paso.origenes, paso.sucursales,
        paso.por_sucursal)::dw.paso;
    ELSIF regla = 'saldo' THEN
        RETURN ROW(cantidad, c.importe, costo_unitario, 0.000000, 0.000000, 0, false, NULL, NULL,
                   c.sucursales, c.por_sucursal)::dw.paso;
    END IF;
    RETURN dw.seguir(paso, regla, cantidad, costo_unitario, c);
END
$$;
COMMENT ON FUNCTION dw.aplicar_movimiento(paso dw.paso, regla text, cantidad numeric, costo_unitario numeric, c dw.circunstancia) IS 'Paso del agregado dw.valuar: la regla de cada tipo; saldo pone el estado desde el que se repite, y una regla que no conoce es un error';
CREATE FUNCTION dw.calcular_precio_sugerido(costo numeric, margen numeric, impuesto numeric, redondeo numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
-- div and mod are exact where a quotient would already be rounded.
SELECT CASE WHEN costo = 0 THEN NULL ELSE (
    div(costo * (1 + impuesto), (1 - margen) * redondeo)
    + CASE WHEN mod(costo * (1 + impuesto), (1 - margen) * redondeo) = 0 THEN 0 ELSE 1 END
) * redondeo END
$$;
COMMENT ON FUNCTION dw.calcular_precio_sugerido(costo numeric, margen numeric, impuesto numeric, redondeo numeric) IS 'Costo / (1 - margen) · (1 + impuesto), redondeado hacia arriba al paso; nulo si el costo es 0';
CREATE FUNCTION dw.concesiones(p_rol text) RETURNS TABLE(objeto text, permiso text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT c.objeto, c.permiso FROM etl.concesion AS c WHERE c.rol = p_rol
$$;
COMMENT ON FUNCTION dw.concesiones(p_rol text) IS 'Lo que init concedió a ese rol, para compararlo con lo que hay';
CREATE FUNCTION dw.costo_devuelto(cantidad numeric, costo_promedio numeric, costo_vendido numeric, cantidad_vendida numeric, existencias_tras_venta numeric, promedio_vendido numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT round(
    cantidad * (
        costo_vendido
        + least(cantidad_vendida, greatest(-existencias_tras_venta, 0))
        * (costo_promedio - promedio_vendido)
    ) * 1.00000000000000000000 / cantidad_vendida,
    6
)
$$;
COMMENT ON FUNCTION dw.costo_devuelto(cantidad numeric, costo_promedio numeric, costo_vendido numeric, cantidad_vendida numeric, existencias_tras_venta numeric, promedio_vendido numeric) IS 'Lo que vuelve con una devolución: de lo que había al venderse, lo que costó; de lo vendido antes de recibirse, el promedio de hoy';
CREATE FUNCTION dw.devolver_compra(estado dw.estado, cantidad numeric, costo numeric) RETURNS dw.estado
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE
    WHEN (estado).existencias > cantidad AND (estado).valor >= costo THEN ROW(
        (estado).existencias - cantidad,
        (estado).valor - costo,
        round(
            ((estado).valor - costo) * 1.00000000000000000000 / ((estado).existencias - cantidad), 6
        ),
        costo,
        0.000000
    )::dw.estado
    ELSE dw.actualizar_stock_venta(estado, cantidad)
END
$$;
COMMENT ON FUNCTION dw.devolver_compra(estado dw.estado, cantidad numeric, costo numeric) IS 'Devolución al proveedor: sale a lo que costó; si no quedan existencias o quedarían con valor negativo, al promedio';
CREATE FUNCTION dw.devolver_venta(estado dw.estado, cantidad numeric, costo numeric) RETURNS dw.estado
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE
    WHEN (estado).existencias + cantidad <= 0 THEN ROW(
        (estado).existencias + cantidad,
        round(((estado).existencias + cantidad) * (estado).costo_promedio, 6),
        (estado).costo_promedio,
        costo,
        round(((estado).existencias + cantidad) * (estado).costo_promedio, 6) - (estado).valor - costo
    )::dw.estado
    -- The average stays where the value is that of the average, whatever its quotient says.
    WHEN greatest((estado).valor + costo, 0)
        = round(((estado).existencias + cantidad) * (estado).costo_promedio, 6) THEN ROW(
        (estado).existencias + cantidad,
        greatest((estado).valor + costo, 0),
        (estado).costo_promedio,
        costo,
        greatest((estado).valor + costo, 0) - (estado).valor - costo
    )::dw.estado
    WHEN (estado).existencias >= 0 OR (estado).costo_promedio = round(
        greatest((estado).valor + costo, 0) * 1.00000000000000000000
        / ((estado).existencias + cantidad),
        6
    ) THEN ROW(
        (estado).existencias + cantidad,
        greatest((estado).valor + costo, 0),
        round(
            greatest((estado).valor + costo, 0) * 1.00000000000000000000
            / ((estado).existencias + cantidad),
            6
        ),
        costo,
        greatest((estado).valor + costo, 0) - (estado).valor - costo
    )::dw.estado
    ELSE ROW(
        (estado).existencias + cantidad,
        round(
            ((estado).existencias + cantidad)
            * round(greatest(costo, 0) * 1.00000000000000000000 / cantidad, 6),
            6
        ),
        round(greatest(costo, 0) * 1.00000000000000000000 / cantidad, 6),
        costo,
        round(
            ((estado).existencias + cantidad)
            * round(greatest(costo, 0) * 1.00000000000000000000 / cantidad, 6),
            6
        ) - (estado).valor - costo
    )::dw.estado
END
$$;
COMMENT ON FUNCTION dw.devolver_venta(estado dw.estado, cantidad numeric, costo numeric) IS 'Lo que devuelve un cliente entra a lo que costó al venderse; mientras falten unidades solo las cubre y el promedio no cambia';
CREATE FUNCTION dw.existencias_al(p_dia date) RETURNS TABLE(id_producto bigint, codigo text, nombre text, categoria text, existencias numeric, costo_promedio numeric, valor numeric)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT
    p.id_producto, p.codigo, p.nombre, p.categoria, coalesce(u.existencias, a.existencias),
    coalesce(u.costo_promedio, a.costo_promedio), coalesce(u.valor, round(a.existencias * a.costo_promedio, 6))
FROM (SELECT etl.inicio_del_dia(p_dia + 1, c.zona) AS fin FROM dw.v_corte AS c OFFSET 0) AS c
CROSS JOIN dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
LEFT JOIN etl.v_apertura AS a ON a.id_producto = i.id_producto AND a.fecha < c.fin
-- Each from its own ledger, by its key.
LEFT JOIN LATERAL (
    SELECT k.existencias, k.costo_promedio, k.valor
    FROM dw.kardex AS k
    WHERE k.id_producto = i.id_producto AND k.fecha < c.fin
    ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
    LIMIT 1
) AS u ON true
WHERE u.existencias IS NOT NULL OR a.id_producto IS NOT NULL
$$;
COMMENT ON FUNCTION dw.existencias_al(p_dia date) IS 'Existencias, costo promedio y valor de cada producto al final de ese día, en la zona de la tienda; lo de bajo cero resta';
CREATE FUNCTION dw.recibir(estado dw.estado, cantidad numeric, costo_unitario numeric, adicional numeric, importe numeric) RETURNS dw.estado
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE
    WHEN adicional = 0 AND importe IS NULL
        THEN dw.actualizar_costo_promedio(estado, cantidad, costo_unitario)
    WHEN (estado).existencias > 0 THEN dw.actualizar_costo_promedio(
        estado, cantidad,
        -- So many decimals that its product with the quantity is this amount again.
        greatest(coalesce(importe, round(cantidad * costo_unitario, 6)) + adicional, 0)
        * 1.00000000000000000000 / cantidad
    )
    WHEN (estado).existencias = 0 AND importe IS NOT NULL THEN ROW(
        cantidad,
        greatest(importe + adicional, 0),
        round(greatest(importe + adicional, 0) * 1.00000000000000000000 / cantidad, 6),
        greatest(importe + adicional, 0),
        -(estado).valor
    )::dw.estado
    ELSE dw.actualizar_costo_promedio(
        estado, cantidad,
        round(
            greatest(coalesce(importe, cantidad * costo_unitario) + adicional, 0)
            * 1.00000000000000000000 / cantidad,
            6
        )
    )
END
$$;
COMMENT ON FUNCTION dw.recibir(estado dw.estado, cantidad numeric, costo_unitario numeric, adicional numeric, importe numeric) IS 'Entrada a su costo o importe y lo que se le añade, nunca menos que nada: promedia si hay existencias; si no, el costo empieza de nuevo';
CREATE FUNCTION dw.refrescar_vistas_materializadas() RETURNS TABLE(vista text, segundos numeric, aviso text, error text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
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
COMMENT ON FUNCTION dw.refrescar_vistas_materializadas() IS 'Refresca todas las vistas materializadas de dw; una fila por vista, con su error si falló. El pipeline lo hace vista por vista, cada una en su transacción';
CREATE FUNCTION dw.seguir(paso dw.paso, regla text, cantidad numeric, costo_unitario numeric, c dw.circunstancia) RETURNS dw.paso
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
COMMENT ON FUNCTION dw.seguir(paso dw.paso, regla text, cantidad numeric, costo_unitario numeric, c dw.circunstancia) IS 'Un movimiento con sus circunstancias: su origen y lo que hay en su sucursal salen de la pasada, y lo que otros necesitarán queda en ella';
CREATE FUNCTION dw.sumar_costo(estado dw.estado, costo numeric) RETURNS dw.estado
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE
    WHEN (estado).existencias > 0 AND abs(costo) <= (estado).valor THEN ROW(
        (estado).existencias,
        (estado).valor + costo,
        round(((estado).valor + costo) * 1.00000000000000000000 / (estado).existencias, 6),
        costo,
        0.000000
    )::dw.estado
    ELSE ROW(
        (estado).existencias, (estado).valor, (estado).costo_promedio, costo, -costo
    )::dw.estado
END
$$;
COMMENT ON FUNCTION dw.sumar_costo(estado dw.estado, costo numeric) IS 'Un costo sin su entrada se suma al valor de lo que hay, si no lo duplica ni lo deja en menos que nada; si no, es gasto: ajuste';
CREATE FUNCTION dw.valuar_movimiento(paso dw.paso, regla text, cantidad numeric, costo_unitario numeric, importe numeric, adicional numeric, en_su_entrada boolean, origen dw.origen, habia numeric, referencia numeric) RETURNS dw.paso
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
COMMENT ON FUNCTION dw.valuar_movimiento(paso dw.paso, regla text, cantidad numeric, costo_unitario numeric, importe numeric, adicional numeric, en_su_entrada boolean, origen dw.origen, habia numeric, referencia numeric) IS 'Un movimiento por la regla de su tipo: lo que deja, su costo_total, su ajuste y cuánto cambió las existencias; una regla que no conoce lo detiene';
CREATE FUNCTION dw.venta_neta(cantidad numeric, precio_unitario numeric, impuesto numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE
    WHEN impuesto = 0 THEN round(cantidad * precio_unitario, 6)
    ELSE round(cantidad * precio_unitario * 1.00000000000000000000 / (1 + impuesto), 6)
END
$$;
COMMENT ON FUNCTION dw.venta_neta(cantidad numeric, precio_unitario numeric, impuesto numeric) IS 'Importe de una venta sin el impuesto que su precio incluye';
CREATE FUNCTION etl.abrir_historia(p_desde timestamp with time zone, p_zona text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_zona);
BEGIN
    IF v_control.hasta IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETS01',
            MESSAGE = 'there is no first run to go back from',
            HINT = 'set ETL_INITIAL_SINCE and run RunDue';
    ELSIF p_desde >= v_control.desde_inicial THEN
        RETURN 'ya_cargada';
    ELSIF etl.cerrado_hasta() > '-infinity' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('earlier history would change what is closed up to %s; nothing was changed',
                             (SELECT max(c.dia) FROM dw.cierre AS c)),
            HINT = 'open the closings again, the last one first: `python -m pipeline close --reopen`';
    END IF;
    PERFORM etl.vaciar_trabajo();
    RETURN 'cargar';
END
$$;
COMMENT ON FUNCTION etl.abrir_historia(p_desde timestamp with time zone, p_zona text) IS 'Bloquea el control para añadir historia: cargar, o ya_cargada si el alcance ya empieza ahí';
CREATE FUNCTION etl.abrir_ventana(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_version uuid, p_zona text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_zona);
BEGIN
    IF EXISTS (SELECT FROM etl.corrida AS c WHERE c.desde = p_desde AND c.hasta = p_hasta) THEN
        RETURN 'ya_cargada';
    ELSIF v_control.hasta <> p_desde THEN
        RETURN 'superada';
    ELSIF v_control.version <> p_version THEN
        RETURN 'releer';
    END IF;
    PERFORM etl.vaciar_trabajo();
    RETURN 'cargar';
END
$$;
COMMENT ON FUNCTION etl.abrir_ventana(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_version uuid, p_zona text) IS 'Bloquea el control y dice qué hacer con la ventana: cargar, ya_cargada, superada (otra corrida ganó) o releer (el extracto es de otra versión)';
CREATE FUNCTION etl.aceptar_ajustes() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
UPDATE etl.control AS c SET aceptar_ajustes = true
$$;
COMMENT ON FUNCTION etl.aceptar_ajustes() IS 'Deja que la carga de esta transacción asiente sus ajustes, valgan lo que valgan, y que esta base los asiente desde ella';
CREATE FUNCTION etl.aceptar_fuente(p_senal text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
UPDATE etl.control AS c SET aceptar_fuente = p_senal
$$;
COMMENT ON FUNCTION etl.aceptar_fuente(p_senal text) IS 'Deja pasar la carga de esta transacción, si es de ese OLTP, aunque quite o reemplace mucho del kardex';
CREATE TABLE etl.control (
    unico boolean DEFAULT true NOT NULL,
    esquema integer NOT NULL,
    version uuid DEFAULT gen_random_uuid() NOT NULL,
    corridas bigint DEFAULT 0 NOT NULL,
    desde_inicial timestamp with time zone,
    hasta timestamp with time zone,
    horizonte xid8,
    identidad jsonb,
    lsn pg_lsn,
    zona text,
    politica text,
    aceptar_fuente text,
    movimientos_oltp bigint,
    catalogo text,
    ajenas bigint DEFAULT 0 NOT NULL,
    consultas jsonb,
    ultimo_previsto bigint,
    revaluar boolean DEFAULT false NOT NULL,
    existencias text,
    existencias_enteras timestamp with time zone,
    ajusta text,
    aceptar_ajustes boolean DEFAULT false NOT NULL,
    borradas_buscadas timestamp with time zone,
    tienda text,
    CONSTRAINT control_unico_check CHECK (unico)
);
COMMENT ON TABLE etl.control IS 'Una sola fila: la verdad sobre lo cargado. Su bloqueo ordena las cargas entre sí';
COMMENT ON COLUMN etl.control.version IS 'Ficha aleatoria, nueva en cada carga; un extracto leído de otra versión no se carga';
COMMENT ON COLUMN etl.control.corridas IS 'Número de la última corrida; dw.kardex.version lo cita';
COMMENT ON COLUMN etl.control.desde_inicial IS 'Fecha inicial del alcance; se fija en la primera carga y no se desliza';
COMMENT ON COLUMN etl.control.hasta IS 'Fin de la última ventana cargada (last_run); nulo antes de la primera';
COMMENT ON COLUMN etl.control.horizonte IS 'Transacción más antigua aún abierta en el OLTP al leer; nulo obliga a leer todo';
COMMENT ON COLUMN etl.control.identidad IS 'Servidor, línea de tiempo, base y tablas de donde se leyó';
COMMENT ON COLUMN etl.control.zona IS 'Zona en que se cortan días y meses; fija desde la primera carga';
COMMENT ON COLUMN etl.control.politica IS 'Huella de la política de precios y del ajuste de impuesto con que se calculó lo cargado; nula si no todo con la misma';
COMMENT ON COLUMN etl.control.movimientos_oltp IS 'Cuántos movimientos tenía el OLTP en la última lectura, según su planificador';
COMMENT ON COLUMN etl.control.catalogo IS 'Huella de los productos que dio productos.sql en la última ventana; si la de hoy es otra, o esta es nula, el catálogo se lee entero';
COMMENT ON COLUMN etl.control.ajenas IS 'Filas que llegaron con el número de otro documento en las últimas ventanas, mientras fueron la mayoría de cada una';
COMMENT ON COLUMN etl.control.consultas IS 'Huella de las consultas de la tienda y de las vistas que leen; si cambia, se lee todo';
COMMENT ON COLUMN etl.control.ultimo_previsto IS 'El mayor número de movimiento de la última lectura completa, o de cuando se dio la última apertura: hasta él, lo que una fecha deja fuera ya estaba allí';
COMMENT ON COLUMN etl.control.revaluar IS 'Se editó una regla de dw.tipo_movimiento: la carga siguiente valoriza y suma todo de nuevo, como rebuild';
COMMENT ON COLUMN etl.control.existencias IS 'Huella de existencias.sql, si la tienda la tiene; si cambia, se lee entera';
COMMENT ON COLUMN etl.control.existencias_enteras IS 'Fin de la última ventana que la leyó entera';
COMMENT ON COLUMN etl.control.ajusta IS 'Qué base aceptó asentar ajustes: su servidor, línea de tiempo y número; en otra, o nula, la próxima que los asiente pregunta';
COMMENT ON COLUMN etl.control.aceptar_ajustes IS 'La carga de esta transacción asienta sus ajustes sin preguntar; confirmado, es siempre falso';
COMMENT ON COLUMN etl.control.borradas_buscadas IS 'Fin de la última ventana que buscó lo que el OLTP ya no tiene, o que lo leyó todo';
COMMENT ON COLUMN etl.control.tienda IS 'De qué tienda es, donde son muchas: la primera que corrió con este OLAP; otra no carga en él';
CREATE FUNCTION etl.aconsejar_salidas(p_control etl.control, p_extracto jsonb, p_quitadas bigint, p_reemplazadas bigint, p_ajenas bigint, p_anuladas bigint, p_corregidas bigint) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_mitad numeric := (p_quitadas + p_reemplazadas + p_anuladas + p_corregidas) / 2.0;
    v_renumeradas bigint := etl.contar_renumeradas();
BEGIN
    IF etl.es_otra_base(p_control.identidad, p_extracto -> 'identidad') THEN
        NULL;
    ELSIF p_anuladas + p_corregidas > v_mitad THEN
        RETURN 'were so many voided or corrected, or does movimientos.sql take from the catalogue (a flag read as anulado, a cost) what belongs to the line? correct that';
    ELSIF v_renumeradas >= v_mitad THEN
        RETURN format(
            '%s of those removed come again with other ids: does movimientos.sql make ids in another way? if it should not, correct it',
            v_renumeradas);
    ELSIF p_reemplazadas - p_ajenas > v_mitad THEN
        RETURN format(
            '%s of those replaced keep their date, or all but their date: were they corrected, were products merged or dw.tipo_movimiento edited, or do ids begin anew? put them right, or make ids unique in movimientos.sql (year * 1000000000000 + id)',
            p_reemplazadas - p_ajenas);
    -- Where nothing is left of before, and nobody edited a query, it may be the tables of a new year.
    ELSIF p_reemplazadas = 0 AND (
        NOT (p_extracto ->> 'imagen_completa')::boolean
        OR p_control.consultas IS DISTINCT FROM p_extracto -> 'consultas'
        OR EXISTS (SELECT FROM etl.baja AS b WHERE b.igual)
    ) THEN
        RETURN 'were they deleted or archived, or does an edited query or dw.tipo_movimiento leave them out? put them back, or correct that';
    END IF;
    RETURN 'is it another database, such as a test''s, or do ids begin anew? correct OLTP_DB_*; or, after TRUNCATE ... RESTART IDENTITY or with a new year''s tables, make ids unique in movimientos.sql (year * 1000000000000 + id)';
END
$$;
COMMENT ON FUNCTION etl.aconsejar_salidas(p_control etl.control, p_extracto jsonb, p_quitadas bigint, p_reemplazadas bigint, p_ajenas bigint, p_anuladas bigint, p_corregidas bigint) IS 'De lo que detiene etl.revisar_salidas(), la causa más probable y su remedio';
CREATE FUNCTION etl.actualizar_inventario(p_numero bigint, p_corte date, p_zona text, p_todos boolean) RETURNS void
    LANGUAGE sql
    AS $$
INSERT INTO dw.inventario AS i (
    id_producto, existencias, valor, costo_promedio, precio_sugerido, version,
    ultima_venta, ultimo_precio, ultimo_neto, valor_promedio, primera
)
SELECT
    t.id_producto,
    coalesce(u.existencias, a.existencias, 0),
    coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0),
    coalesce(u.costo_promedio, a.costo_promedio, 0),
    dw.calcular_precio_sugerido(
        CASE WHEN p.inventariable THEN coalesce(u.costo_promedio, a.costo_promedio, 0) ELSE 0 END,
        v.margen, v.impuesto, v.redondeo
    ),
    p_numero, w.fecha,
    -- A suggested price has its tax within; a price that the shop types without it gets it.
    round(
        w.precio_unitario * CASE WHEN coalesce(w.precio_con_impuesto, p.precio_con_impuesto) THEN 1
            ELSE 1 + coalesce(w.impuesto, v.impuesto) END,
        6
    ),
    dw.venta_neta(1, w.precio_unitario, etl.tasa_de_venta(
        w.impuesto, w.precio_con_impuesto, p.precio_con_impuesto, p.impuesto, p.tasas,
        (w.fecha_documento AT TIME ZONE p_zona)::date
    )),
    m.valor_promedio,
    (SELECT min(k.fecha) FROM dw.kardex AS k WHERE k.id_producto = t.id_producto)
FROM (
    SELECT s.id_producto FROM etl.tramo AS s
    UNION
    SELECT n.id_producto FROM dw.inventario AS n WHERE p_todos
) AS t
INNER JOIN dw.producto AS p ON p.id_producto = t.id_producto
INNER JOIN etl.politica_al(p_corte) AS v ON v.id_producto = t.id_producto
CROSS JOIN etl.fines_de_mes(p_corte, p_zona) AS f (fines)
CROSS JOIN LATERAL etl.valor_promedio(t.id_producto, f.fines) AS m
LEFT JOIN etl.v_apertura AS a ON a.id_producto = t.id_producto
-- Each from the end of the product's ledger, by its key: the cost does not follow the history.
LEFT JOIN LATERAL (
    SELECT k.existencias, k.valor, k.costo_promedio
    FROM dw.kardex AS k
    WHERE k.id_producto = t.id_producto
    ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
    LIMIT 1
) AS u ON true
LEFT JOIN LATERAL etl.ultima_venta(t.id_producto) AS w ON true
ON CONFLICT (id_producto) DO UPDATE SET
    existencias = excluded.existencias, valor = excluded.valor,
    costo_promedio = excluded.costo_promedio, precio_sugerido = excluded.precio_sugerido,
    version = excluded.version, ultima_venta = excluded.ultima_venta,
    ultimo_precio = excluded.ultimo_precio, ultimo_neto = excluded.ultimo_neto,
    valor_promedio = excluded.valor_promedio, primera = excluded.primera
WHERE (
    i.existencias, i.valor, i.costo_promedio, i.precio_sugerido, i.ultima_venta, i.ultimo_precio,
    i.ultimo_neto, i.valor_promedio, i.primera
) IS DISTINCT FROM (
    excluded.existencias, excluded.valor, excluded.costo_promedio, excluded.precio_sugerido,
    excluded.ultima_venta, excluded.ultimo_precio, excluded.ultimo_neto, excluded.valor_promedio,
    excluded.primera
)
$$;
COMMENT ON FUNCTION etl.actualizar_inventario(p_numero bigint, p_corte date, p_zona text, p_todos boolean) IS 'Lo que se sabe de cada producto tocado al final de su kardex, con su precio sugerido; de todos, si cambió la política de precios o con qué fines de mes se promedia';
CREATE FUNCTION etl.actualizar_kardex() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_revaluadas bigint;
    v_baja record;
BEGIN
    -- One by one, since of a join with the ledger there is a plan that reads all of it, and another
    -- that reads all of it for each.
    FOR v_baja IN
        SELECT b.id_producto, b.fecha, b.fecha_documento, b.orden, b.id_movimiento, b.capa FROM etl.baja AS b
    LOOP
        DELETE FROM dw.kardex AS k
        WHERE k.id_producto = v_baja.id_producto AND k.fecha = v_baja.fecha
            AND k.fecha_documento = v_baja.fecha_documento AND k.orden = v_baja.orden
            AND k.id_movimiento = v_baja.id_movimiento AND k.capa = v_baja.capa;
    END LOOP;
    -- None of ours moves the ledger's rows while this transaction has read them: loads wait for each
    -- other, and VACUUM FULL for this one. Those that were deleted above were not repeated.
    UPDATE dw.kardex AS k
    SET version = r.version,
        provisional = r.provisional,
        costo_unitario = r.costo_unitario, costo_total = r.costo_total, ajuste = r.ajuste,
        existencias = r.existencias, valor = r.valor, costo_promedio = r.costo_promedio,
        salto_costo = r.salto_costo, variacion = r.variacion
    FROM etl.repeticion AS r
    WHERE NOT r.es_alta AND r.difiere
        AND k.ctid = r.ctid_kardex
        AND k.id_producto = r.id_producto
        -- The places that are read, whatever the join: neither the whole ledger, nor the rows of a
        -- product for each one that is sought.
        AND k.ctid = ANY (ARRAY(
            SELECT s.ctid_kardex FROM etl.repeticion AS s WHERE NOT s.es_alta AND s.difiere
        ));
    GET DIAGNOSTICS v_revaluadas = ROW_COUNT;
    IF v_revaluadas <> (SELECT count(*) FROM etl.repeticion AS r WHERE NOT r.es_alta AND r.difiere) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'serialization_failure',
            MESSAGE = 'somebody else changed rows of dw.kardex while they were valued; nothing was written';
    END IF;
    INSERT INTO dw.kardex
    SELECT
        r.id_producto, r.fecha, r.id_movimiento, r.id_sucursal, r.version, r.orden, r.provisional,
        r.tipo, r.cantidad, r.precio_unitario, r.costo_unitario, r.costo_total, r.ajuste,
        r.existencias, r.valor, r.costo_promedio, r.salto_costo, r.variacion, r.importe,
        r.id_origen, r.id_sucursal_destino, r.de_todo, r.fecha_documento, r.capa, r.reverso, r.impuesto,
        r.precio_con_impuesto
    FROM etl.repeticion AS r
    WHERE r.es_alta;
    RETURN v_revaluadas;
END
$$;
COMMENT ON FUNCTION etl.actualizar_kardex() IS 'Lleva bajas, cambios de valor y altas de los productos con cola al kardex; devuelve cuántas filas anteriores cambiaron de valor';
CREATE FUNCTION etl.actualizar_resumenes() RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_franja smallint;
    v_vacia record;
BEGIN
    -- A key without movements is no row, so that the summaries never depend on history. What the
    -- writing itself leaves at none goes by its key, one by one: a join with the summary has a plan
    -- that visits all of it for each key, and statistics that make the planner take it.
    FOR v_vacia IN
        WITH sumada AS (
            INSERT INTO dw.resumen_diario AS r
            SELECT
                d.dia, d.id_sucursal, d.categoria, sum(d.movimientos), sum(d.unidades_vendidas),
                sum(d.venta_bruta), sum(d.venta_neta), sum(d.costo_ventas), sum(d.ajuste),
                sum(d.unidades_recibidas), sum(d.costo_recibido), sum(d.devoluciones),
                sum(d.unidades_devueltas), sum(d.mermas), sum(d.unidades_merma)
            FROM etl.delta AS d
            WHERE d.nivel = 1
            GROUP BY d.dia, d.id_sucursal, d.categoria
            ON CONFLICT (dia, id_sucursal, categoria) DO UPDATE SET
                movimientos = r.movimientos + excluded.movimientos,
                unidades_vendidas = r.unidades_vendidas + excluded.unidades_vendidas,
                venta_bruta = r.venta_bruta + excluded.venta_bruta,
                venta_neta = r.venta_neta + excluded.venta_neta,
                costo_ventas = r.costo_ventas + excluded.costo_ventas,
                ajuste = r.ajuste + excluded.ajuste,
                unidades_recibidas = r.unidades_recibidas + excluded.unidades_recibidas,
                costo_recibido = r.costo_recibido + excluded.costo_recibido,
                devoluciones = r.devoluciones + excluded.devoluciones,
                unidades_devueltas = r.unidades_devueltas + excluded.unidades_devueltas,
                mermas = r.mermas + excluded.mermas,
                unidades_merma = r.unidades_merma + excluded.unidades_merma
            RETURNING r.dia, r.id_sucursal, r.categoria, r.movimientos
        )
        SELECT s.* FROM sumada AS s WHERE s.movimientos = 0
    LOOP
        DELETE FROM dw.resumen_diario AS r
        WHERE r.dia = v_vacia.dia AND r.id_sucursal = v_vacia.id_sucursal
            AND r.categoria = v_vacia.categoria;
    END LOOP;
    -- Within a franja each month of a product comes once, and most months are in one alone: to add
    -- up all three first takes half as long again.
    FOR v_franja IN SELECT DISTINCT d.franja FROM etl.delta AS d WHERE d.nivel = 2 LOOP
        FOR v_vacia IN
            WITH sumada AS (
                INSERT INTO dw.resumen_mensual AS r
                SELECT
                    d.mes, d.id_sucursal, d.id_producto, d.movimientos, d.unidades_vendidas,
                    d.venta_bruta, d.venta_neta, d.costo_ventas, d.ajuste, d.unidades_recibidas,
                    d.costo_recibido, d.devoluciones, d.unidades_devueltas, d.mermas, d.unidades_merma
                FROM etl.delta AS d
                WHERE d.nivel = 2 AND d.franja IS NOT DISTINCT FROM v_franja
                ON CONFLICT (mes, id_sucursal, id_producto) DO UPDATE SET
                    movimientos = r.movimientos + excluded.movimientos,
                    unidades_vendidas = r.unidades_vendidas + excluded.unidades_vendidas,
                    venta_bruta = r.venta_bruta + excluded.venta_bruta,
                    venta_neta = r.venta_neta + excluded.venta_neta,
                    costo_ventas = r.costo_ventas + excluded.costo_ventas,
                    ajuste = r.ajuste + excluded.ajuste,
                    unidades_recibidas = r.unidades_recibidas + excluded.unidades_recibidas,
                    costo_recibido = r.costo_recibido + excluded.costo_recibido,
                    devoluciones = r.devoluciones + excluded.devoluciones,
                    unidades_devueltas = r.unidades_devueltas + excluded.unidades_devueltas,
                    mermas = r.mermas + excluded.mermas,
                    unidades_merma = r.unidades_merma + excluded.unidades_merma
                RETURNING r.mes, r.id_sucursal, r.id_producto, r.movimientos
            )
            SELECT s.* FROM sumada AS s WHERE s.movimientos = 0
        LOOP
            DELETE FROM dw.resumen_mensual AS r
            WHERE r.mes = v_vacia.mes AND r.id_sucursal = v_vacia.id_sucursal
                AND r.id_producto = v_vacia.id_producto;
        END LOOP;
    END LOOP;
    INSERT INTO dw.resumen_sucursal AS r
    SELECT d.id_producto, d.id_sucursal, d.movimientos, d.variacion
    FROM etl.delta AS d
    WHERE d.nivel = 4
    ON CONFLICT (id_producto, id_sucursal) DO UPDATE SET
        movimientos = r.movimientos + excluded.movimientos,
        variacion = r.variacion + excluded.variacion;
    DELETE FROM dw.resumen_sucursal AS r
    WHERE r.movimientos = 0 AND r.id_producto IN (SELECT d.id_producto FROM etl.delta AS d WHERE d.nivel = 4);
    INSERT INTO dw.resumen_movil AS r
    SELECT d.id_producto, d.unidades_90, d.unidades_vendidas, d.venta_neta, d.costo_ventas
    FROM etl.delta AS d
    WHERE d.nivel = 3
    ON CONFLICT (id_producto) DO UPDATE SET
        unidades_90 = r.unidades_90 + excluded.unidades_90,
        unidades_365 = r.unidades_365 + excluded.unidades_365,
        venta_neta_365 = r.venta_neta_365 + excluded.venta_neta_365,
        costo_ventas_365 = r.costo_ventas_365 + excluded.costo_ventas_365;
    DELETE FROM dw.resumen_movil AS r
    WHERE r.unidades_90 = 0 AND r.unidades_365 = 0 AND r.venta_neta_365 = 0
        AND r.costo_ventas_365 = 0;
END
$$;
COMMENT ON FUNCTION etl.actualizar_resumenes() IS 'Suma etl.delta a los cuatro resúmenes';
CREATE FUNCTION etl.adoptar(p_tienda text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_tienda text;
BEGIN
    UPDATE etl.control AS c SET tienda = p_tienda WHERE c.tienda IS NULL;
    SELECT c.tienda INTO v_tienda FROM etl.control AS c;
    RETURN v_tienda;
END
$$;
COMMENT ON FUNCTION etl.adoptar(p_tienda text) IS 'Pone el nombre de la tienda, de entre muchas, a un OLAP que aún no tiene ninguno; devuelve el que tiene';
CREATE FUNCTION etl.agregar_al_kardex(p_numero bigint, p_factor numeric) RETURNS void
    LANGUAGE sql
    AS $$
INSERT INTO dw.kardex SELECT (v.fila).* FROM etl.valorizar(false, p_numero, p_factor) AS v
$$;
COMMENT ON FUNCTION etl.agregar_al_kardex(p_numero bigint, p_factor numeric) IS 'Añade al kardex las altas de los productos sin cola';
CREATE FUNCTION etl.ajustes_por_llevar(p_ajustes bigint[]) RETURNS bigint[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM dw.ajuste_existencias) THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(
        SELECT v.id_movimiento
        FROM etl.v_ajuste AS v
        LEFT JOIN LATERAL (
            SELECT k.id_movimiento, k.reverso, k.cantidad, min(k.fecha) OVER () AS primera
            FROM dw.kardex AS k
            WHERE k.id_movimiento = v.id_movimiento
            ORDER BY k.capa DESC
            LIMIT 1
        ) AS k ON true
        WHERE (p_ajustes IS NULL OR v.id_movimiento = ANY (p_ajustes)) AND CASE
            WHEN v.cuenta THEN k.id_movimiento IS NULL OR k.reverso OR k.cantidad <> abs(v.cantidad)
            -- What is closed of a product that the catalogue has no more is archived.
            ELSE k.id_movimiento IS NOT NULL AND NOT k.reverso
                AND (v.vigente OR k.primera >= (SELECT etl.cerrado_hasta()))
        END
    );
END
$$;
COMMENT ON FUNCTION etl.ajustes_por_llevar(p_ajustes bigint[]) IS 'De esos ajustes, o de todos (nulo), los que el kardex no tiene como quedan: los recién asentados o deshechos, los que se importaron, o los que una apertura o el catálogo sacan o devuelven';
CREATE FUNCTION etl.anotar_atrasadas(p_extracto jsonb, p_antes timestamp with time zone) RETURNS void
    LANGUAGE sql
    AS $$
-- Of what entered, and left, what the OLTP had before the last window: its rejects that entered now, what
-- was sought by its number, lines that a document has no more, with those that are in their place; of a full
-- read, which does not tell, what is dated before.
WITH lectura AS (
    SELECT
        (p_extracto ->> 'imagen_completa')::boolean AS completa,
        ARRAY(
            SELECT v.id::bigint
            FROM jsonb_array_elements_text(
                coalesce(nullif(p_extracto -> 'revisados', 'null'), '[]')
                || coalesce(nullif(p_extracto -> 'lineas_borradas', 'null'), '[]')
            ) AS v (id)
        ) AS revisados
), movida AS (
    SELECT k.id_producto, k.fecha_documento, k.id_sucursal, k.id_sucursal_destino, k.variacion, k.cantidad
    FROM lectura AS l
    CROSS JOIN etl.etapa AS e
    CROSS JOIN LATERAL (
        SELECT * FROM dw.kardex AS f WHERE f.id_movimiento = e.id_movimiento AND f.capa = e.capa OFFSET 0
    ) AS k
    WHERE e.id_producto IN (SELECT a.id_producto FROM dw.ajuste_existencias AS a)
        AND CASE WHEN l.completa THEN k.fecha_documento < p_antes
            ELSE e.atrasada OR e.id_movimiento = ANY (l.revisados) END
    UNION ALL
    SELECT b.id_producto, b.fecha_documento, b.id_sucursal, b.id_sucursal_destino, -b.variacion, -b.cantidad
    FROM lectura AS l
    CROSS JOIN etl.baja AS b
    WHERE b.id_producto IN (SELECT a.id_producto FROM dw.ajuste_existencias AS a)
        AND CASE WHEN l.completa THEN b.fecha_documento < p_antes ELSE b.id_movimiento = ANY (l.revisados) END
), lugar AS (
    SELECT
        m.id_producto, s.id_sucursal, sum(s.variacion) AS variacion, min(m.fecha_documento) AS primera,
        min(abs(s.variacion)) AS menor
    FROM movida AS m
    CROSS JOIN LATERAL etl.por_sucursal(m.id_sucursal, m.id_sucursal_destino, m.variacion, m.cantidad) AS s
    GROUP BY m.id_producto, s.id_sucursal
)
UPDATE etl.diferencia_existencias AS d
SET atrasada = d.atrasada + u.variacion, atrasada_desde = least(d.atrasada_desde, u.primera),
    atrasada_menor = least(d.atrasada_menor, u.menor)
FROM (
    SELECT
        f.id_producto, f.id_sucursal, sum(l.variacion) AS variacion, min(l.primera) AS primera,
        min(l.menor) AS menor
    FROM etl.diferencia_existencias AS f
    INNER JOIN lugar AS l
        ON l.id_producto = f.id_producto AND (f.id_sucursal IS NULL OR l.id_sucursal = f.id_sucursal)
    GROUP BY f.id_producto, f.id_sucursal
) AS u
WHERE d.id_producto = u.id_producto AND d.id_sucursal IS NOT DISTINCT FROM u.id_sucursal AND u.variacion <> 0
$$;
COMMENT ON FUNCTION etl.anotar_atrasadas(p_extracto jsonb, p_antes timestamp with time zone) IS 'De los productos con ajustes que difieren, suma a etl.diferencia_existencias lo que esta carga movió y la tienda ya sabía';
CREATE FUNCTION etl.anotar_corrida(p_extracto jsonb, p_conteo jsonb, p_segundos numeric) RETURNS void
    LANGUAGE sql
    AS $$
INSERT INTO etl.corrida (
    desde, hasta, numero, version, id_corrida, leida, horizonte, lsn, identidad,
    imagen_completa, motivo_completa, sha256, filas_leidas, nuevas, cambiadas, retiradas,
    iguales, fuera_de_alcance, rechazadas, ventas, entradas, productos_tocados, revaluadas,
    segundos_extraccion, segundos_carga, borradas, reescritas
)
SELECT
    (p_extracto ->> 'desde')::timestamptz, (p_extracto ->> 'hasta')::timestamptz,
    c.corridas, c.version, p_extracto ->> 'id_corrida', (p_extracto ->> 'leida')::timestamptz,
    (p_extracto ->> 'horizonte')::xid8, (p_extracto ->> 'lsn')::pg_lsn,
    p_extracto -> 'identidad', (p_extracto ->> 'imagen_completa')::boolean,
    p_extracto ->> 'motivo_completa', p_extracto ->> 'sha256',
    (p_conteo ->> 'filas_leidas')::bigint,
    (p_conteo ->> 'altas')::bigint - (p_conteo ->> 'cambiadas')::bigint,
    (p_conteo ->> 'cambiadas')::bigint, (p_conteo ->> 'retiradas')::bigint,
    (p_conteo ->> 'iguales')::bigint, (p_conteo ->> 'fuera_de_alcance')::bigint,
    (p_conteo ->> 'rechazadas')::bigint, (p_conteo ->> 'ventas')::bigint,
    (p_conteo ->> 'entradas')::bigint, (p_conteo ->> 'productos_tocados')::bigint,
    (p_conteo ->> 'revaluadas')::bigint, (p_extracto ->> 'segundos')::numeric, p_segundos,
    coalesce((p_conteo ->> 'borradas')::bigint, 0), coalesce((p_conteo ->> 'reescritas')::bigint, 0)
FROM etl.control AS c
$$;
COMMENT ON FUNCTION etl.anotar_corrida(p_extracto jsonb, p_conteo jsonb, p_segundos numeric) IS 'Deja la fila de la ventana en etl.corrida, con la versión que el control acaba de tomar';
CREATE FUNCTION etl.anotar_documentos() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM etl.etapa AS e WHERE coalesce(e.clave, e.documento, e.id_documento::text) IS NOT NULL
    ) AND NOT EXISTS (SELECT FROM dw.documento_movimiento) THEN
        RETURN;
    END IF;
    INSERT INTO dw.documento_movimiento AS d (id_movimiento, id_documento, documento, clave, clave_documento)
    SELECT e.id_movimiento, e.id_documento, e.documento, e.clave, e.clave_documento
    FROM etl.etapa AS e
    LEFT JOIN etl.descarte AS x ON x.id_movimiento = e.id_movimiento
    -- What is out of scope and nowhere listed is not kept.
    WHERE coalesce(e.clave, e.documento, e.id_documento::text) IS NOT NULL
        AND (
            x.fuera IS NULL
            OR EXISTS (SELECT FROM etl.fuera_de_alcance AS f WHERE f.id_movimiento = e.id_movimiento)
            OR (SELECT true FROM dw.documento_movimiento AS a WHERE a.id_movimiento = e.id_movimiento)
        )
    ON CONFLICT (id_movimiento) DO UPDATE
    SET id_documento = excluded.id_documento, documento = excluded.documento, clave = excluded.clave,
        clave_documento = excluded.clave_documento
    WHERE (d.id_documento, d.documento, d.clave, d.clave_documento)
        IS DISTINCT FROM (excluded.id_documento, excluded.documento, excluded.clave, excluded.clave_documento);
    DELETE FROM dw.documento_movimiento AS d
    WHERE d.id_movimiento = ANY (ARRAY(
        SELECT e.id_movimiento
        FROM etl.etapa AS e
        WHERE coalesce(e.clave, e.documento, e.id_documento::text) IS NULL
            AND (SELECT true FROM dw.documento_movimiento AS a WHERE a.id_movimiento = e.id_movimiento)
    ));
END
$$;
COMMENT ON FUNCTION etl.anotar_documentos() IS 'Deja en dw.documento_movimiento el documento de cada renglón leído, cambiado o no';
CREATE FUNCTION etl.anotar_fuera_de_alcance(p_extracto jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_desde timestamptz := (p_extracto ->> 'desde')::timestamptz;
    v_hasta timestamptz := (p_extracto ->> 'hasta')::timestamptz;
    v_todo jsonb := nullif(p_extracto -> 'fuera_de_alcance', 'null');
    v_previsto bigint := (SELECT c.ultimo_previsto FROM etl.control AS c);
    v_antes jsonb;
    v_nuevas jsonb;
BEGIN
    IF v_todo IS NULL
        AND NOT EXISTS (SELECT FROM etl.descarte AS d WHERE d.fuera IN ('tipo', 'fecha'))
        AND NOT EXISTS (SELECT FROM etl.fuera_de_alcance) THEN
        RETURN '[]';
    END IF;
    SELECT coalesce(jsonb_agg(to_jsonb(n)), '[]') INTO v_antes FROM etl.contar_fuera() AS n;
    -- Corrected, voided, or gone.
    DELETE FROM etl.fuera_de_alcance AS f
    USING etl.etapa AS e
    WHERE e.id_movimiento = f.id_movimiento
        AND NOT EXISTS (
            SELECT FROM etl.descarte AS d
            WHERE d.id_movimiento = f.id_movimiento AND d.fuera IN ('tipo', 'fecha')
        );
    DELETE FROM etl.fuera_de_alcance AS f
    USING jsonb_array_elements_text(coalesce(nullif(p_extracto -> 'revisados', 'null'), '[]')) AS r (id)
    WHERE r.id::bigint = f.id_movimiento
        AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = f.id_movimiento);
    IF v_todo IS NOT NULL THEN
        DELETE FROM etl.fuera_de_alcance AS f
        WHERE NOT EXISTS (
                SELECT FROM etl.descarte AS d
                WHERE d.id_movimiento = f.id_movimiento AND d.fuera = f.fuera
            )
            AND NOT EXISTS (
                SELECT FROM jsonb_array_elements(v_todo -> 'filas') AS v (fila)
                WHERE (v.fila ->> 0)::bigint = f.id_movimiento
            );
        DELETE FROM etl.fuera_sin_lista;
    END IF;
    WITH leida AS (
        SELECT e.id_movimiento, d.fuera, e.tipo, e.id_producto, e.fecha
        FROM etl.descarte AS d
        INNER JOIN etl.etapa AS e ON e.id_movimiento = d.id_movimiento
        LEFT JOIN dw.producto AS p ON p.id_producto = e.id_producto
        LEFT JOIN etl.rechazo AS r ON r.id_movimiento = e.id_movimiento
        WHERE (
            d.fuera = 'tipo'
            OR d.fuera = 'fecha'
            -- Of a product that is gone all is read, whatever its date.
            AND p.vigente IS NOT FALSE
            AND (
                etl.es_nueva(e.id_movimiento, v_previsto)
                OR e.id_movimiento IN (SELECT f.id_movimiento FROM etl.fuera_de_alcance AS f)
                OR e.id_movimiento IN (SELECT b.id_movimiento FROM etl.baja AS b)
                OR e.id_movimiento IN (SELECT c.id_movimiento FROM etl.cerrada AS c)
                OR r.id_movimiento IS NOT NULL AND r.fecha IS DISTINCT FROM e.fecha
            )
        ) AND v_todo IS NULL
        UNION ALL
        SELECT
            (v.fila ->> 0)::bigint, v.fila ->> 4, v.fila ->> 1, (v.fila ->> 2)::bigint,
            (v.fila ->> 3)::timestamptz
        FROM jsonb_array_elements(v_todo -> 'filas') AS v (fila)
        WHERE v.fila ->> 4 = 'tipo'
            OR etl.es_nueva((v.fila ->> 0)::bigint, v_previsto)
            OR (v.fila ->> 3)::timestamptz < '1990-01-01'
            OR (v.fila ->> 0)::bigint IN (SELECT f.id_movimiento FROM etl.fuera_de_alcance AS f)
            OR (v.fila ->> 0)::bigint IN (SELECT b.id_movimiento FROM etl.baja AS b)
            OR (v.fila ->> 0)::bigint IN (SELECT c.id_movimiento FROM etl.cerrada AS c)
    ), puesta AS (
        INSERT INTO etl.fuera_de_alcance AS f (
            id_movimiento, fuera, tipo, id_producto, fecha, desde, hasta
        )
        SELECT l.id_movimiento, l.fuera, l.tipo, l.id_producto, l.fecha, v_desde, v_hasta
        FROM leida AS l
        CROSS JOIN etl.control AS c
        LEFT JOIN dw.apertura AS a ON a.id_producto = l.id_producto
        WHERE l.fuera = 'tipo'
            OR l.fecha < coalesce(c.desde_inicial, (p_extracto ->> 'desde_inicial')::timestamptz)
            OR l.fecha < a.fecha
        ON CONFLICT (id_movimiento) DO UPDATE SET
            fuera = excluded.fuera, tipo = excluded.tipo, id_producto = excluded.id_producto,
            fecha = excluded.fecha
        RETURNING f.id_movimiento, f.fuera, f.tipo, f.id_producto, f.fecha, f.xmax = 0 AS nueva
    )
    SELECT coalesce(jsonb_agg(to_jsonb(n) ORDER BY n.movimientos DESC, n.tipo), '[]') INTO v_nuevas
    FROM (
        SELECT
            p.fuera, p.tipo, count(*) AS movimientos,
            (array_agg(p.id_movimiento ORDER BY p.id_movimiento DESC))[1] AS id_movimiento,
            (array_agg(p.fecha ORDER BY p.id_movimiento DESC))[1] AS fecha,
            (array_agg(e.clave ORDER BY p.id_movimiento DESC))[1] AS clave,
            (array_agg(e.documento ORDER BY p.id_movimiento DESC))[1] AS documento
        FROM puesta AS p
        LEFT JOIN etl.etapa AS e ON e.id_movimiento = p.id_movimiento
        WHERE p.nueva
        GROUP BY p.fuera, p.tipo
    ) AS n;
    IF v_todo IS NOT NULL THEN
        INSERT INTO etl.fuera_sin_lista (fuera, tipo, movimientos)
        SELECT 'tipo', v.fila ->> 0, (v.fila ->> 1)::bigint - coalesce(n.listados, 0)
        FROM jsonb_array_elements(v_todo -> 'tipos') AS v (fila)
        LEFT JOIN (
            SELECT f.tipo, count(*) AS listados
            FROM etl.fuera_de_alcance AS f
            WHERE f.fuera = 'tipo'
            GROUP BY f.tipo
        ) AS n ON n.tipo IS NOT DISTINCT FROM v.fila ->> 0
        WHERE (v.fila ->> 1)::bigint > coalesce(n.listados, 0);
        -- Of those that are only counted, what the count gained.
        SELECT v_nuevas || coalesce(jsonb_agg(jsonb_build_object(
            'fuera', 'tipo', 'tipo', s.tipo, 'movimientos', s.movimientos - coalesce(a.movimientos, 0)
        )), '[]') INTO v_nuevas
        FROM etl.fuera_sin_lista AS s
        LEFT JOIN jsonb_to_recordset(v_antes) AS a (fuera text, tipo text, movimientos bigint)
            ON a.fuera = 'tipo' AND a.tipo IS NOT DISTINCT FROM s.tipo
        WHERE s.movimientos > coalesce(a.movimientos, 0);
        UPDATE etl.control AS c
        SET ultimo_previsto = coalesce((v_todo ->> 'ultimo')::bigint, c.ultimo_previsto);
    END IF;
    PERFORM etl.contar_lo_no_listado(1000);
    RETURN v_nuevas;
END
$$;
COMMENT ON FUNCTION etl.anotar_fuera_de_alcance(p_extracto jsonb) IS 'Pone al día la lista de lo que está fuera de alcance; devuelve lo que esta ventana trajo de nuevo, por tipo';
CREATE FUNCTION etl.anotar_prueba(p_estado jsonb, p_entera boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_libres bigint[];
BEGIN
    IF p_entera THEN
        INSERT INTO etl.prueba (probada, entera, estado)
        VALUES (now(), now(), p_estado)
        ON CONFLICT (unico) DO UPDATE SET probada = now(), entera = now(), estado = excluded.estado;
    ELSE
        -- What one beside this found is not covered by this one.
        UPDATE etl.prueba SET probada = now(), estado = p_estado WHERE estado IS NOT NULL;
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    -- A load that is under way holds its own: what stays is only looked at once more.
    -- (As an array, since a join of the two would be planned by statistics that may say none.)
    v_libres := ARRAY(
        SELECT q.id_producto FROM etl.por_probar AS q
        WHERE q.numero <= (p_estado ->> 'corridas')::bigint
        FOR UPDATE SKIP LOCKED
    );
    DELETE FROM etl.por_probar AS q WHERE q.id_producto = ANY (v_libres);
END
$$;
COMMENT ON FUNCTION etl.anotar_prueba(p_estado jsonb, p_entera boolean) IS 'Anota una comprobación sin faltas, entera o corta, del estado que dio etl.leer_prueba()';
CREATE FUNCTION etl.anotar_revaluacion(p_releer boolean) RETURNS void
    LANGUAGE sql
    AS $$
UPDATE etl.control AS c
SET corridas = c.corridas + 1,
    version = gen_random_uuid(),
    horizonte = CASE WHEN NOT p_releer THEN c.horizonte END,
    -- What was valued now has prices of a policy that the others have not yet.
    politica = CASE WHEN etl.misma_politica() THEN c.politica END
$$;
COMMENT ON FUNCTION etl.anotar_revaluacion(p_releer boolean) IS 'Cuenta en etl.control que un cierre, o su reapertura, valorizó de nuevo; y si la corrida siguiente lee todo';
CREATE FUNCTION etl.anotar_vistas(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_segundos numeric) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
UPDATE etl.corrida AS c SET segundos_vistas = p_segundos
WHERE c.desde = p_desde AND c.hasta = p_hasta
$$;
COMMENT ON FUNCTION etl.anotar_vistas(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_segundos numeric) IS 'Anota cuánto tardó el refresco de vistas de una ventana';
CREATE FUNCTION etl.anular_prueba() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
UPDATE etl.prueba SET estado = NULL
$$;
COMMENT ON FUNCTION etl.anular_prueba() IS 'Una comprobación halló faltas: hasta que una entera no halle ninguna, todas son enteras';
CREATE FUNCTION etl.apartar_cerradas(p_cerrado timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    -- A product that is archived takes nothing of what is closed with it; one that a correction names is
    -- not known.
    v_archivados bigint[] := ARRAY(
        SELECT b.id_movimiento
        FROM (
            SELECT DISTINCT ON (f.id_movimiento)
                f.id_movimiento, f.id_producto, f.reverso,
                min(f.fecha) OVER (PARTITION BY f.id_movimiento) AS primera
            FROM etl.baja AS f
            INNER JOIN etl.descarte AS d
                ON d.id_movimiento = f.id_movimiento AND d.motivo = 'producto desconocido'
            ORDER BY f.id_movimiento, f.capa DESC
        ) AS b
        INNER JOIN etl.etapa AS e ON e.id_movimiento = b.id_movimiento AND e.id_producto = b.id_producto
        WHERE b.primera < p_cerrado AND NOT b.reverso
    );
BEGIN
    DELETE FROM etl.etapa AS e WHERE e.id_movimiento = ANY (v_archivados);
    DELETE FROM etl.descarte AS d WHERE d.id_movimiento = ANY (v_archivados);
    DELETE FROM etl.baja AS b WHERE b.id_movimiento = ANY (v_archivados);
    INSERT INTO etl.cerrada SELECT * FROM etl.baja AS b WHERE b.fecha < p_cerrado AND NOT b.igual;
    DELETE FROM etl.baja AS b WHERE b.fecha < p_cerrado AND NOT b.igual;
    -- The reversal of a closed row stays, where the ledger opens, as long as that row says something
    -- else; and if it says the same, all goes that had corrected it.
    UPDATE etl.baja AS b
    SET igual = (b.igual OR b.reverso AND b.orden = t.orden AND b.fecha = p_cerrado) AND EXISTS (
        SELECT FROM etl.cerrada AS c
        WHERE c.id_movimiento = b.id_movimiento
            AND b.capa = c.capa + CASE WHEN c.reverso OR b.reverso THEN 1 ELSE 2 END
            -- As etl.asentar() makes it: who changed one by hand gets another from a rebuild.
            AND (NOT b.reverso OR (
                b.id_producto, b.tipo, b.fecha_documento, b.cantidad, b.precio_unitario, b.costo_unitario, b.importe,
                b.id_origen, b.de_todo, b.impuesto, b.precio_con_impuesto, b.id_sucursal, b.id_sucursal_destino
            ) IS NOT DISTINCT FROM (
                c.id_producto, c.tipo, c.fecha_documento, c.cantidad, c.precio_unitario, c.costo_unitario, c.importe,
                c.id_origen, c.de_todo, c.impuesto, c.precio_con_impuesto,
                coalesce(c.id_sucursal_destino, c.id_sucursal),
                CASE WHEN c.id_sucursal_destino IS NOT NULL THEN c.id_sucursal END
            ))
    )
    FROM dw.tipo_movimiento AS t
    WHERE t.tipo = b.tipo AND b.capa > 0 AND b.fecha >= p_cerrado;
END
$$;
COMMENT ON FUNCTION etl.apartar_cerradas(p_cerrado timestamp with time zone) IS 'Saca de etl.baja lo cerrado: lo que difiere de lo leído pasa a etl.cerrada; y dice qué queda de lo que ya lo corregía';
CREATE FUNCTION etl.apartar_rechazos(p_desde timestamp with time zone, p_hasta timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM etl.rechazo AS r
    WHERE NOT EXISTS (
        SELECT FROM etl.descarte AS d
        WHERE d.id_movimiento = r.id_movimiento AND d.motivo IS NOT NULL
    );
    INSERT INTO etl.rechazo AS r (
        id_movimiento, tipo, id_producto, id_sucursal, cantidad, precio_unitario, costo_unitario,
        fecha, id_origen, id_sucursal_destino, importe, impuesto, precio_con_impuesto, clave_producto, motivo,
        primera_desde, primera_hasta, ultima_desde, ultima_hasta, valorizado
    )
    SELECT
        e.id_movimiento, e.tipo, e.id_producto, e.id_sucursal, e.cantidad, e.precio_unitario,
        e.costo_unitario, e.fecha, e.id_origen, e.id_sucursal_destino, e.importe, e.impuesto,
        e.precio_con_impuesto, e.clave_producto, d.motivo,
        p_desde, p_hasta, p_desde, p_hasta,
        EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = e.id_movimiento)
    FROM etl.descarte AS d
    INNER JOIN etl.etapa AS e ON e.id_movimiento = d.id_movimiento
    WHERE d.motivo IS NOT NULL
    ON CONFLICT (id_movimiento) DO UPDATE SET
        tipo = excluded.tipo, id_producto = excluded.id_producto,
        id_sucursal = excluded.id_sucursal, cantidad = excluded.cantidad,
        precio_unitario = excluded.precio_unitario, costo_unitario = excluded.costo_unitario,
        fecha = excluded.fecha, id_origen = excluded.id_origen,
        id_sucursal_destino = excluded.id_sucursal_destino, importe = excluded.importe,
        impuesto = excluded.impuesto, precio_con_impuesto = excluded.precio_con_impuesto,
        clave_producto = excluded.clave_producto, motivo = excluded.motivo,
        ultima_desde = excluded.ultima_desde, ultima_hasta = excluded.ultima_hasta,
        valorizado = r.valorizado OR excluded.valorizado;
    -- What is left in etl.etapa enters the ledger; what is left in etl.baja leaves it.
    DELETE FROM etl.etapa AS e USING etl.descarte AS d WHERE d.id_movimiento = e.id_movimiento;
    DELETE FROM etl.etapa AS e USING etl.baja AS b
    WHERE b.igual AND NOT b.reverso AND b.id_movimiento = e.id_movimiento;
    DELETE FROM etl.baja AS b WHERE b.igual;
    -- From here on it is as the rules read it.
    IF EXISTS (SELECT FROM etl.v_etapa AS v WHERE v.por_entender) THEN
        UPDATE etl.etapa AS e
        SET tipo = v.tipo, cantidad = v.cantidad, importe = v.importe, id_origen = v.id_origen,
            id_sucursal_destino = v.id_sucursal_destino
        FROM etl.v_etapa AS v
        WHERE v.id_movimiento = e.id_movimiento AND v.por_entender;
    END IF;
END
$$;
COMMENT ON FUNCTION etl.apartar_rechazos(p_desde timestamp with time zone, p_hasta timestamp with time zone) IS 'Deja en etl.rechazo lo que hoy no se puede valorizar, en etl.etapa las altas y en etl.baja las bajas';
CREATE FUNCTION etl.aperturas_fechadas() RETURNS TABLE(id_producto bigint, fecha timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT a.id_producto, a.fecha FROM dw.apertura AS a WHERE a.fecha IS NOT NULL
$$;
COMMENT ON FUNCTION etl.aperturas_fechadas() IS 'Desde cuándo cuentan los movimientos de los productos que tienen apertura';
CREATE FUNCTION etl.aplicar_aperturas(p_aperturas jsonb, p_opciones jsonb, p_quitar_anteriores boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_opciones ->> 'zona');
    v_cerrado timestamptz := etl.cerrado_hasta();
    v_anteriores text;
    v_releer boolean;
    v_aplicadas bigint;
    v_conteo jsonb;
BEGIN
    PERFORM etl.vaciar_trabajo();
    PERFORM etl.preparar_carga();
    CREATE TEMP TABLE apertura_nueva ON COMMIT DROP AS
    SELECT
        f.id_producto, s.existencias, round(f.costo_promedio, 6) AS costo_promedio,
        coalesce(f.fecha, v_control.desde_inicial) AS fecha, f.sucursales
    FROM jsonb_to_recordset(p_aperturas) AS f (
        id_producto bigint, sucursales jsonb, costo_promedio numeric, fecha timestamptz
    )
    CROSS JOIN LATERAL (
        SELECT sum(round(v.value::numeric, 6)) AS existencias FROM jsonb_each_text(f.sucursales) AS v
    ) AS s;
    SELECT string_agg(concat('product ', coalesce(p.clave, n.id_producto::text), ' (' || p.codigo || ')'), ', ' ORDER BY n.id_producto)
    INTO v_anteriores
    FROM pg_temp.apertura_nueva AS n
    LEFT JOIN dw.producto AS p ON p.id_producto = n.id_producto
    WHERE n.fecha < v_cerrado
        OR EXISTS (SELECT FROM dw.apertura AS a WHERE a.id_producto = n.id_producto AND a.fecha < v_cerrado)
        OR EXISTS (SELECT FROM dw.kardex AS k WHERE k.id_producto = n.id_producto AND k.fecha < v_cerrado);
    IF v_anteriores IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('the opening would change what is closed up to %s (%s); nothing was changed',
                             (SELECT max(c.dia) FROM dw.cierre AS c), v_anteriores),
            HINT = 'tell it by a count (CONTEO), or open the last closing again: `python -m pipeline close --reopen`';
    END IF;
    INSERT INTO etl.baja
    SELECT k.*, false
    FROM pg_temp.apertura_nueva AS n
    CROSS JOIN LATERAL (
        SELECT * FROM dw.kardex AS f
        WHERE f.id_producto = n.id_producto AND f.fecha_documento < n.fecha
        OFFSET 0
    ) AS k;
    SELECT string_agg(
        concat('product ', coalesce(p.clave, b.id_producto::text), ' (' || p.codigo || ')')
        || format(': %s movements before %s', b.movimientos, b.fecha),
        ', ' ORDER BY b.id_producto
    ) INTO v_anteriores
    FROM (
        SELECT b.id_producto, count(*) AS movimientos, min(n.fecha) AS fecha
        FROM etl.baja AS b
        INNER JOIN pg_temp.apertura_nueva AS n ON n.id_producto = b.id_producto
        GROUP BY b.id_producto
        ORDER BY b.id_producto
        LIMIT 10
    ) AS b
    LEFT JOIN dw.producto AS p ON p.id_producto = b.id_producto;
    IF v_anteriores IS NOT NULL AND NOT p_quitar_anteriores THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('the opening is dated after movements that are already in the ledger (%s); nothing was changed',
                             v_anteriores),
            HINT = 'give --drop-earlier to let them go, or correct the date';
    END IF;
    -- Movements that an earlier opening had left out were dropped: they must be read again.
    SELECT EXISTS (
        SELECT FROM pg_temp.apertura_nueva AS n
        INNER JOIN dw.apertura AS a ON a.id_producto = n.id_producto
        WHERE n.fecha < a.fecha AND a.fecha > v_control.desde_inicial
    ) INTO v_releer;
    INSERT INTO dw.apertura AS a (id_producto, existencias, costo_promedio, fecha)
    SELECT n.id_producto, n.existencias, n.costo_promedio, n.fecha
    FROM pg_temp.apertura_nueva AS n
    ON CONFLICT (id_producto) DO UPDATE SET
        existencias = excluded.existencias, costo_promedio = excluded.costo_promedio,
        fecha = excluded.fecha;
    GET DIAGNOSTICS v_aplicadas = ROW_COUNT;
    DELETE FROM dw.apertura_sucursal AS s USING pg_temp.apertura_nueva AS n
    WHERE s.id_producto = n.id_producto;
    INSERT INTO dw.apertura_sucursal (id_producto, id_sucursal, existencias)
    SELECT n.id_producto, v.key::bigint, round(v.value::numeric, 6)
    FROM pg_temp.apertura_nueva AS n
    CROSS JOIN LATERAL jsonb_each_text(n.sucursales) AS v;
    -- What waits from before an opening is out of scope, as the next window would find.
    DELETE FROM etl.rechazo AS r USING pg_temp.apertura_nueva AS n
    WHERE r.id_producto = n.id_producto AND r.fecha < n.fecha;
    IF v_control.hasta IS NOT NULL THEN
        INSERT INTO etl.tramo (id_producto, desde)
        SELECT n.id_producto, '-infinity'
        FROM pg_temp.apertura_nueva AS n
        INNER JOIN dw.producto AS p ON p.id_producto = n.id_producto;
        v_conteo := etl.revaluar(
            v_control.corridas + 1, p_opciones, (SELECT c.dia FROM dw.v_corte AS c), false
        );
        PERFORM etl.comparar_tocados();
    END IF;
    -- A window that is under way was read without knowing of this: it will be read again.
    UPDATE etl.control AS c
    SET version = gen_random_uuid(),
        corridas = c.corridas + CASE WHEN v_conteo IS NULL THEN 0 ELSE 1 END,
        -- What was valued now has prices of a policy that the others have not yet.
        politica = CASE
            WHEN etl.misma_politica() THEN c.politica
        END,
        horizonte = CASE WHEN v_releer THEN NULL ELSE c.horizonte END,
        -- What the counts leave out lies there as planned.
        ultimo_previsto = greatest(
            c.ultimo_previsto, (SELECT max(k.id_movimiento) FROM dw.kardex AS k)
        );
    RETURN jsonb_build_object(
        'aplicadas', v_aplicadas,
        'quitadas', (SELECT count(*) FROM etl.baja),
        'releer', v_releer
    ) || coalesce(v_conteo, '{}');
END
$$;
COMMENT ON FUNCTION etl.aplicar_aperturas(p_aperturas jsonb, p_opciones jsonb, p_quitar_anteriores boolean) IS 'Pone o corrige saldos de apertura, por sucursal (un objeto: sucursal, existencias; la 0 si no la tienen), y repite sus productos; se niega a dejar fuera movimientos ya cargados, salvo que se pida';
CREATE FUNCTION etl.asentar(p_cerrado timestamp with time zone) RETURNS void
    LANGUAGE sql
    AS $$
UPDATE etl.etapa AS e
SET fecha = greatest(e.fecha, p_cerrado),
    fecha_documento = e.fecha,
    capa = coalesce(c.capa + CASE WHEN c.reverso THEN 1 ELSE 2 END, 0)
FROM etl.etapa AS o
LEFT JOIN etl.cerrada AS c ON c.id_movimiento = o.id_movimiento
WHERE o.id_movimiento = e.id_movimiento AND (o.fecha < p_cerrado OR c.id_movimiento IS NOT NULL);
INSERT INTO etl.etapa (
    id_movimiento, tipo, id_producto, id_sucursal, cantidad, precio_unitario, costo_unitario, fecha,
    id_origen, id_sucursal_destino, importe, impuesto, precio_con_impuesto, fecha_documento, capa, reverso
)
SELECT
    c.id_movimiento, c.tipo, c.id_producto,
    -- A transfer goes back the way it came.
    CASE WHEN NOT c.de_todo IS TRUE THEN coalesce(c.id_sucursal_destino, c.id_sucursal) END,
    c.cantidad, c.precio_unitario, c.costo_unitario, p_cerrado, c.id_origen,
    CASE WHEN c.id_sucursal_destino IS NOT NULL THEN c.id_sucursal END,
    c.importe, c.impuesto, c.precio_con_impuesto, c.fecha_documento, c.capa + 1, true
FROM etl.v_por_reversar AS c
$$;
COMMENT ON FUNCTION etl.asentar(p_cerrado timestamp with time zone) IS 'Lo que entra de un período cerrado, o corrige una fila cerrada, se asienta desde donde está abierto, tras el reverso de esa fila';
CREATE FUNCTION etl.asentar_ajustes(p_control etl.control, p_extracto jsonb, p_opciones jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_ajustes dw.ajuste_existencias[];
    v_resumen jsonb;
BEGIN
    -- Of what was read in part, a row may be gone that is still here. And a shop may have other types.
    IF NOT coalesce((p_opciones ->> 'ajustar')::boolean, false)
        OR NOT coalesce((p_extracto -> 'existencias' ->> 'todas')::boolean, false)
        OR 2 > (
            SELECT count(*) FROM dw.tipo_movimiento AS t
            WHERE (t.tipo, t.regla) IN (('AJUSTE_ENTRADA', 'recibir'), ('AJUSTE_SALIDA', 'al_promedio'))
        ) THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(a ORDER BY a.id_movimiento) INTO v_ajustes FROM etl.proponer_ajustes(p_extracto) AS a;
    IF v_ajustes IS NULL THEN
        RETURN NULL;
    END IF;
    v_resumen := etl.resumir_ajustes(v_ajustes);
    PERFORM etl.revisar_ajustes(p_control, v_resumen, p_opciones);
    INSERT INTO dw.ajuste_existencias SELECT * FROM unnest(v_ajustes);
    UPDATE etl.diferencia_existencias AS d
    SET atrasada = 0, atrasada_desde = NULL, atrasada_menor = NULL
    FROM unnest(v_ajustes) AS a
    WHERE a.id_producto = d.id_producto AND a.id_sucursal IS NOT DISTINCT FROM d.id_sucursal AND d.atrasada <> 0;
    RETURN v_resumen;
END
$$;
COMMENT ON FUNCTION etl.asentar_ajustes(p_control etl.control, p_extracto jsonb, p_opciones jsonb) IS 'Añade a dw.ajuste_existencias lo que difiere, si así se pide y la tienda se leyó entera; devuelve lo que dice etl.resumir_ajustes(), o nulo si nada';
CREATE FUNCTION etl.avanzar_control(p_extracto jsonb, p_inicial timestamp with time zone, p_politica text, p_zona text) RETURNS void
    LANGUAGE sql
    AS $$
UPDATE etl.control AS c
SET version = gen_random_uuid(),
    corridas = c.corridas + 1,
    desde_inicial = p_inicial,
    hasta = (p_extracto ->> 'hasta')::timestamptz,
    horizonte = (p_extracto ->> 'horizonte')::xid8,
    identidad = p_extracto -> 'identidad',
    consultas = p_extracto -> 'consultas',
    movimientos_oltp = (p_extracto ->> 'movimientos_oltp')::bigint,
    catalogo = p_extracto ->> 'catalogo',
    lsn = (p_extracto ->> 'lsn')::pg_lsn,
    zona = p_zona,
    politica = p_politica,
    borradas_buscadas = CASE
        WHEN (p_extracto ->> 'imagen_completa')::boolean OR (p_extracto ->> 'borradas_buscadas')::boolean
            THEN (p_extracto ->> 'hasta')::timestamptz
        ELSE c.borradas_buscadas
    END,
    aceptar_fuente = NULL,
    aceptar_ajustes = false,
    revaluar = false
$$;
COMMENT ON FUNCTION etl.avanzar_control(p_extracto jsonb, p_inicial timestamp with time zone, p_politica text, p_zona text) IS 'Deja el control al final de la ventana, con una versión nueva';
CREATE FUNCTION etl.bloquear_control(p_zona text) RETURNS etl.control
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_control etl.control;
BEGIN
    SELECT * INTO v_control FROM etl.control FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETS01',
            MESSAGE = 'the OLAP is not initialised',
            HINT = 'run `python -m pipeline init`';
    END IF;
    IF v_control.zona <> p_zona THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETS01',
            MESSAGE = format('ETL_TIMEZONE is %s, but this OLAP was loaded in %s, and its days would shift',
                             p_zona, v_control.zona),
            HINT = format('set ETL_TIMEZONE=%s', v_control.zona);
    END IF;
    PERFORM etl.revisar_kardex();
    RETURN v_control;
END
$$;
COMMENT ON FUNCTION etl.bloquear_control(p_zona text) IS 'Toma el bloqueo que ordena las cargas; falla si no hay control, si la zona es otra o si el kardex no está entero';
CREATE FUNCTION etl.bloques(p_filas bigint) RETURNS bigint[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_primero bigint;
    v_ultimo bigint;
    v_cuantas bigint := (SELECT c.reltuples FROM pg_class AS c WHERE c.oid = 'dw.kardex'::regclass);
BEGIN
    SELECT min(k.id_movimiento), max(k.id_movimiento) INTO v_primero, v_ultimo FROM dw.kardex AS k
    WHERE NOT etl.es_ajuste(k.id_movimiento);
    -- Numbers of a sequence are as good as ranks, which cost a sort.
    IF v_ultimo::numeric - v_primero < 4 * v_cuantas THEN
        RETURN ARRAY(SELECT generate_series(v_primero + p_filas, v_ultimo, p_filas));
    END IF;
    RETURN ARRAY(
        SELECT n.id_movimiento
        FROM (
            SELECT k.id_movimiento, row_number() OVER (ORDER BY k.id_movimiento) AS puesto
            FROM dw.kardex AS k
            WHERE k.capa = 0 AND NOT etl.es_ajuste(k.id_movimiento)
        ) AS n
        WHERE n.puesto % p_filas = 0
        ORDER BY n.id_movimiento
    );
END
$$;
COMMENT ON FUNCTION etl.bloques(p_filas bigint) IS 'Dónde empieza cada bloque de más o menos esas filas, por el lugar de sus números y no por lo que dicen: así da igual cómo se repartan';
CREATE FUNCTION etl.buscar_producto(p_id_producto bigint, p_codigo text) RETURNS TABLE(id_producto bigint, codigo text, nombre text, categoria text, clave text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT p.id_producto, p.codigo, p.nombre, p.categoria, p.clave
FROM dw.producto AS p
WHERE p.id_producto = p_id_producto AND p.clave IS NULL OR p.clave = btrim(p_codigo)
UNION ALL
SELECT p.id_producto, p.codigo, p.nombre, p.categoria, p.clave
FROM dw.producto AS p
-- lower() alone folds no accent where the database's locale is C.
WHERE lower(translate(btrim(p.codigo), 'ÁÉÍÓÚÜÑ', 'áéíóúüñ'))
    = lower(translate(btrim(p_codigo), 'ÁÉÍÓÚÜÑ', 'áéíóúüñ'))
    AND NOT EXISTS (
        SELECT FROM dw.producto AS x
        WHERE x.id_producto = p_id_producto AND x.clave IS NULL OR x.clave = btrim(p_codigo)
            -- Of codes that differ in case alone the one that is typed is meant.
            OR btrim(x.codigo) = btrim(p_codigo) AND btrim(p.codigo) <> btrim(p_codigo)
    )
ORDER BY 1
$$;
COMMENT ON FUNCTION etl.buscar_producto(p_id_producto bigint, p_codigo text) IS 'El producto de ese id, que es el de la tienda; si no lo hay, los que tienen ese código, que deberían ser uno; si no hay ninguno, los que lo tienen con otras mayúsculas.';
CREATE FUNCTION etl.buscar_tasa(p_impuesto numeric, p_tasas dw.tasa[], p_dia date) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
BEGIN
    FOR i IN REVERSE cardinality(p_tasas)..1 LOOP
        IF p_tasas[i].desde <= p_dia THEN
            RETURN p_tasas[i].impuesto;
        END IF;
    END LOOP;
    RETURN p_impuesto;
END
$$;
COMMENT ON FUNCTION etl.buscar_tasa(p_impuesto numeric, p_tasas dw.tasa[], p_dia date) IS 'La última tasa que empezó ese día o antes; si ninguna, la de siempre';
CREATE FUNCTION etl.cargar_dimensiones(p_incluye_impuesto boolean, p_politica text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_reescritas bigint := 0;
    v_todos boolean := p_politica IS DISTINCT FROM (SELECT c.politica FROM etl.control AS c);
    v_productos boolean := EXISTS (SELECT FROM etl.etapa_producto);
BEGIN
    IF v_productos OR EXISTS (SELECT FROM etl.etapa_sucursal) THEN
        PERFORM etl.revisar_dimensiones();
    END IF;
    -- Of a catalogue without news, as nearly every window's is, nothing more is asked: to plan these
    -- statements takes a new session longer than to run them.
    IF v_productos THEN
        -- Sums of a product that changes category move with it: its whole ledger is replayed.
        INSERT INTO etl.tramo (
            id_producto, desde, categoria_anterior, impuesto_anterior, tasas_anterior, con_impuesto_anterior
        )
        SELECT p.id_producto, '-infinity', p.categoria, p.impuesto, p.tasas, p.precio_con_impuesto
        FROM etl.etapa_producto AS e
        INNER JOIN dw.producto AS p ON p.id_producto = e.id_producto
        INNER JOIN dw.inventario AS i ON i.id_producto = e.id_producto
        WHERE p.categoria <> coalesce(e.categoria, 'Sin categoría');
        -- One that has a stock from now on, or none any more, is valued again.
        INSERT INTO etl.tramo (id_producto, desde, cambia_existencias)
        SELECT DISTINCT p.id_producto, '-infinity'::timestamptz, true
        FROM etl.etapa_producto AS e
        INNER JOIN dw.producto AS p ON p.id_producto = e.id_producto
        INNER JOIN dw.inventario AS i ON i.id_producto = e.id_producto
        WHERE p.inventariable <> coalesce(e.inventariable, true)
        ON CONFLICT (id_producto) DO UPDATE SET cambia_existencias = true;
        INSERT INTO dw.producto AS p (
            id_producto, codigo, nombre, categoria, inventariable, activo, clave, costo_catalogo, proveedor
        )
        SELECT DISTINCT
            e.id_producto,
            -- Where the shop has no code for it, its own id says more than the number of it.
            CASE WHEN e.clave IS NULL THEN e.codigo ELSE coalesce(nullif(btrim(e.codigo), ''), e.clave) END,
            e.nombre, coalesce(e.categoria, 'Sin categoría'), coalesce(e.inventariable, true),
            coalesce(e.activo, true), e.clave, etl.costo_valido(e.costo_referencia), nullif(btrim(e.proveedor), '')
        FROM etl.etapa_producto AS e
        WHERE e.id_producto IS NOT NULL
        ON CONFLICT (id_producto) DO UPDATE
        SET codigo = excluded.codigo, nombre = excluded.nombre, categoria = excluded.categoria,
            inventariable = excluded.inventariable, activo = excluded.activo, clave = excluded.clave,
            costo_catalogo = excluded.costo_catalogo, proveedor = excluded.proveedor, vigente = true
        WHERE (
            p.codigo, p.nombre, p.categoria, p.inventariable, p.activo, p.clave, p.costo_catalogo, p.proveedor, p.vigente
        )
            IS DISTINCT FROM (
                excluded.codigo, excluded.nombre, excluded.categoria, excluded.inventariable, excluded.activo,
                excluded.clave, excluded.costo_catalogo, excluded.proveedor, true
            );
    END IF;
    -- One that has an opening has a stock, in the catalogue or not.
    INSERT INTO dw.producto (id_producto, vigente)
    SELECT a.id_producto, false
    FROM dw.apertura AS a
    WHERE NOT EXISTS (SELECT FROM dw.producto AS p WHERE p.id_producto = a.id_producto);
    INSERT INTO dw.sucursal AS s (id_sucursal, nombre, clave)
    SELECT DISTINCT e.id_sucursal, coalesce(e.nombre, 'Sucursal ' || coalesce(e.clave, e.id_sucursal::text)), e.clave
    FROM etl.etapa_sucursal AS e
    WHERE e.id_sucursal IS NOT NULL
    ON CONFLICT (id_sucursal) DO UPDATE SET nombre = excluded.nombre, clave = excluded.clave
    WHERE (s.nombre, s.clave) IS DISTINCT FROM (excluded.nombre, excluded.clave);
    PERFORM etl.nombrar_sucursales();
    IF v_todos OR v_productos THEN
        -- So do the net sales of a product whose tax changes.
        WITH tasa AS (
            SELECT v.id_producto, v.impuesto, v.tasas
            FROM etl.tasas() AS v
            WHERE v_todos OR v.id_producto IN (SELECT e.id_producto FROM etl.etapa_producto AS e)
        ), nueva AS (
            UPDATE dw.producto AS p
            SET impuesto = t.impuesto, tasas = t.tasas, precio_con_impuesto = p_incluye_impuesto
            FROM tasa AS t
            INNER JOIN dw.producto AS antes ON antes.id_producto = t.id_producto
            WHERE p.id_producto = t.id_producto
                AND (p.impuesto, p.tasas, p.precio_con_impuesto)
                IS DISTINCT FROM (t.impuesto, t.tasas, p_incluye_impuesto)
            RETURNING p.id_producto, p.categoria, antes.impuesto, antes.tasas, antes.precio_con_impuesto,
                CASE WHEN p.precio_con_impuesto THEN p.impuesto ELSE 0 END
                <> CASE WHEN antes.precio_con_impuesto THEN antes.impuesto ELSE 0 END AS sin_fecha
        ), anotada AS (
            INSERT INTO etl.tramo AS t (
                id_producto, desde, categoria_anterior, impuesto_anterior, tasas_anterior, con_impuesto_anterior
            )
            SELECT n.id_producto, '-infinity', n.categoria, n.impuesto, n.tasas, n.precio_con_impuesto
            FROM nueva AS n
            INNER JOIN dw.inventario AS i ON i.id_producto = n.id_producto
            ON CONFLICT (id_producto) DO UPDATE SET
                categoria_anterior = excluded.categoria_anterior, impuesto_anterior = excluded.impuesto_anterior,
                tasas_anterior = excluded.tasas_anterior, con_impuesto_anterior = excluded.con_impuesto_anterior
            WHERE t.categoria_anterior IS NULL
        )
        SELECT count(*) INTO v_reescritas
        FROM nueva AS n
        INNER JOIN dw.resumen_movil AS r ON r.id_producto = n.id_producto
        WHERE n.sin_fecha;
    END IF;
    -- An opening given before its product was known.
    INSERT INTO etl.tramo (id_producto, desde)
    SELECT a.id_producto, '-infinity'
    FROM dw.apertura AS a
    INNER JOIN dw.producto AS p ON p.id_producto = a.id_producto
    WHERE NOT EXISTS (SELECT FROM dw.inventario AS i WHERE i.id_producto = a.id_producto)
    ON CONFLICT (id_producto) DO NOTHING;
    RETURN v_reescritas;
END
$$;
COMMENT ON FUNCTION etl.cargar_dimensiones(p_incluye_impuesto boolean, p_politica text) IS 'Actualiza productos y sucursales; anota en etl.tramo los productos cuyas sumas cambian de lugar o de impuesto; devuelve cuántos, de los que se venden, cambian de tasa sin fecha';
CREATE FUNCTION etl.cargar_existencias(p_extracto jsonb, p_ventana timestamp with time zone) RETURNS bigint
    LANGUAGE sql
    AS $$
SELECT etl.comparar_existencias(
    CASE WHEN NOT (nullif(p_extracto -> 'existencias', 'null') ->> 'todas')::boolean THEN ARRAY(
        SELECT t.id_producto FROM etl.tramo AS t
        UNION
        SELECT e.id_producto FROM etl.etapa_existencia AS e
        UNION
        -- One that has no stock from now on, though it never moved.
        SELECT e.id_producto FROM etl.etapa_producto AS e
        UNION
        -- Nor does what left the catalogue say any more that it has none.
        SELECT p.id_producto
        FROM dw.producto AS p
        WHERE NOT p.vigente AND (p_extracto ->> 'catalogo_completo')::boolean
    ) END,
    p_ventana
)
$$;
COMMENT ON FUNCTION etl.cargar_existencias(p_extracto jsonb, p_ventana timestamp with time zone) IS 'Después de valorizar: lo de la tienda al lado de lo nuestro, todo o lo que pudo cambiar; devuelve cuántos productos difieren que antes no';
CREATE FUNCTION etl.cargar_historia(p_extracto jsonb, p_opciones jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_desde timestamptz := (p_extracto ->> 'desde')::timestamptz;
    v_hasta timestamptz := (p_extracto ->> 'hasta')::timestamptz;
    v_control etl.control := etl.bloquear_control(p_opciones ->> 'zona');
    v_inicio timestamptz := clock_timestamp();
    v_filas bigint;
    v_conteo jsonb;
BEGIN
    IF v_control.desde_inicial <> v_hasta
        OR v_control.identidad -> 'sistema' <> p_extracto -> 'identidad' -> 'sistema'
        OR v_control.identidad -> 'linea_de_tiempo' <> p_extracto -> 'identidad' -> 'linea_de_tiempo'
        OR v_control.identidad -> 'base' <> p_extracto -> 'identidad' -> 'base'
        -- A window has read everything since, perhaps since the OLTP had gone back in time.
        OR EXISTS (
            SELECT FROM etl.corrida AS c
            WHERE c.numero > (p_extracto ->> 'corridas')::bigint AND c.imagen_completa
        ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01',
            MESSAGE = 'the initial date or the OLTP changed, or a window read everything, since the history was read; nothing was written',
            HINT = 'run it again: it is read anew';
    END IF;
    PERFORM etl.preparar_carga();
    PERFORM etl.revisar_claves();
    PERFORM etl.nombrar_sucursales();
    -- A movement that changed its date between two pieces is in both: the later read counts,
    -- and the next window reads it again in any case. Each piece came by a command of this transaction;
    -- where its rows stand says nothing, once a VACUUM has made room between others.
    DELETE FROM etl.etapa AS e USING etl.etapa AS f
    WHERE f.id_movimiento = e.id_movimiento AND f.ctid <> e.ctid AND f.cmin::text::bigint > e.cmin::text::bigint;
    v_filas := etl.revisar_etapa();
    PERFORM etl.reintentar_rechazos(NULL);
    PERFORM etl.clasificar(v_desde, (p_extracto ->> 'leida')::timestamptz + interval '1 day', false);
    PERFORM etl.revisar_salidas(v_control, p_extracto, p_opciones);
    PERFORM etl.revisar_rechazos(v_filas, p_opciones);
    v_conteo := etl.contar_cambios();
    PERFORM etl.anotar_documentos();
    PERFORM etl.apartar_rechazos(v_desde, v_hasta);
    v_conteo := v_conteo || etl.revaluar(
        v_control.corridas + 1, p_opciones, (SELECT c.dia FROM dw.v_corte AS c), false
    ) || jsonb_build_object('filas_leidas', v_filas);
    PERFORM etl.comparar_tocados();
    -- What was corrected since the first piece was read comes with the next window.
    UPDATE etl.control AS c
    SET version = gen_random_uuid(),
        corridas = c.corridas + 1,
        desde_inicial = v_desde,
        -- What was valued now has prices of a policy that the others have not yet.
        politica = CASE
            WHEN etl.misma_politica() THEN c.politica
        END,
        aceptar_fuente = NULL,
        -- An OLTP that goes back to before this read is behind what the OLAP has of it.
        lsn = greatest(c.lsn, (p_extracto ->> 'lsn')::pg_lsn),
        -- No horizon means that everything must be read, and that must not be forgotten.
        horizonte = CASE
            WHEN c.horizonte IS NOT NULL
                THEN least(c.horizonte, (p_extracto ->> 'horizonte')::xid8)
        END;
    -- Adjustments of these days, that were imported, count from now on.
    IF etl.llevar_ajustes(NULL, v_control.corridas + 1, p_opciones, (SELECT c.dia FROM dw.v_corte AS c)) > 0 THEN
        PERFORM etl.comparar_tocados();
    END IF;
    PERFORM etl.anotar_corrida(
        p_extracto, v_conteo, extract(epoch FROM clock_timestamp() - v_inicio)::numeric
    );
    RETURN v_conteo;
END
$$;
COMMENT ON FUNCTION etl.cargar_historia(p_extracto jsonb, p_opciones jsonb) IS 'Une de una vez la historia anterior que está en etl.etapa, baja la fecha inicial y el horizonte, y revaloriza hacia adelante';
CREATE FUNCTION etl.cargar_referencias() RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_cerrado timestamptz := etl.cerrado_hasta();
    v_tipos text[] := ARRAY(
        SELECT t.tipo FROM dw.tipo_movimiento AS t WHERE t.regla IN ('recibir', 'contar', 'devolver_venta')
    );
BEGIN
    IF NOT EXISTS (SELECT FROM dw.producto AS p WHERE p.costo_referencia IS NOT NULL)
        AND NOT EXISTS (SELECT FROM etl.etapa_producto AS e WHERE e.costo_referencia IS NOT NULL)
        AND NOT EXISTS (SELECT FROM dw.existencias_tienda AS t WHERE t.costo_referencia IS NOT NULL) THEN
        RETURN;
    END IF;
    -- What entered so is valued again, where it is open.
    WITH cambiada AS (
        UPDATE dw.producto AS p
        SET costo_referencia = n.costo
        FROM (
            SELECT q.id_producto, coalesce(t.costo, q.costo_catalogo) AS costo
            FROM dw.producto AS q
            LEFT JOIN (
                SELECT e.id_producto, max(etl.costo_valido(e.costo_referencia)) AS costo
                FROM dw.existencias_tienda AS e
                GROUP BY e.id_producto
            ) AS t ON t.id_producto = q.id_producto
        ) AS n
        WHERE n.id_producto = p.id_producto AND p.costo_referencia IS DISTINCT FROM n.costo
        RETURNING p.id_producto
    )
    INSERT INTO etl.tramo AS t (id_producto, desde, cambia_referencia)
    SELECT c.id_producto, '-infinity', true
    FROM cambiada AS c
    CROSS JOIN LATERAL (
        SELECT FROM dw.kardex AS k
        WHERE k.id_producto = c.id_producto AND k.fecha >= v_cerrado AND k.costo_unitario IS NULL
            AND NOT k.reverso AND k.tipo = ANY (v_tipos)
        LIMIT 1
    ) AS k
    ON CONFLICT (id_producto) DO UPDATE SET desde = excluded.desde, cambia_referencia = true;
END
$$;
COMMENT ON FUNCTION etl.cargar_referencias() IS 'Pone al día el costo de referencia de los productos: el de existencias.sql o, si no, el de productos.sql; y anota en etl.tramo los que entraron así y cambian';
CREATE FUNCTION etl.cargar_ventana(p_extracto jsonb, p_opciones jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_desde timestamptz := (p_extracto ->> 'desde')::timestamptz;
    v_hasta timestamptz := (p_extracto ->> 'hasta')::timestamptz;
    v_leida timestamptz := (p_extracto ->> 'leida')::timestamptz;
    v_completa boolean := (p_extracto ->> 'imagen_completa')::boolean;
    v_catalogo boolean := coalesce((p_extracto ->> 'catalogo_completo')::boolean, false);
    v_incluye boolean := (p_opciones ->> 'incluye_impuesto')::boolean;
    v_control etl.control := etl.bloquear_control(p_opciones ->> 'zona');
    v_reconstruir boolean := coalesce((p_extracto ->> 'reconstruir')::boolean, false) OR v_control.revaluar;
    v_inicial timestamptz := coalesce(v_control.desde_inicial, (p_extracto ->> 'desde_inicial')::timestamptz);
    v_corte date := (v_hasta AT TIME ZONE (p_opciones ->> 'zona'))::date;
    v_politica text := etl.huella_politica(v_incluye, v_corte);
    v_cerrado timestamptz := etl.cerrado_hasta();
    v_inicio timestamptz := clock_timestamp();
    v_filas bigint;
    v_faltan bigint[];
    v_reescritas bigint;
    v_conteo jsonb;
BEGIN
    IF v_control.version <> (p_extracto ->> 'version')::uuid
        OR v_control.hasta <> v_desde THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01', MESSAGE = 'the window was not opened by etl.abrir_ventana';
    END IF;
    PERFORM etl.preparar_carga();
    UPDATE dw.apertura AS a SET fecha = v_inicial WHERE a.fecha IS NULL;
    -- Of the first load, too: adjustments that were imported are in its scope or not.
    UPDATE etl.control AS c SET desde_inicial = v_inicial WHERE c.desde_inicial IS NULL;
    PERFORM etl.revisar_claves();
    v_filas := etl.revisar_etapa();
    v_faltan := etl.lineas_que_faltan(p_extracto);
    IF NOT v_completa AND EXISTS (SELECT FROM etl.rechazo) THEN
        PERFORM etl.reintentar_rechazos(
            coalesce(nullif(p_extracto -> 'revisados', 'null'), '[]') || to_jsonb(v_faltan)
        );
    END IF;
    -- Before anything that they count changes its tax.
    IF v_corte > (v_control.hasta AT TIME ZONE (p_opciones ->> 'zona'))::date THEN
        PERFORM etl.correr_resumen_movil(
            (v_control.hasta AT TIME ZONE (p_opciones ->> 'zona'))::date, v_corte,
            p_opciones ->> 'zona'
        );
    END IF;
    IF v_catalogo THEN
        PERFORM etl.retirar_productos();
    END IF;
    v_reescritas := etl.cargar_dimensiones(v_incluye, v_politica);
    PERFORM etl.leer_existencias(p_extracto -> 'existencias', v_hasta);
    PERFORM etl.cargar_referencias();
    IF cardinality(v_faltan) > 0 THEN
        PERFORM etl.dar_de_baja_lineas(v_faltan);
    END IF;
    PERFORM etl.clasificar(v_inicial, v_leida + interval '1 day', v_completa);
    PERFORM etl.dar_de_baja_borrados(p_extracto -> 'revisados');
    IF v_catalogo THEN
        PERFORM etl.dar_de_baja_desconocidos();
    END IF;
    IF v_completa THEN
        -- A branch 0 that the shop has no more leaves its name to the documents without one.
        UPDATE dw.sucursal AS s SET nombre = 'Sin sucursal'
        WHERE s.id_sucursal = 0
            AND s.nombre <> 'Sin sucursal'
            AND NOT EXISTS (SELECT FROM etl.etapa_sucursal AS e WHERE e.id_sucursal = 0);
    END IF;
    -- First, since another database has other products, too.
    PERFORM etl.revisar_salidas(v_control, p_extracto, p_opciones);
    PERFORM etl.revisar_catalogo(v_control, p_extracto, p_opciones);
    IF v_completa AND v_cerrado > '-infinity' THEN
        PERFORM etl.revisar_archivadas(v_cerrado, p_opciones);
    END IF;
    PERFORM etl.revisar_rechazos(v_filas, p_opciones);
    v_conteo := etl.contar_cambios()
        || jsonb_build_object('fuera_nuevas', etl.anotar_fuera_de_alcance(p_extracto));
    PERFORM etl.anotar_documentos();
    PERFORM etl.apartar_rechazos(v_desde, v_hasta);
    IF v_cerrado > '-infinity' THEN
        PERFORM etl.asentar(v_cerrado);
    END IF;
    PERFORM etl.revisar_silencio(v_conteo, v_hasta, p_opciones);
    IF v_reconstruir THEN
        INSERT INTO etl.tramo AS t (id_producto, desde)
        SELECT i.id_producto, '-infinity'::timestamptz FROM dw.inventario AS i
        UNION
        SELECT k.id_producto, '-infinity'::timestamptz FROM dw.kardex AS k
        ON CONFLICT (id_producto) DO UPDATE SET desde = excluded.desde;
    END IF;
    v_conteo := v_conteo || etl.revaluar(
        v_control.corridas + 1, p_opciones, v_corte,
        v_politica IS DISTINCT FROM v_control.politica
        OR etl.fines_de_mes(v_corte, p_opciones ->> 'zona') <> etl.fines_de_mes(
            (v_control.hasta AT TIME ZONE (p_opciones ->> 'zona'))::date, p_opciones ->> 'zona'
        )
    ) || jsonb_build_object('filas_leidas', v_filas, 'tasas_reescritas', v_reescritas);
    v_conteo := v_conteo || jsonb_build_object('correcciones', etl.contar_correcciones());
    -- A reject that was looked for is in neither list of what left.
    PERFORM etl.olvidar_documentos(
        v_faltan || ARRAY(
            SELECT r.id::bigint
            FROM jsonb_array_elements_text(coalesce(nullif(p_extracto -> 'revisados', 'null'), '[]')) AS r (id)
        ),
        v_completa AND v_control.hasta IS NOT NULL
    );
    IF v_reconstruir THEN
        PERFORM etl.recalcular_resumenes(p_opciones ->> 'zona', v_corte);
    END IF;
    v_conteo := v_conteo || jsonb_build_object(
        'diferencias_nuevas', etl.cargar_existencias(p_extracto, v_hasta)
    );
    v_conteo := v_conteo || jsonb_build_object('ajustes', NULL);
    IF (p_opciones ->> 'ajustar')::boolean OR EXISTS (SELECT FROM dw.ajuste_existencias) THEN
        v_conteo := v_conteo || etl.igualar_existencias(p_extracto, p_opciones, v_control, v_corte);
    END IF;
    v_conteo := v_conteo || jsonb_build_object(
        'diferencias', CASE WHEN v_conteo -> 'diferencias_nuevas' > '0' THEN etl.resumir_diferencias() END
    );
    PERFORM etl.avanzar_control(p_extracto, v_inicial, v_politica, p_opciones ->> 'zona');
    PERFORM etl.anotar_corrida(
        p_extracto, v_conteo, extract(epoch FROM clock_timestamp() - v_inicio)::numeric
    );
    RETURN v_conteo;
END
$$;
COMMENT ON FUNCTION etl.cargar_ventana(p_extracto jsonb, p_opciones jsonb) IS 'Carga la ventana abierta desde etl.etapa: clasifica, valoriza, resume y anota, todo o nada; devuelve los conteos';
CREATE FUNCTION etl.cerrado_hasta() RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
SELECT coalesce(max(c.hasta), '-infinity') FROM dw.cierre AS c WHERE c.huella IS NOT NULL
$$;
COMMENT ON FUNCTION etl.cerrado_hasta() IS 'Desde dónde está abierto el kardex; -infinity si no hay cierre';
CREATE FUNCTION etl.cerrar(p_dia date, p_zona text, p_opciones jsonb, p_igual boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_zona);
    v_antes timestamptz := etl.cerrado_hasta();
    v_hasta timestamptz := etl.inicio_del_dia(p_dia + 1, p_zona);
    v_anterior text := (SELECT c.huella FROM dw.cierre AS c ORDER BY c.hasta DESC LIMIT 1);
    v_pendiente jsonb;
BEGIN
    IF v_hasta <= v_antes THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('%s is closed already, as all up to %s is; nothing was changed', p_dia,
                             (SELECT max(c.dia) FROM dw.cierre AS c));
    ELSIF v_hasta > now() THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('%s is not over yet; nothing was changed', p_dia),
            HINT = 'close a day that is over';
    -- Nor is it while the ledger is to be valued anew by types that were edited.
    ELSIF v_control.hasta IS NULL OR v_control.hasta < v_hasta OR v_control.revaluar THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('%s is not loaded to its end yet; nothing was changed', p_dia),
            HINT = 'run `luigi --module pipeline RunDue`, and close it then';
    END IF;
    v_pendiente := etl.esperan_cierre(v_antes, v_hasta);
    IF NOT p_igual AND jsonb_array_length(v_pendiente -> 'esperan') > 0 THEN
        RETURN v_pendiente;
    END IF;
    INSERT INTO dw.cierre (hasta, dia) VALUES (v_hasta, p_dia);
    -- A receipt of the period loses the costs that have a later date.
    PERFORM etl.vaciar_trabajo();
    PERFORM etl.preparar_carga();
    IF etl.marcar_con_costos(v_antes, v_hasta, v_hasta) THEN
        PERFORM etl.revaluar(
            v_control.corridas + 1, p_opciones, (SELECT c.dia FROM dw.v_corte AS c), false
        );
        PERFORM etl.anotar_revaluacion(false);
    END IF;
    PERFORM etl.cerrar_productos(v_antes, v_hasta);
    UPDATE dw.cierre AS c
    SET movimientos = (SELECT count(*) FROM dw.kardex AS k WHERE k.fecha >= v_antes AND k.fecha < v_hasta),
        existencias = s.existencias,
        valor = s.valor
    FROM (
        SELECT
            coalesce(sum(coalesce(u.existencias, a.existencias)), 0) AS existencias,
            coalesce(sum(coalesce(u.valor, round(a.existencias * a.costo_promedio, 6))), 0) AS valor
        FROM dw.inventario AS i
        LEFT JOIN etl.v_apertura AS a ON a.id_producto = i.id_producto AND a.fecha < v_hasta
        LEFT JOIN LATERAL (
            SELECT k.existencias, k.valor
            FROM dw.kardex AS k
            WHERE k.id_producto = i.id_producto AND k.fecha < v_hasta
            ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
            LIMIT 1
        ) AS u ON true
    ) AS s
    WHERE c.hasta = v_hasta;
    UPDATE dw.cierre AS c
    SET huella = etl.huella_del_periodo(
        c, (SELECT s.suma FROM etl.sumar_periodos(ARRAY[v_antes, v_hasta]) AS s), v_anterior
    )
    WHERE c.hasta = v_hasta;
    RETURN v_pendiente - 'esperan' || (SELECT to_jsonb(c) FROM dw.cierre AS c WHERE c.hasta = v_hasta);
END
$$;
COMMENT ON FUNCTION etl.cerrar(p_dia date, p_zona text, p_opciones jsonb, p_igual boolean) IS 'Cierra hasta el fin de un día, bajo el bloqueo de las cargas; se niega si falta cargarlo y, salvo que se pida, si algo de él espera: entonces no hace más que decirlo, como etl.esperan_cierre()';
CREATE FUNCTION etl.cerrar_productos(p_desde timestamp with time zone, p_hasta timestamp with time zone) RETURNS void
    LANGUAGE sql
    AS $$
UPDATE etl.producto_cerrado AS c
SET hasta = p_hasta
FROM dw.producto AS p
WHERE p.id_producto = c.id_producto AND c.hasta = p_desde
    AND (c.categoria, c.impuesto, c.tasas, c.precio_con_impuesto, c.inventariable)
    IS NOT DISTINCT FROM (p.categoria, p.impuesto, p.tasas, p.precio_con_impuesto, p.inventariable);
INSERT INTO etl.producto_cerrado (
    id_producto, desde, hasta, categoria, impuesto, tasas, precio_con_impuesto, inventariable
)
SELECT
    p.id_producto, p_desde, p_hasta, p.categoria, p.impuesto, p.tasas, p.precio_con_impuesto, p.inventariable
FROM dw.producto AS p
WHERE NOT EXISTS (
    SELECT FROM etl.producto_cerrado AS c WHERE c.id_producto = p.id_producto AND c.hasta = p_hasta
)
$$;
COMMENT ON FUNCTION etl.cerrar_productos(p_desde timestamp with time zone, p_hasta timestamp with time zone) IS 'Deja en etl.producto_cerrado lo que los productos son en un período que se cierra';
CREATE FUNCTION etl.cierre_del_libro(p_desde date, p_hasta date, p_zona text) RETURNS TABLE(dia date, huella text, movimientos bigint, existencias numeric, valor numeric)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT
    c.dia, c.huella,
    -- Of a period that begins otherwise than one that was closed, the closings do not tell.
    CASE WHEN c.hasta = p.hasta AND (
        EXISTS (SELECT FROM dw.cierre AS a WHERE a.hasta = p.desde)
        OR NOT EXISTS (SELECT FROM dw.kardex AS k WHERE k.fecha < p.desde)
    ) THEN (
        SELECT sum(a.movimientos)::bigint FROM dw.cierre AS a WHERE a.hasta > p.desde AND a.hasta <= p.hasta
    ) END,
    CASE WHEN c.hasta = p.hasta THEN c.existencias END,
    CASE WHEN c.hasta = p.hasta THEN c.valor END
FROM (
    SELECT
        coalesce(etl.inicio_del_dia(p_desde, p_zona), '-infinity') AS desde,
        coalesce(etl.inicio_del_dia(p_hasta + 1, p_zona), 'infinity') AS hasta
) AS p
INNER JOIN dw.cierre AS c ON c.hasta >= p.hasta AND c.huella IS NOT NULL
ORDER BY c.hasta
LIMIT 1
$$;
COMMENT ON FUNCTION etl.cierre_del_libro(p_desde date, p_hasta date, p_zona text) IS 'El cierre que deja como está el libro de unos días de la zona, y si termina con ellos, qué dice de ellos; sin fila, está abierto';
CREATE FUNCTION etl.cierres() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT coalesce(jsonb_agg(c.fila ORDER BY c.dia, c.cerrado), '[]')
FROM (
    SELECT d.dia, d.cerrado, to_jsonb(d) AS fila FROM dw.cierre AS d
    UNION ALL
    SELECT r.dia, r.cerrado, to_jsonb(r) FROM dw.reapertura AS r
) AS c
$$;
COMMENT ON FUNCTION etl.cierres() IS 'Los cierres, y los que se deshicieron con su motivo, en su orden';
CREATE FUNCTION etl.cifras_ensayo() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_nestloop TO 'off'
    AS $$
SELECT jsonb_build_object(
    'existencias', (SELECT coalesce(sum(i.existencias), 0) FROM dw.inventario AS i),
    'valor', (SELECT coalesce(sum(i.valor), 0) FROM dw.inventario AS i WHERE i.existencias > 0)
) || etl.contar_salidas()
$$;
COMMENT ON FUNCTION etl.cifras_ensayo() IS 'Existencias y valor, y lo que salió del kardex, como los ve la transacción de una carga: para decirlo antes de hacerla';
CREATE FUNCTION etl.clasificar(p_inicial timestamp with time zone, p_limite timestamp with time zone, p_imagen_completa boolean) RETURNS void
    LANGUAGE sql
    AS $$
INSERT INTO etl.descarte SELECT * FROM etl.por_descartar(p_inicial, p_limite);
SELECT etl.comparar(p_imagen_completa)
$$;
COMMENT ON FUNCTION etl.clasificar(p_inicial timestamp with time zone, p_limite timestamp with time zone, p_imagen_completa boolean) IS 'Llena etl.descarte con lo que no entra, y etl.baja con las filas del kardex que se leyeron otra vez o ya no existen';
CREATE FUNCTION etl.como_se_llaman(p_movimientos bigint[], p_productos bigint[]) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT jsonb_build_object(
    'movimientos', (
        SELECT coalesce(jsonb_object_agg(
            d.id_movimiento, jsonb_build_object('clave', d.clave, 'documento', d.documento)
        ), '{}')
        FROM dw.documento_movimiento AS d
        WHERE d.id_movimiento = ANY (p_movimientos)
    ),
    'productos', (
        SELECT coalesce(jsonb_object_agg(p.id_producto, p.clave), '{}')
        FROM dw.producto AS p
        WHERE p.id_producto = ANY (p_productos) AND p.clave IS NOT NULL
    )
)
$$;
COMMENT ON FUNCTION etl.como_se_llaman(p_movimientos bigint[], p_productos bigint[]) IS 'De esos movimientos y productos, lo que la tienda dice en lugar de su número: su id, si no es uno, y el documento';
CREATE FUNCTION etl.comparar(p_imagen_completa boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_cerrado timestamptz := etl.cerrado_hasta();
BEGIN
    -- The one step that joins the ledger by movement alone: it also finds those
    -- that changed product.
    INSERT INTO etl.baja
    SELECT
        k.*,
        d.id_movimiento IS NULL
        AND k.id_producto = e.id_producto
        AND k.tipo = e.tipo
        -- What is closed keeps the place that its type had.
        AND (k.fecha < v_cerrado OR k.orden = e.orden)
        AND k.fecha_documento = e.fecha
        AND NOT k.reverso
        -- Where it is booked hangs on the last closing, and what it corrects on there being one.
        AND (k.capa = 0 OR v_cerrado > '-infinity')
        AND (k.fecha < v_cerrado OR k.fecha = greatest(e.fecha, v_cerrado))
        AND k.id_sucursal = coalesce(e.id_sucursal, 0)
        AND k.cantidad = e.cantidad
        AND k.precio_unitario IS NOT DISTINCT FROM e.precio_unitario
        -- Of a sale it is the average that it left at.
        AND (e.tipo = 'VENTA' OR k.costo_unitario IS NOT DISTINCT FROM e.costo_unitario)
        AND (k.importe, k.id_origen, k.id_sucursal_destino, k.de_todo, k.impuesto, k.precio_con_impuesto)
        IS NOT DISTINCT FROM (
            e.importe, e.id_origen, e.id_sucursal_destino, e.de_todo, e.impuesto, e.precio_con_impuesto
        )
    FROM etl.v_etapa AS e
    CROSS JOIN LATERAL (
        -- Of what is closed, the last. Not by EXISTS, of which there is a plan that reads all that is closed.
        SELECT * FROM dw.kardex AS f
        WHERE f.id_movimiento = e.id_movimiento AND (
            f.fecha >= v_cerrado
            OR (
                SELECT g.capa FROM dw.kardex AS g
                WHERE g.id_movimiento = f.id_movimiento AND g.capa = f.capa + 1 AND g.fecha < v_cerrado
                LIMIT 1
            ) IS NULL
        )
        OFFSET 0
    ) AS k
    LEFT JOIN etl.descarte AS d ON d.id_movimiento = e.id_movimiento
    -- Most have a higher number than any that the ledger knows.
    WHERE e.id_movimiento <= (SELECT max(u.id_movimiento) FROM dw.kardex AS u);
    IF p_imagen_completa THEN
        INSERT INTO etl.baja
        SELECT k.*, false
        FROM dw.kardex AS k
        WHERE etl.puede_irse(k.fecha_documento, k.capa, v_cerrado)
            -- What no OLTP has does not leave for that.
            AND NOT etl.es_ajuste(k.id_movimiento)
            AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = k.id_movimiento);
    END IF;
    IF v_cerrado > '-infinity' THEN
        PERFORM etl.apartar_cerradas(v_cerrado);
    END IF;
END
$$;
COMMENT ON FUNCTION etl.comparar(p_imagen_completa boolean) IS 'Compara lo que hay en etl.etapa, sabido lo que de ello no entra, con el kardex: llena etl.baja y etl.cerrada';
CREATE FUNCTION etl.comparar_existencias(p_productos bigint[], p_ventana timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_nuevas bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM dw.existencias_tienda) THEN
        DELETE FROM etl.diferencia_existencias;
        RETURN 0;
    END IF;
    WITH difiere AS MATERIALIZED (
        SELECT * FROM etl.existencias_que_difieren(p_productos)
    ), ya_no AS (
        DELETE FROM etl.diferencia_existencias AS d
        WHERE (p_productos IS NULL OR d.id_producto = ANY (p_productos)) AND NOT EXISTS (
            SELECT FROM difiere AS f
            WHERE f.id_producto = d.id_producto
                AND coalesce(f.id_sucursal, -9223372036854775808) = coalesce(d.id_sucursal, -9223372036854775808)
        )
    ), nuevas AS (
        SELECT f.id_producto
        FROM difiere AS f
        LEFT JOIN etl.diferencia_existencias AS d ON d.id_producto = f.id_producto
        WHERE d.id_producto IS NULL
    ), escritas AS (
        INSERT INTO etl.diferencia_existencias AS d
        SELECT f.*, p_ventana FROM difiere AS f
        ON CONFLICT (id_producto, coalesce(id_sucursal, -9223372036854775808)) DO UPDATE SET
            nuestras = excluded.nuestras, tienda = excluded.tienda
        WHERE (d.nuestras, d.tienda) IS DISTINCT FROM (excluded.nuestras, excluded.tienda)
    )
    SELECT count(DISTINCT n.id_producto) INTO v_nuevas FROM nuevas AS n;
    RETURN v_nuevas;
END
$$;
COMMENT ON FUNCTION etl.comparar_existencias(p_productos bigint[], p_ventana timestamp with time zone) IS 'Anota dónde nuestras existencias no son las de la tienda, de esos productos o de todos (nulo); devuelve cuántos productos difieren que antes no';
CREATE FUNCTION etl.comparar_fuentes(p_antes jsonb, p_ahora jsonb) RETURNS text
    LANGUAGE sql STABLE
    AS $$
SELECT CASE
    WHEN c.otras IS NULL THEN format(
        'server %s, timeline %s and database %s are the same as before, %s',
        p_ahora ->> 'sistema', p_ahora ->> 'linea_de_tiempo', p_ahora ->> 'base',
        CASE WHEN p_antes #> '{tablas,movimientos}' = p_ahora #> '{tablas,movimientos}' THEN 'and so are its tables'
            ELSE 'its tables are not (truncated, rewritten, restored or others)' END
    )
    ELSE format(
        'the ledger was read from server %s, timeline %s, database %s; this one is server %s, timeline %s, database %s; %sanother %s',
        p_antes ->> 'sistema', p_antes ->> 'linea_de_tiempo', p_antes ->> 'base',
        p_ahora ->> 'sistema', p_ahora ->> 'linea_de_tiempo', p_ahora ->> 'base',
        'the same ' || c.iguales || ', ', c.otras
    )
END
FROM (
    SELECT
        string_agg(n.nombre, ' and ' ORDER BY n.orden) FILTER (WHERE i.igual) AS iguales,
        string_agg(n.nombre, ' and ' ORDER BY n.orden) FILTER (WHERE NOT i.igual) AS otras
    FROM (
        VALUES (1, 'sistema', 'server'), (2, 'linea_de_tiempo', 'timeline'), (3, 'base', 'database')
    ) AS n (orden, parte, nombre)
    CROSS JOIN LATERAL (
        SELECT (p_antes -> n.parte) IS NOT DISTINCT FROM (p_ahora -> n.parte) AS igual
    ) AS i
) AS c
$$;
COMMENT ON FUNCTION etl.comparar_fuentes(p_antes jsonb, p_ahora jsonb) IS 'En palabras, qué tiene de igual y qué de otro el OLTP que se leyó, frente al de la última lectura';
CREATE FUNCTION etl.comparar_tocados() RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_tocados bigint[] := ARRAY(SELECT t.id_producto FROM etl.tramo AS t);
    v_antes jsonb;
BEGIN
    IF EXISTS (SELECT FROM dw.ajuste_existencias) THEN
        SELECT jsonb_agg(jsonb_build_array(
            t.id_producto, t.id_sucursal, coalesce(d.nuestras, t.existencias)
        )) INTO v_antes
        FROM dw.existencias_tienda AS t
        LEFT JOIN etl.diferencia_existencias AS d
            ON d.id_producto = t.id_producto AND d.id_sucursal IS NOT DISTINCT FROM t.id_sucursal
        WHERE t.id_producto = ANY (v_tocados);
    END IF;
    PERFORM etl.comparar_existencias(v_tocados, (SELECT c.hasta FROM etl.control AS c));
    -- The shop moved nothing meanwhile.
    UPDATE etl.diferencia_existencias AS d
    SET atrasada = d.atrasada + d.nuestras - (v.fila ->> 2)::numeric, atrasada_desde = '-infinity', atrasada_menor = 0
    FROM jsonb_array_elements(v_antes) AS v (fila)
    WHERE d.id_producto = (v.fila ->> 0)::bigint AND d.id_sucursal IS NOT DISTINCT FROM (v.fila ->> 1)::bigint
        AND d.nuestras <> (v.fila ->> 2)::numeric;
END
$$;
COMMENT ON FUNCTION etl.comparar_tocados() IS 'Lo mismo de lo que se valorizó de nuevo sin leer a la tienda: una apertura, historia anterior, un cierre que se deshace';
CREATE FUNCTION etl.comprobar_igualadas(p_esperadas jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_producto bigint;
BEGIN
    -- Else each window would book it once more.
    SELECT t.id_producto INTO v_producto
    FROM jsonb_array_elements(p_esperadas) AS v (fila)
    INNER JOIN dw.existencias_tienda AS t
        ON t.id_producto = (v.fila ->> 0)::bigint AND t.id_sucursal IS NOT DISTINCT FROM (v.fila ->> 1)::bigint
    LEFT JOIN etl.diferencia_existencias AS d
        ON d.id_producto = t.id_producto AND d.id_sucursal IS NOT DISTINCT FROM t.id_sucursal
    WHERE coalesce(d.nuestras, t.existencias) <> (v.fila ->> 2)::numeric
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01',
            MESSAGE = format('the adjustments would not bring the stock of product %s to the shop''s; nothing was written',
                             v_producto),
            HINT = 'set ETL_STOCK_DIFFERENCES=report until it is known why';
    END IF;
END
$$;
COMMENT ON FUNCTION etl.comprobar_igualadas(p_esperadas jsonb) IS 'Falla si, asentados los ajustes, algún producto no quedó en lo que debía';
CREATE FUNCTION etl.conceder(p_permiso text, p_objeto text, p_rol text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format(
        'GRANT %s ON %s %s TO %I', p_permiso,
        CASE p_permiso WHEN 'EXECUTE' THEN 'FUNCTION' ELSE 'TABLE' END, p_objeto, p_rol
    );
    INSERT INTO etl.concesion (rol, objeto, permiso) VALUES (p_rol, p_objeto, p_permiso);
END
$$;
COMMENT ON FUNCTION etl.conceder(p_permiso text, p_objeto text, p_rol text) IS 'Un GRANT que queda en etl.concesion; init lo llama para cada objeto que un rol alcanza';
CREATE FUNCTION etl.contar_cambios() RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
SELECT jsonb_build_object(
    'iguales', b.iguales,
    'retiradas', b.distintas - b.cambiadas,
    'borradas', b.borradas,
    'reescritas', CASE WHEN b.borradas > 0 THEN etl.contar_reescritas() ELSE 0 END,
    'cambiadas', b.cambiadas,
    'fuera_de_alcance', (SELECT count(*) FROM etl.descarte AS d WHERE d.motivo IS NULL),
    'rechazadas', (SELECT count(*) FROM etl.descarte AS d WHERE d.motivo IS NOT NULL),
    'perdidas', (
        SELECT count(*)
        FROM etl.descarte AS d
        INNER JOIN etl.baja AS b ON b.id_movimiento = d.id_movimiento
        INNER JOIN etl.etapa AS e ON e.id_movimiento = d.id_movimiento
        WHERE d.motivo = 'producto desconocido' AND e.id_producto IS NULL AND NOT b.reverso
    )
)
FROM (
    SELECT
        count(*) FILTER (WHERE f.igual) AS iguales,
        count(*) FILTER (WHERE NOT f.igual) AS distintas,
        count(*) FILTER (WHERE NOT f.igual AND e.id_movimiento IS NULL) AS borradas,
        count(*) FILTER (
            WHERE NOT f.igual AND e.id_movimiento IS NOT NULL AND d.id_movimiento IS NULL
                AND NOT f.vuelve
        ) AS cambiadas
    FROM (
        SELECT
            b.id_movimiento, b.igual,
            -- What corrected a closed row, and is again as that one says.
            b.capa > 0 AND c.id_movimiento IS NULL AS vuelve
        FROM etl.baja AS b
        LEFT JOIN etl.cerrada AS c ON c.id_movimiento = b.id_movimiento
        WHERE NOT b.reverso
        UNION ALL
        SELECT a.id_movimiento, false, false FROM etl.v_por_reversar AS a
        WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = a.id_movimiento)
    ) AS f
    LEFT JOIN etl.etapa AS e ON e.id_movimiento = f.id_movimiento
    LEFT JOIN etl.descarte AS d ON d.id_movimiento = f.id_movimiento
) AS b
$$;
COMMENT ON FUNCTION etl.contar_cambios() IS 'Conteos de lo clasificado, antes de apartar los rechazos';
CREATE FUNCTION etl.contar_correcciones() RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
SELECT jsonb_build_object('carga', etl.resumir_correcciones(true), 'cierre', etl.ultimo_cierre())
-- A shop that closes nothing has nothing looked at.
WHERE CASE WHEN etl.cerrado_hasta() > '-infinity'
    THEN EXISTS (SELECT FROM etl.etapa AS e WHERE e.fecha_documento IS NOT NULL)
END
$$;
COMMENT ON FUNCTION etl.contar_correcciones() IS 'Lo que la carga que está en curso asienta de lo cerrado, y el último cierre; nulo si nada';
CREATE FUNCTION etl.contar_fuera() RETURNS TABLE(fuera text, tipo text, movimientos bigint)
    LANGUAGE sql STABLE
    AS $$
SELECT u.fuera, u.tipo, sum(u.movimientos)::bigint
FROM (
    SELECT f.fuera, f.tipo, count(*) AS movimientos
    FROM etl.fuera_de_alcance AS f
    CROSS JOIN etl.control AS c
    LEFT JOIN dw.apertura AS a ON a.id_producto = f.id_producto
    -- Earlier history, or another opening, may have taken it in since.
    WHERE f.fuera = 'tipo' OR f.fecha < c.desde_inicial OR f.fecha < a.fecha
    GROUP BY f.fuera, f.tipo
    UNION ALL
    SELECT s.fuera, s.tipo, s.movimientos FROM etl.fuera_sin_lista AS s
) AS u
GROUP BY u.fuera, u.tipo
$$;
COMMENT ON FUNCTION etl.contar_fuera() IS 'Cuántos movimientos de cada tipo están fuera de alcance, por su tipo o por su fecha';
CREATE FUNCTION etl.contar_lo_no_listado(p_tope bigint) RETURNS void
    LANGUAGE sql
    AS $$
WITH sobrante AS (
    DELETE FROM etl.fuera_de_alcance AS f
    USING (
        SELECT
            g.id_movimiento,
            row_number() OVER (
                PARTITION BY g.fuera, g.tipo ORDER BY g.hasta DESC, g.id_movimiento DESC
            ) AS puesto
        FROM etl.fuera_de_alcance AS g
    ) AS n
    WHERE n.id_movimiento = f.id_movimiento AND n.puesto > p_tope
    RETURNING f.fuera, f.tipo
), antes AS (
    DELETE FROM etl.fuera_sin_lista AS s RETURNING s.fuera, s.tipo, s.movimientos
)
INSERT INTO etl.fuera_sin_lista (fuera, tipo, movimientos)
SELECT u.fuera, u.tipo, sum(u.movimientos)
FROM (
    SELECT a.fuera, a.tipo, a.movimientos FROM antes AS a
    UNION ALL
    SELECT s.fuera, s.tipo, 1 FROM sobrante AS s
) AS u
GROUP BY u.fuera, u.tipo
$$;
COMMENT ON FUNCTION etl.contar_lo_no_listado(p_tope bigint) IS 'Deja en la lista los últimos de cada tipo; los demás pasan a ser una cuenta';
CREATE FUNCTION etl.contar_reescritas() RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM dw.documento_movimiento) THEN
        RETURN 0;
    END IF;
    RETURN (
        SELECT coalesce(sum(least(v.lineas, n.lineas)), 0)
        FROM (
            SELECT d.id_documento, count(*) AS lineas
            FROM etl.salidas() AS s
            CROSS JOIN LATERAL (
                SELECT a.id_documento FROM dw.documento_movimiento AS a
                WHERE a.id_movimiento = s.id_movimiento
                OFFSET 0
            ) AS d
            WHERE s.motivo = 'quitada'
            GROUP BY d.id_documento
        ) AS v
        INNER JOIN (
            SELECT e.id_documento, count(*) AS lineas
            FROM etl.etapa AS e
            WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = e.id_movimiento)
                AND NOT EXISTS (SELECT FROM etl.cerrada AS c WHERE c.id_movimiento = e.id_movimiento)
            GROUP BY e.id_documento
        ) AS n ON n.id_documento = v.id_documento
    );
END
$$;
COMMENT ON FUNCTION etl.contar_reescritas() IS 'De lo que esta carga quita porque el OLTP ya no lo tiene, aquello en cuyo lugar su documento trae otros renglones: una corrección';
CREATE FUNCTION etl.contar_renumeradas() RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
SELECT count(*)
FROM etl.salidas() AS s
INNER JOIN etl.baja AS b ON b.id_movimiento = s.id_movimiento
INNER JOIN (
    SELECT DISTINCT v.tipo, v.id_producto, v.fecha, v.cantidad
    FROM etl.v_etapa AS v
    WHERE NOT EXISTS (SELECT FROM etl.baja AS c WHERE c.id_movimiento = v.id_movimiento)
) AS n
    ON n.id_producto = b.id_producto
    AND n.fecha = b.fecha
    AND n.tipo = b.tipo
    AND n.cantidad = b.cantidad
WHERE s.motivo = 'quitada'
$$;
COMMENT ON FUNCTION etl.contar_renumeradas() IS 'De lo que esta carga quitaría, cuántas filas trae también con un número que el kardex no tiene';
CREATE FUNCTION etl.contar_salidas() RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
SELECT jsonb_build_object(
    'quitadas', count(*) FILTER (WHERE s.motivo = 'quitada'),
    'reemplazadas', count(*) FILTER (WHERE s.motivo = 'reemplazada'),
    'primera', min(s.fecha) FILTER (WHERE s.motivo IN ('quitada', 'reemplazada')),
    'ultima', max(s.fecha) FILTER (WHERE s.motivo IN ('quitada', 'reemplazada'))
)
FROM etl.salidas() AS s
$$;
COMMENT ON FUNCTION etl.contar_salidas() IS 'Cuántas filas quita o reemplaza la carga en curso, y de qué fechas';
CREATE FUNCTION etl.contar_series(OUT ajenas bigint, OUT nuevas bigint) RETURNS record
    LANGUAGE sql STABLE
    AS $$
-- Sales and receipts may be numbered each by a sequence of its own, of which one begins anew.
SELECT
    coalesce(sum(s.ajenas) FILTER (WHERE s.empieza OR NOT s.alguna), 0)::bigint,
    coalesce(sum(s.nuevas) FILTER (WHERE s.empieza OR NOT s.alguna), 0)::bigint
FROM (
    SELECT
        t.ajenas, t.nuevas, t.ajenas > t.nuevas AS empieza,
        bool_or(t.ajenas > t.nuevas) OVER () AS alguna
    FROM (
        SELECT
            u.tipo, count(*) FILTER (WHERE u.ajena) AS ajenas,
            count(*) FILTER (WHERE NOT u.ajena) AS nuevas
        FROM (
            SELECT e.tipo, true AS ajena
            FROM etl.salidas() AS s
            INNER JOIN etl.etapa AS e ON e.id_movimiento = s.id_movimiento
            WHERE s.ajena
            UNION ALL
            SELECT e.tipo, false
            FROM etl.etapa AS e
            WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = e.id_movimiento)
                AND NOT EXISTS (SELECT FROM etl.cerrada AS c WHERE c.id_movimiento = e.id_movimiento)
                AND NOT EXISTS (SELECT FROM etl.descarte AS d WHERE d.id_movimiento = e.id_movimiento)
        ) AS u
        GROUP BY u.tipo
    ) AS t
) AS s
$$;
COMMENT ON FUNCTION etl.contar_series(OUT ajenas bigint, OUT nuevas bigint) IS 'De esta carga, las filas ajenas y las de número nuevo: de los tipos en que aquellas son más, o de todos si en ninguno lo son';
CREATE FUNCTION etl.conteos_sin_entradas() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT jsonb_build_object('productos', count(*), 'ejemplo', min(c.id_producto))
FROM (
    SELECT DISTINCT k.id_producto
    FROM dw.kardex AS k
    WHERE k.orden = 3 AND k.de_todo IS NULL AND k.id_sucursal <> 0
) AS c
INNER JOIN dw.producto AS p ON p.id_producto = c.id_producto AND p.inventariable
INNER JOIN (
    SELECT r.id_producto
    FROM dw.resumen_mensual AS r
    GROUP BY r.id_producto
    HAVING bool_or(r.id_sucursal <> 0 AND r.unidades_vendidas > 0)
        AND bool_or(r.id_sucursal = 0 AND r.unidades_recibidas > 0)
) AS m ON m.id_producto = c.id_producto
-- What comes in without a branch may be sent to one.
WHERE NOT EXISTS (
    SELECT FROM dw.kardex AS t
    WHERE t.id_producto = c.id_producto AND t.id_sucursal_destino IS NOT NULL AND t.id_sucursal = 0
)
$$;
COMMENT ON FUNCTION etl.conteos_sin_entradas() IS 'Cuántos productos se cuentan y se venden por sucursal, y se reciben sin ella: sus conteos hallan diferencias que no lo son';
CREATE FUNCTION etl.corregir_asientos(p_cerrado timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO etl.descarte (id_movimiento, fuera)
    SELECT e.id_movimiento, 'anulado' FROM etl.etapa AS e WHERE e.anulado;
    PERFORM etl.comparar(false);
    DELETE FROM etl.etapa AS e WHERE e.anulado;
    DELETE FROM etl.etapa AS e USING etl.baja AS b
    WHERE b.igual AND NOT b.reverso AND b.id_movimiento = e.id_movimiento;
    DELETE FROM etl.baja AS b WHERE b.igual;
    IF p_cerrado > '-infinity' THEN
        PERFORM etl.asentar(p_cerrado);
    END IF;
END
$$;
COMMENT ON FUNCTION etl.corregir_asientos(p_cerrado timestamp with time zone) IS 'Lo que está en etl.etapa, como está y sin juzgarlo, frente a lo asentado: deja en etl.etapa las altas y en etl.baja las bajas; lo anulado sale';
CREATE FUNCTION etl.correr_resumen_movil(p_antes date, p_corte date, p_zona text) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_cerrado timestamptz := etl.cerrado_hasta();
BEGIN
    -- The days that the windows leave behind, and those they reach that were dated ahead.
    -- Product by product: its ledger is in order of date, the whole one is not.
    INSERT INTO dw.resumen_movil AS r
    SELECT
        i.id_producto,
        coalesce(sum((d.ahora / 2 - d.antes / 2) * k.vendidas), 0),
        coalesce(sum((least(d.ahora, 1) - least(d.antes, 1)) * k.vendidas), 0),
        coalesce(sum((least(d.ahora, 1) - least(d.antes, 1)) * k.neta), 0),
        coalesce(sum((least(d.ahora, 1) - least(d.antes, 1)) * -k.entra), 0)
    FROM dw.inventario AS i
    INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
    CROSS JOIN (VALUES
        (p_antes - 364, least(p_corte - 365, p_antes)),
        (greatest(p_antes - 89, p_corte - 364), least(p_corte - 90, p_antes)),
        (p_antes + 1, p_corte)
    ) AS b (desde, hasta)
    CROSS JOIN LATERAL (
        SELECT
            (f.fecha AT TIME ZONE p_zona)::date AS dia, t.signo * f.costo_total AS entra,
            CASE WHEN t.signo = 0 THEN 0 WHEN t.resta <> f.reverso THEN -f.cantidad ELSE f.cantidad END
                AS vendidas,
            dw.venta_neta(
                CASE WHEN f.importe IS NULL THEN f.cantidad ELSE 1.000000 END
                * CASE WHEN t.resta <> f.reverso THEN -1 ELSE 1 END,
                coalesce(f.importe, f.precio_unitario),
                CASE WHEN f.reverso OR f.fecha < v_cerrado
                    THEN etl.tasa_asentada(
                        f.id_producto, f.fecha, f.id_movimiento, f.capa, f.reverso,
                        (f.fecha_documento AT TIME ZONE p_zona)::date, f.impuesto, f.precio_con_impuesto
                    )
                    ELSE etl.tasa_de_venta(
                        f.impuesto, f.precio_con_impuesto, p.precio_con_impuesto, p.impuesto, p.tasas,
                        (f.fecha_documento AT TIME ZONE p_zona)::date
                    )
                END
            ) AS neta
        FROM dw.kardex AS f
        INNER JOIN dw.tipo_movimiento AS t ON t.tipo = f.tipo AND t.clase = 'ventas'
        WHERE f.id_producto = i.id_producto
            -- For the index: a midnight that a clock put back makes twice is the later one here.
            AND f.fecha >= (b.desde - 1)::timestamp AT TIME ZONE p_zona
            AND f.fecha < (b.hasta + 2)::timestamp AT TIME ZONE p_zona
        OFFSET 0
    ) AS k
    CROSS JOIN LATERAL (
        SELECT etl.franja(k.dia, p_antes)::int AS antes, etl.franja(k.dia, p_corte)::int AS ahora
    ) AS d
    WHERE k.dia BETWEEN b.desde AND b.hasta
    GROUP BY i.id_producto
    ON CONFLICT (id_producto) DO UPDATE SET
        unidades_90 = r.unidades_90 + excluded.unidades_90,
        unidades_365 = r.unidades_365 + excluded.unidades_365,
        venta_neta_365 = r.venta_neta_365 + excluded.venta_neta_365,
        costo_ventas_365 = r.costo_ventas_365 + excluded.costo_ventas_365;
END
$$;
COMMENT ON FUNCTION etl.correr_resumen_movil(p_antes date, p_corte date, p_zona text) IS 'Lleva dw.resumen_movil de un corte a otro posterior, con el kardex y los impuestos que había';
CREATE FUNCTION etl.costo_valido(costo numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE WHEN costo > 0 AND costo < 1e11 THEN nullif(round(costo, 6), 0) END
$$;
COMMENT ON FUNCTION etl.costo_valido(costo numeric) IS 'Un costo de referencia, a 6 decimales; nulo si no es ninguno: 0, negativo, ni un número posible';
CREATE FUNCTION etl.dar_de_baja_borrados(p_revisados jsonb) RETURNS void
    LANGUAGE sql
    AS $$
-- Twice OFFSET 0 as in etl.tramos().
INSERT INTO etl.baja
SELECT r.*, false
FROM (
    SELECT k.*
    FROM jsonb_array_elements_text(coalesce(nullif(p_revisados, 'null'), '[]')) AS v (id)
    CROSS JOIN LATERAL (
        SELECT * FROM dw.kardex AS f WHERE f.id_movimiento = v.id::bigint OFFSET 0
    ) AS k
    OFFSET 0
) AS r
WHERE etl.puede_irse(r.fecha_documento, r.capa, (SELECT etl.cerrado_hasta()))
    AND NOT etl.es_ajuste(r.id_movimiento)
    AND NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_movimiento)
    AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = r.id_movimiento)
$$;
COMMENT ON FUNCTION etl.dar_de_baja_borrados(p_revisados jsonb) IS 'De los movimientos que esta lectura buscó por su número, los que el OLTP ya no tiene salen del kardex';
CREATE FUNCTION etl.dar_de_baja_desconocidos() RETURNS void
    LANGUAGE sql
    AS $$
-- All that the OLTP has of them was read: what was not is no more. Twice OFFSET 0 as in etl.tramos().
INSERT INTO etl.baja
SELECT r.*, false
FROM (
    SELECT k.*
    FROM dw.producto AS p
    CROSS JOIN LATERAL (
        SELECT * FROM dw.kardex AS f WHERE f.id_producto = p.id_producto OFFSET 0
    ) AS k
    WHERE NOT p.vigente
    OFFSET 0
) AS r
WHERE etl.puede_irse(r.fecha_documento, r.capa, (SELECT etl.cerrado_hasta()))
    AND NOT etl.es_ajuste(r.id_movimiento)
    AND NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_movimiento)
$$;
COMMENT ON FUNCTION etl.dar_de_baja_desconocidos() IS 'De los productos que ya no están en productos.sql, los movimientos que el OLTP ya no tiene salen del kardex como los que tiene';
CREATE FUNCTION etl.dar_de_baja_lineas(p_lineas bigint[]) RETURNS void
    LANGUAGE sql
    AS $$
-- A correction moves what both do: see etl.anotar_atrasadas().
UPDATE etl.etapa AS e SET atrasada = true
WHERE cardinality(p_lineas) > 0 AND EXISTS (SELECT FROM dw.ajuste_existencias)
    AND e.id_documento IN (
        SELECT d.id_documento FROM dw.documento_movimiento AS d WHERE d.id_movimiento = ANY (p_lineas)
    )
    AND (SELECT true FROM dw.kardex AS k WHERE k.id_movimiento = e.id_movimiento LIMIT 1) IS NULL;
-- As etl.clasificar() finds what was read: of what is closed, the last, which is reversed.
INSERT INTO etl.baja
SELECT k.*, false
FROM unnest(p_lineas) AS v (id_movimiento)
CROSS JOIN LATERAL (
    SELECT * FROM dw.kardex AS f
    WHERE f.id_movimiento = v.id_movimiento AND (
        f.fecha >= etl.cerrado_hasta()
        OR NOT EXISTS (
            SELECT FROM dw.kardex AS g
            WHERE g.id_movimiento = f.id_movimiento AND g.capa = f.capa + 1
                AND g.fecha < etl.cerrado_hasta()
        )
    )
    OFFSET 0
) AS k
$$;
COMMENT ON FUNCTION etl.dar_de_baja_lineas(p_lineas bigint[]) IS 'Lo que un documento ya no tiene sale del kardex o, si está cerrado, se reversa; anota lo que hay en su lugar';
CREATE UNLOGGED TABLE etl.delta (
    nivel smallint NOT NULL,
    dia date,
    mes date,
    franja smallint,
    id_sucursal bigint,
    categoria text,
    id_producto bigint,
    movimientos bigint NOT NULL,
    unidades_vendidas numeric NOT NULL,
    venta_bruta numeric NOT NULL,
    venta_neta numeric NOT NULL,
    costo_ventas numeric NOT NULL,
    ajuste numeric NOT NULL,
    unidades_recibidas numeric NOT NULL,
    costo_recibido numeric NOT NULL,
    unidades_90 numeric DEFAULT 0 NOT NULL,
    devoluciones numeric DEFAULT 0 NOT NULL,
    unidades_devueltas numeric DEFAULT 0 NOT NULL,
    mermas numeric DEFAULT 0 NOT NULL,
    unidades_merma numeric DEFAULT 0 NOT NULL,
    variacion numeric DEFAULT 0 NOT NULL
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.delta IS 'Lo que cada resumen gana o pierde en esta carga';
COMMENT ON COLUMN etl.delta.nivel IS '1: dw.resumen_diario; 2: dw.resumen_mensual; 3: dw.resumen_movil, con sus unidades, venta y costo de 365 días; 4: dw.resumen_sucursal';
COMMENT ON COLUMN etl.delta.franja IS 'En el nivel 2, de qué días del mes: ver etl.franja()';
CREATE FUNCTION etl.diferencias_de_resumen(p_zona text, p_corte date) RETURNS SETOF etl.delta
    LANGUAGE sql STABLE
    AS $$
WITH suma AS MATERIALIZED (
    SELECT * FROM etl.sumar(p_zona, p_corte, true)
)
SELECT
    s.nivel, s.dia, s.mes, NULL::smallint, s.id_sucursal, s.categoria, s.id_producto,
    sum(s.movimientos)::bigint,
    sum(s.unidades_vendidas), sum(s.venta_bruta), sum(s.venta_neta), sum(s.costo_ventas),
    sum(s.ajuste), sum(s.unidades_recibidas), sum(s.costo_recibido), sum(s.unidades_90),
    sum(s.devoluciones), sum(s.unidades_devueltas), sum(s.mermas), sum(s.unidades_merma),
    coalesce(sum(s.variacion) FILTER (WHERE s.nivel = 4), 0)
FROM (
    SELECT * FROM suma
    UNION ALL
    SELECT
        3, NULL, NULL, NULL, NULL, NULL, d.id_producto, 0, d.unidades_vendidas, 0,
        d.venta_neta, d.costo_ventas, 0, 0, 0,
        CASE WHEN d.franja = 2 THEN d.unidades_vendidas ELSE 0 END, 0, 0, 0, 0, 0
    FROM suma AS d
    WHERE d.nivel = 2 AND d.franja > 0
    UNION ALL
    SELECT
        4, NULL, NULL, NULL, d.id_sucursal, NULL, d.id_producto, d.movimientos, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, d.variacion
    FROM suma AS d
    WHERE d.nivel = 2
    UNION ALL
    SELECT
        4, NULL, NULL, NULL, m.id_sucursal, NULL, k.id_producto, m.movimientos, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, m.variacion
    FROM dw.kardex AS k
    CROSS JOIN LATERAL (
        VALUES (k.id_sucursal, 0, -k.cantidad), (k.id_sucursal_destino, 1, k.cantidad)
    ) AS m (id_sucursal, movimientos, variacion)
    WHERE k.id_sucursal_destino IS NOT NULL
    UNION ALL
    SELECT
        1, r.dia, NULL, NULL, r.id_sucursal, r.categoria, NULL, -r.movimientos,
        -r.unidades_vendidas, -r.venta_bruta, -r.venta_neta, -r.costo_ventas, -r.ajuste,
        -r.unidades_recibidas, -r.costo_recibido, 0, -r.devoluciones, -r.unidades_devueltas,
        -r.mermas, -r.unidades_merma, 0
    FROM dw.resumen_diario AS r
    UNION ALL
    SELECT
        2, NULL, r.mes, NULL, r.id_sucursal, NULL, r.id_producto, -r.movimientos,
        -r.unidades_vendidas, -r.venta_bruta, -r.venta_neta, -r.costo_ventas, -r.ajuste,
        -r.unidades_recibidas, -r.costo_recibido, 0, -r.devoluciones, -r.unidades_devueltas,
        -r.mermas, -r.unidades_merma, 0
    FROM dw.resumen_mensual AS r
    UNION ALL
    SELECT
        3, NULL, NULL, NULL, NULL, NULL, r.id_producto, 0, -r.unidades_365, 0,
        -r.venta_neta_365, -r.costo_ventas_365, 0, 0, 0, -r.unidades_90, 0, 0, 0, 0, 0
    FROM dw.resumen_movil AS r
    UNION ALL
    SELECT
        4, NULL, NULL, NULL, r.id_sucursal, NULL, r.id_producto, -r.movimientos, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, -r.variacion
    FROM dw.resumen_sucursal AS r
) AS s
GROUP BY s.nivel, s.dia, s.mes, s.id_sucursal, s.categoria, s.id_producto
HAVING (
    sum(s.movimientos), sum(s.unidades_vendidas), sum(s.venta_bruta), sum(s.venta_neta),
    sum(s.costo_ventas), sum(s.ajuste), sum(s.unidades_recibidas), sum(s.costo_recibido),
    sum(s.unidades_90), sum(s.devoluciones), sum(s.unidades_devueltas), sum(s.mermas),
    sum(s.unidades_merma), coalesce(sum(s.variacion) FILTER (WHERE s.nivel = 4), 0)
) IS DISTINCT FROM (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
$$;
COMMENT ON FUNCTION etl.diferencias_de_resumen(p_zona text, p_corte date) IS 'Las sumas del kardex menos lo que dicen los resúmenes: nada, salvo que alguien los haya tocado';
CREATE FUNCTION etl.documentos_de_movimientos(p_movimientos bigint[]) RETURNS TABLE(id_movimiento bigint, id_documento bigint, clave_documento text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT d.id_movimiento, d.id_documento, d.clave_documento
FROM dw.documento_movimiento AS d
WHERE d.id_movimiento = ANY (p_movimientos) AND d.id_documento IS NOT NULL
$$;
COMMENT ON FUNCTION etl.documentos_de_movimientos(p_movimientos bigint[]) IS 'De qué documento es cada uno de esos movimientos, si se sabe';
CREATE FUNCTION etl.en_cuarentena() RETURNS TABLE(id_producto bigint, id_sucursal bigint, cantidad numeric, se_sabe boolean)
    LANGUAGE sql STABLE
    AS $$
-- What it will move once it enters; of a count, and of what is no quantity, nobody knows.
SELECT m.id_producto, m.id_sucursal, m.cantidad, m.se_sabe
FROM (
    SELECT
        r.id_producto, coalesce(r.id_sucursal, 0) AS origen, r.id_sucursal_destino AS destino, t.destino AS va,
        t.regla, t.regla IN ('ninguna', 'sumar_costo') AND NOT t.destino
        OR t.regla <> 'contar' AND r.cantidad > -1e11 AND r.cantidad < 1e11 AS se_sabe,
        CASE
            WHEN r.cantidad > -1e11 AND r.cantidad < 1e11 THEN round(r.cantidad, 6)
            * CASE WHEN t.regla IN ('recibir', 'devolver_venta') THEN 1
                WHEN t.regla IN ('al_promedio', 'devolver_compra') OR t.destino THEN -1 ELSE 0 END
            ELSE 0
        END AS sale
    FROM etl.rechazo AS r
    LEFT JOIN dw.tipo_movimiento AS t ON t.tipo = r.tipo
    WHERE r.id_producto IS NOT NULL
) AS r
CROSS JOIN LATERAL (
    SELECT r.id_producto, r.origen AS id_sucursal, r.sale AS cantidad, coalesce(r.se_sabe, false) AS se_sabe
    UNION ALL
    SELECT r.id_producto, r.destino, -r.sale, coalesce(r.se_sabe, false)
    WHERE r.va
) AS m
$$;
COMMENT ON FUNCTION etl.en_cuarentena() IS 'De los rechazos que nombran un producto: lo que moverá cada uno en su sucursal cuando entre, y si se sabe; de un traslado, en las dos, y en ninguna (nula) si no dice adónde va';
CREATE FUNCTION etl.es_ajuste(p_movimiento bigint) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT p_movimiento < -1152921504606846976
$$;
COMMENT ON FUNCTION etl.es_ajuste(p_movimiento bigint) IS 'Si un movimiento es de dw.ajuste_existencias, y no del OLTP: los números menores que -2^60 son nuestros';
CREATE FUNCTION etl.es_inicial(p_movimiento bigint) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT p_movimiento < -2305843009213693952
$$;
COMMENT ON FUNCTION etl.es_inicial(p_movimiento bigint) IS 'Si es el ajuste con que un producto empieza: su saldo inicial, ni merma ni sobrante';
CREATE FUNCTION etl.es_nueva(p_movimiento bigint, p_previsto bigint) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
-- Numbers that are hashes say nothing of when they were given; a sequence never gets so far.
SELECT p_movimiento > p_previsto OR p_previsto IS NULL OR p_previsto > 1125899906842624
$$;
COMMENT ON FUNCTION etl.es_nueva(p_movimiento bigint, p_previsto bigint) IS 'Si un movimiento se escribió después de empezar, por su número; los números que no son de una secuencia lo parecen todos';
CREATE FUNCTION etl.es_otra_base(p_antes jsonb, p_ahora jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT (p_antes -> 'sistema', p_antes -> 'base') IS DISTINCT FROM (p_ahora -> 'sistema', p_ahora -> 'base')
$$;
COMMENT ON FUNCTION etl.es_otra_base(p_antes jsonb, p_ahora jsonb) IS 'Si lo leído es de otro servidor o de otra base; la línea de tiempo cambia también en la misma';
CREATE FUNCTION etl.esperan_cierre(p_desde timestamp with time zone, p_hasta timestamp with time zone) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
WITH esperan AS (
    SELECT
        true AS es_rechazo, r.fecha, r.id_movimiento, r.tipo, r.id_producto, r.motivo
    FROM etl.rechazo AS r
    WHERE r.fecha IS NULL OR r.fecha < p_hasta
    UNION ALL
    SELECT false, k.fecha, k.id_movimiento, k.tipo, k.id_producto, 'costo provisional'
    FROM (
        SELECT
            f.*,
            -- What is in stock again has had the receipt that it waited for.
            bool_or(f.existencias >= 0) OVER (
                PARTITION BY f.id_producto
                ORDER BY f.fecha DESC, f.fecha_documento DESC, f.orden DESC, f.id_movimiento DESC, f.capa DESC
            ) AS saldada
        FROM dw.kardex AS f
        WHERE f.fecha >= p_desde AND f.fecha < p_hasta
    ) AS k
    WHERE k.provisional AND NOT k.saldada
)
SELECT jsonb_build_object(
    'rechazos', (SELECT count(*) FROM esperan AS e WHERE e.es_rechazo),
    'provisionales', (SELECT count(*) FROM esperan AS e WHERE NOT e.es_rechazo),
    'esperan', (
        SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.es_rechazo DESC, e.fecha, e.id_movimiento), '[]')
        FROM (
            SELECT * FROM esperan AS e ORDER BY e.es_rechazo DESC, e.fecha, e.id_movimiento LIMIT 10
        ) AS e
    )
)
$$;
COMMENT ON FUNCTION etl.esperan_cierre(p_desde timestamp with time zone, p_hasta timestamp with time zone) IS 'De lo que un cierre cerraría, cuántos rechazos esperan y cuántas ventas aún tienen un costo provisional, y los primeros diez';
CREATE FUNCTION etl.esta_base() RETURNS text
    LANGUAGE sql STABLE
    AS $$
SELECT concat_ws('/', s.system_identifier, c.timeline_id, d.oid)
FROM pg_control_system() AS s
CROSS JOIN pg_control_checkpoint() AS c
CROSS JOIN pg_database AS d
WHERE d.datname = current_database()
$$;
COMMENT ON FUNCTION etl.esta_base() IS 'Qué base es esta: su servidor, su línea de tiempo y su número; una restaurada es otra';
CREATE FUNCTION etl.estado_operacion(p_ventanas integer) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT jsonb_build_object(
    'control', etl.leer_control(),
    'ventanas', (
        SELECT coalesce(jsonb_agg(to_jsonb(c) - 'identidad' ORDER BY c.numero DESC), '[]')
        FROM (SELECT * FROM etl.corrida AS c ORDER BY c.numero DESC LIMIT p_ventanas) AS c
    ),
    'probada', (SELECT u.probada FROM etl.prueba AS u),
    'probada_entera', (SELECT u.entera FROM etl.prueba AS u),
    'cierre', etl.ultimo_cierre(),
    'impuesto_dicho', etl.impuesto_dicho(),
    'rechazos', etl.motivos_de_rechazo(),
    'fuera_de_alcance', etl.resumir_fuera_de_alcance(),
    'diferencias', etl.resumir_diferencias(),
    'bajo_cero', (
        SELECT coalesce(jsonb_agg(to_jsonb(n) ORDER BY n.existencias), '[]')
        FROM (
            SELECT i.id_producto, p.codigo, p.nombre, i.existencias, i.costo_promedio
            FROM dw.inventario AS i
            INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
            WHERE i.existencias < 0
            ORDER BY i.existencias
            LIMIT 20
        ) AS n
    ),
    'bajo_cero_total', (SELECT count(*) FROM dw.inventario AS i WHERE i.existencias < 0),
    'gratis', (
        SELECT coalesce(jsonb_agg(to_jsonb(g) ORDER BY g.fecha DESC), '[]')
        FROM (
            SELECT k.id_movimiento, k.id_producto, p.nombre, k.fecha, k.cantidad
            FROM dw.kardex AS k
            INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
            WHERE k.salto_costo = 0
            ORDER BY k.fecha DESC
            LIMIT 20
        ) AS g
    ),
    'saltos', (
        SELECT coalesce(jsonb_agg(to_jsonb(g) ORDER BY g.fecha DESC), '[]')
        FROM (
            SELECT k.id_movimiento, k.id_producto, p.nombre, k.fecha, k.costo_unitario, k.salto_costo
            FROM dw.kardex AS k
            INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
            WHERE k.salto_costo > 0
            ORDER BY k.fecha DESC
            LIMIT 20
        ) AS g
    ),
    'origenes', etl.origenes_por_revisar(),
    'productos', (SELECT count(*) FROM dw.inventario),
    'valor', (SELECT coalesce(sum(i.valor), 0) FROM dw.inventario AS i WHERE i.existencias > 0)
)
$$;
COMMENT ON FUNCTION etl.estado_operacion(p_ventanas integer) IS 'Todo lo que muestra el comando status: control, última comprobación, último cierre, si se sabe el impuesto de los precios, últimas ventanas, rechazos, existencias que no son las de la tienda o están bajo cero, entradas a costo 0, orígenes por revisar';
CREATE FUNCTION etl.existencias_que_difieren(p_productos bigint[]) RETURNS TABLE(id_producto bigint, id_sucursal bigint, nuestras numeric, tienda numeric)
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN QUERY
    WITH de_la_tienda AS (
        SELECT t.* FROM dw.existencias_tienda AS t WHERE p_productos IS NULL OR t.id_producto = ANY (p_productos)
    ), por_sucursal AS MATERIALIZED (
        SELECT DISTINCT t.id_producto FROM de_la_tienda AS t WHERE t.id_sucursal IS NOT NULL
    ), nuestra AS (
        SELECT i.id_producto, NULL::bigint AS id_sucursal, i.existencias::numeric
        FROM dw.inventario AS i
        WHERE (p_productos IS NULL OR i.id_producto = ANY (p_productos))
            AND NOT EXISTS (SELECT FROM por_sucursal AS s WHERE s.id_producto = i.id_producto)
        UNION ALL
        SELECT e.id_producto, e.id_sucursal, e.existencias
        FROM dw.existencias_sucursal AS e
        WHERE (p_productos IS NULL OR e.id_producto = ANY (p_productos))
            AND EXISTS (SELECT FROM por_sucursal AS s WHERE s.id_producto = e.id_producto)
    )
    SELECT
        coalesce(n.id_producto, t.id_producto), coalesce(n.id_sucursal, t.id_sucursal),
        coalesce(n.existencias, 0), t.existencias
    FROM nuestra AS n
    FULL JOIN de_la_tienda AS t
        ON t.id_producto = n.id_producto
        AND coalesce(t.id_sucursal, -9223372036854775808) = coalesce(n.id_sucursal, -9223372036854775808)
    WHERE coalesce(n.existencias, 0) <> coalesce(t.existencias, 0)
        -- What is no stock has none to compare, whatever either side keeps of it.
        AND NOT EXISTS (
            SELECT FROM dw.producto AS p
            WHERE NOT p.inventariable AND p.id_producto = coalesce(n.id_producto, t.id_producto)
        );
END
$$;
COMMENT ON FUNCTION etl.existencias_que_difieren(p_productos bigint[]) IS 'De esos productos, o de todos (nulo), nuestras existencias y las de la tienda donde no son iguales: por sucursal si así las da; no de lo que no es inventariable';
CREATE FUNCTION etl.extender_tramos() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT etl.hay_origenes() THEN
        RETURN;
    END IF;
    -- A cost is part of its receipt, before or after it: what changes one changes the other.
    UPDATE etl.tramo AS t
    SET desde = least(t.desde, c.fecha)
    FROM (
        SELECT o.id_producto, min(o.fecha) AS fecha
        FROM (
            SELECT k.id_producto, k.fecha
            FROM (
                SELECT e.id_producto, e.id_origen, e.tipo FROM etl.etapa AS e
                WHERE e.id_origen IS NOT NULL
                UNION ALL
                SELECT b.id_producto, b.id_origen, b.tipo FROM etl.baja AS b
                WHERE b.id_origen IS NOT NULL
            ) AS c
            INNER JOIN dw.tipo_movimiento AS p ON p.tipo = c.tipo AND p.regla = 'sumar_costo'
            CROSS JOIN LATERAL (
                SELECT f.id_producto, f.fecha, f.tipo FROM dw.kardex AS f
                WHERE f.id_movimiento = c.id_origen OFFSET 0
            ) AS k
            WHERE k.id_producto = c.id_producto AND k.tipo = p.tipo_origen
            UNION ALL
            SELECT k.id_producto, k.fecha
            FROM (
                SELECT e.id_producto, e.id_movimiento, e.tipo FROM etl.etapa AS e
                UNION ALL
                SELECT b.id_producto, b.id_movimiento, b.tipo FROM etl.baja AS b
            ) AS r
            INNER JOIN dw.tipo_movimiento AS p ON p.tipo_origen = r.tipo AND p.regla = 'sumar_costo'
            CROSS JOIN LATERAL (
                SELECT f.id_producto, f.fecha, f.tipo FROM dw.kardex AS f
                WHERE f.id_producto = r.id_producto AND f.id_origen = r.id_movimiento
                OFFSET 0
            ) AS k
            WHERE k.tipo = p.tipo
        ) AS o
        GROUP BY o.id_producto
    ) AS c
    WHERE c.id_producto = t.id_producto AND c.fecha < t.desde;
END
$$;
COMMENT ON FUNCTION etl.extender_tramos() IS 'Un costo que se añade y su entrada cambian juntos: el tramo empieza en la primera de las dos';
CREATE FUNCTION etl.fechas_por_revisar() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT jsonb_build_object(
    'movimientos', (
        -- Whatever kept it out before: it may be its date now.
        SELECT coalesce(jsonb_agg(f.id_movimiento), '[]') FROM etl.fuera_de_alcance AS f
    ),
    'apertura', (
        SELECT max(a.fecha) FROM dw.apertura AS a WHERE a.fecha < 'infinity'
    )
)
$$;
COMMENT ON FUNCTION etl.fechas_por_revisar() IS 'Qué movimientos busca una lectura completa aunque su fecha los deje fuera, y la última apertura';
CREATE FUNCTION etl.fines_de_mes(p_corte date, p_zona text) RETURNS timestamp with time zone[]
    LANGUAGE sql STABLE
    AS $$
-- A month is over at the first instant of the next.
SELECT coalesce(array_agg(etl.inicio_del_dia((g.mes + interval '1 month')::date, p_zona) ORDER BY g.mes), '{}')
FROM generate_series(
    date_trunc('month', (p_corte - 364)::timestamp), date_trunc('month', p_corte::timestamp),
    interval '1 month'
) AS g (mes)
WHERE (g.mes + interval '1 month - 1 day')::date BETWEEN p_corte - 364 AND p_corte
$$;
COMMENT ON FUNCTION etl.fines_de_mes(p_corte date, p_zona text) IS 'Los fines de mes de los 365 días que terminan en el corte';
CREATE FUNCTION etl.franja(p_dia date, p_corte date) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT (CASE
    WHEN p_dia > p_corte OR p_dia <= p_corte - 365 THEN 0
    WHEN p_dia > p_corte - 90 THEN 2
    ELSE 1
END)::smallint
$$;
COMMENT ON FUNCTION etl.franja(p_dia date, p_corte date) IS '2: de los 90 días que terminan en el corte; 1: de los 365, no de los 90; 0: de ninguno';
CREATE FUNCTION etl.hay_claves() RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
SELECT EXISTS (
    SELECT FROM etl.etapa AS e
    WHERE coalesce(e.clave, e.clave_documento, e.clave_producto, e.clave_sucursal, e.clave_origen, e.clave_destino)
        IS NOT NULL
) OR EXISTS (SELECT FROM etl.etapa_producto AS p WHERE p.clave IS NOT NULL)
OR EXISTS (SELECT FROM etl.etapa_sucursal AS s WHERE s.clave IS NOT NULL)
OR EXISTS (SELECT FROM etl.etapa_existencia AS x WHERE coalesce(x.clave_producto, x.clave_sucursal) IS NOT NULL)
$$;
COMMENT ON FUNCTION etl.hay_claves() IS 'Si de lo leído algún id no es un número';
CREATE FUNCTION etl.hay_origenes() RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
-- In the order of its index, or statistics may have it read the whole ledger.
SELECT (
    SELECT k.id_origen FROM dw.kardex AS k
    WHERE k.id_origen IS NOT NULL
    ORDER BY k.id_producto, k.id_origen, k.fecha
    LIMIT 1
) IS NOT NULL OR EXISTS (SELECT FROM etl.tramo AS t WHERE t.nombra)
$$;
COMMENT ON FUNCTION etl.hay_origenes() IS 'Si algún movimiento, del kardex o que entra, nombra a otro: las tiendas que no los usan se ahorran buscarlos';
CREATE FUNCTION etl.hay_sucursales() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT EXISTS (SELECT FROM dw.existencias_sucursal AS e WHERE e.id_sucursal <> 0)
$$;
COMMENT ON FUNCTION etl.hay_sucursales() IS 'Si algo se ha movido en alguna sucursal';
CREATE FUNCTION etl.huella(p_contenido bytea, p_reloj timestamp without time zone, p_rapida boolean) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
-- A record of one column: of several, PostgreSQL adds the hashes up, and those of two movements that
-- change places come to the same.
SELECT CASE
    WHEN p_rapida THEN hash_record_extended(
        ROW(p_contenido || coalesce(timestamp_send(p_reloj), '')), 0
    ) & 9223372036854775807
    ELSE (
        'x' || left(md5(p_contenido || coalesce(timestamp_send(p_reloj), '')), 15)
    )::bit(60)::bigint
END
$$;
COMMENT ON FUNCTION etl.huella(p_contenido bytea, p_reloj timestamp without time zone, p_rapida boolean) IS 'Huella de un contenido y su fecha, en UTC o en la zona de la tienda si el OLTP la guarda sin zona: la que hace PostgreSQL para sus tablas (rápida), o de md5';
CREATE TABLE dw.cierre (
    hasta timestamp with time zone NOT NULL,
    dia date NOT NULL,
    cerrado timestamp with time zone DEFAULT now() NOT NULL,
    movimientos bigint,
    existencias numeric,
    valor numeric,
    huella text
);
COMMENT ON TABLE dw.cierre IS 'Los cierres: lo asentado antes de hasta ya no cambia; lo que llega o se corrige después se asienta allí';
COMMENT ON COLUMN dw.cierre.hasta IS 'El primer instante que queda abierto';
COMMENT ON COLUMN dw.cierre.dia IS 'El último día cerrado';
COMMENT ON COLUMN dw.cierre.movimientos IS 'Filas del kardex de su período';
COMMENT ON COLUMN dw.cierre.existencias IS 'Al terminar, de todos los productos, como valor';
COMMENT ON COLUMN dw.cierre.huella IS 'sha256 de sus cifras, de las filas de su período en su orden y de la huella anterior; nula mientras se cierra';
CREATE FUNCTION etl.huella_del_periodo(p_cierre dw.cierre, p_suma bytea, p_anterior text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT encode(sha256(convert_to(concat_ws(
    '|', p_anterior, p_cierre.dia - date '2000-01-01', extract(epoch FROM p_cierre.hasta), p_cierre.movimientos,
    p_cierre.existencias, p_cierre.valor
), 'UTF8') || coalesce(p_suma, '')), 'hex')
$$;
COMMENT ON FUNCTION etl.huella_del_periodo(p_cierre dw.cierre, p_suma bytea, p_anterior text) IS 'sha256 de las cifras de un cierre y de lo que suman las filas de su período, como etl.sumar_periodos(), tras la huella del anterior';
CREATE FUNCTION etl.huella_politica(p_incluye_impuesto boolean, p_dia date) RETURNS text
    LANGUAGE sql STABLE
    AS $$
SELECT md5(p_incluye_impuesto::text || coalesce(
    -- With what of it is still to come: the prices of its day are others.
    string_agg(p::text || (p.desde IS NULL OR p.desde <= p_dia)::text, '|' ORDER BY p.id_producto, p.categoria, p.desde), ''
))
FROM dw.politica_precio AS p
$$;
COMMENT ON FUNCTION etl.huella_politica(p_incluye_impuesto boolean, p_dia date) IS 'Huella de la política de precios como vale un día, para ver si cambió';
CREATE FUNCTION etl.igualar_existencias(p_extracto jsonb, p_opciones jsonb, p_control etl.control, p_corte date) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_ventana timestamptz := (p_extracto ->> 'hasta')::timestamptz;
    v_salidas jsonb;
    v_ajustes jsonb;
    v_llevados bigint;
    v_esperadas jsonb;
BEGIN
    IF EXISTS (SELECT FROM dw.ajuste_existencias) THEN
        PERFORM etl.anotar_atrasadas(p_extracto, p_control.hasta);
        v_salidas := etl.contar_salidas();
        -- All that were ever booked are many: none needs it but for the catalogue, an opening or what came in.
        IF (p_extracto ->> 'imagen_completa')::boolean
            OR coalesce((p_extracto ->> 'catalogo_completo')::boolean, false)
            OR p_corte > (p_control.hasta AT TIME ZONE (p_opciones ->> 'zona'))::date THEN
            v_llevados := etl.llevar_ajustes(NULL, p_control.corridas + 1, p_opciones, p_corte);
        END IF;
        IF v_llevados > 0 THEN
            PERFORM etl.comparar_existencias(ARRAY(SELECT t.id_producto FROM etl.tramo AS t), v_ventana);
        END IF;
    END IF;
    v_ajustes := etl.asentar_ajustes(p_control, p_extracto, p_opciones);
    IF v_ajustes IS NOT NULL THEN
        v_salidas := coalesce(v_salidas, etl.contar_salidas());
        SELECT jsonb_agg(jsonb_build_array(d.id_producto, d.id_sucursal, d.nuestras + a.cantidad)) INTO v_esperadas
        FROM (
            SELECT b.id_producto, b.id_sucursal, sum(b.cantidad) AS cantidad
            FROM dw.ajuste_existencias AS b
            WHERE b.hasta = v_ventana AND b.desde = (p_extracto ->> 'desde')::timestamptz
            GROUP BY b.id_producto, b.id_sucursal
        ) AS a
        INNER JOIN etl.diferencia_existencias AS d
            ON d.id_producto = a.id_producto AND d.id_sucursal IS NOT DISTINCT FROM a.id_sucursal;
        PERFORM etl.llevar_ajustes(
            ARRAY(
                SELECT coalesce(b.deshace, b.id_movimiento)
                FROM dw.ajuste_existencias AS b
                WHERE b.hasta = v_ventana AND b.desde = (p_extracto ->> 'desde')::timestamptz
            ),
            p_control.corridas + 1, p_opciones, p_corte
        );
        PERFORM etl.comparar_existencias(ARRAY(SELECT t.id_producto FROM etl.tramo AS t), v_ventana);
        PERFORM etl.comprobar_igualadas(v_esperadas);
    END IF;
    RETURN jsonb_build_object(
        'ajustes', v_ajustes,
        'salidas', v_salidas,
        'diferencias_nuevas', (
            SELECT count(DISTINCT d.id_producto) FROM etl.diferencia_existencias AS d WHERE d.desde = v_ventana
        )
    );
END
$$;
COMMENT ON FUNCTION etl.igualar_existencias(p_extracto jsonb, p_opciones jsonb, p_control etl.control, p_corte date) IS 'Lleva los ajustes al kardex, asienta los que faltan y compara otra vez; devuelve lo asentado, lo que la carga sacó del kardex antes de ello y cuántos productos difieren que antes no';
CREATE FUNCTION etl.importar_ajustes(p_ajustes jsonb, p_opciones jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_opciones ->> 'zona');
    v_mala record;
    v_nuevos bigint;
    v_llevados bigint := 0;
    v_tocados bigint[];
BEGIN
    PERFORM etl.preparar_carga();
    CREATE TEMP TABLE ajuste_nuevo ON COMMIT DROP AS
    SELECT * FROM jsonb_populate_recordset(NULL::dw.ajuste_existencias, p_ajustes);
    -- Each number is made of its line: a line that was edited is no adjustment.
    SELECT n.* INTO v_mala
    FROM pg_temp.ajuste_nuevo AS n
    LEFT JOIN dw.ajuste_existencias AS a ON a.id_movimiento = n.id_movimiento
    LEFT JOIN (
        SELECT f.* FROM pg_temp.ajuste_nuevo AS f
        UNION
        SELECT b.* FROM dw.ajuste_existencias AS b
    ) AS d ON d.id_movimiento = n.deshace
    CROSS JOIN LATERAL (
        SELECT ARRAY[extract(epoch FROM n.desde)::text, extract(epoch FROM n.hasta)::text] AS ventana
    ) AS v
    WHERE a.id_movimiento IS NOT NULL AND a IS DISTINCT FROM ROW(n.*)::dw.ajuste_existencias
        OR n.deshace IS NULL AND n.id_movimiento NOT IN (
            etl.numero_de_ajuste(false, VARIADIC v.ventana || ARRAY[n.id_producto::text, n.id_sucursal::text]),
            etl.numero_de_ajuste(true, VARIADIC v.ventana || ARRAY[n.id_producto::text, n.id_sucursal::text])
        )
        OR n.deshace IS NOT NULL AND (
            n.id_movimiento <> etl.numero_de_ajuste(false, VARIADIC v.ventana || ARRAY['deshace', n.deshace::text])
            OR (
                d.deshace IS NULL AND d.fecha = n.fecha AND d.id_producto = n.id_producto
                AND d.id_sucursal IS NOT DISTINCT FROM n.id_sucursal AND d.cantidad * n.cantidad < 0
            ) IS NOT TRUE
        )
    ORDER BY n.hasta, n.id_movimiento
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('the adjustment %s is not as it was booked; nothing was changed', v_mala.id_movimiento),
            HINT = 'import the file that `python -m pipeline adjustments --output` wrote, as it is';
    END IF;
    -- Both would be in the stock.
    SELECT a.id_producto, a.fecha, (a.id_sucursal IS NULL) <> (o.id_sucursal IS NULL) AS de_otro_modo INTO v_mala
    FROM dw.ajuste_existencias AS a
    INNER JOIN (
        SELECT n.id_producto, n.id_sucursal, min(n.fecha) AS primera
        FROM pg_temp.ajuste_nuevo AS n
        WHERE NOT EXISTS (SELECT FROM dw.ajuste_existencias AS b WHERE b.id_movimiento = n.id_movimiento)
        GROUP BY n.id_producto, n.id_sucursal
    ) AS o
        ON o.id_producto = a.id_producto AND (
            o.id_sucursal IS NOT DISTINCT FROM a.id_sucursal AND a.fecha >= o.primera
            OR (a.id_sucursal IS NULL) <> (o.id_sucursal IS NULL)
        )
    WHERE NOT EXISTS (SELECT FROM pg_temp.ajuste_nuevo AS n WHERE n.id_movimiento = a.id_movimiento)
    ORDER BY de_otro_modo, a.fecha
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = CASE WHEN v_mala.de_otro_modo
                THEN format('of product %s this OLAP has booked an adjustment itself, at %s, and one of both is of the whole, the other of a branch; nothing was changed',
                            v_mala.id_producto, v_mala.fecha)
                ELSE format('this OLAP has booked an adjustment of product %s itself since then, at %s; nothing was changed',
                            v_mala.id_producto, v_mala.fecha)
            END,
            HINT = 'import them into an OLAP before it books any: make it anew with `python -m pipeline init`, import, then run';
    END IF;
    INSERT INTO dw.ajuste_existencias
    SELECT * FROM pg_temp.ajuste_nuevo AS n
    WHERE NOT EXISTS (SELECT FROM dw.ajuste_existencias AS b WHERE b.id_movimiento = n.id_movimiento);
    GET DIAGNOSTICS v_nuevos = ROW_COUNT;
    IF v_nuevos > 0 AND v_control.hasta IS NOT NULL THEN
        v_llevados := etl.llevar_ajustes(
            NULL, v_control.corridas + 1, p_opciones, (SELECT c.dia FROM dw.v_corte AS c)
        );
        v_tocados := ARRAY(SELECT t.id_producto FROM etl.tramo AS t);
        PERFORM etl.comparar_existencias(v_tocados, v_control.hasta);
        UPDATE etl.diferencia_existencias AS d SET atrasada = 0, atrasada_desde = NULL, atrasada_menor = NULL
        WHERE d.id_producto = ANY (v_tocados) AND d.atrasada <> 0;
        PERFORM etl.anotar_revaluacion(false);
    END IF;
    RETURN jsonb_build_object('nuevos', v_nuevos, 'llevados', v_llevados);
END
$$;
COMMENT ON FUNCTION etl.importar_ajustes(p_ajustes jsonb, p_opciones jsonb) IS 'Añade los ajustes que asentó otra base de la misma tienda, y los lleva al kardex; se niega si esta asentó ya alguno del mismo producto y sucursal desde el primero de ellos, o del producto entero si son por sucursal, y a la inversa';
CREATE FUNCTION etl.impuesto_de_los_precios() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT jsonb_build_object(
    'tasa', (SELECT coalesce(max(p.impuesto), 0) FROM dw.politica_precio AS p),
    'dicho', etl.impuesto_dicho(),
    'vendidos', count(*),
    'lo_dicen', count(*) FILTER (WHERE k.impuesto IS NOT NULL OR k.precio_con_impuesto IS NOT NULL)
)
FROM etl.v_ultimas_ventas AS k
$$;
COMMENT ON FUNCTION etl.impuesto_de_los_precios() IS 'Si se sabe la tasa de los precios, la mayor de la política y, de la última venta de unos productos, cuántas dicen su tasa o si su precio la incluye';
CREATE FUNCTION etl.impuesto_dicho() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT CASE
    WHEN EXISTS (SELECT FROM dw.politica_precio AS p WHERE p.impuesto IS NOT NULL) THEN true
    ELSE coalesce((SELECT bool_and(u.impuesto IS NOT NULL OR NOT u.incluido) FROM etl.v_ultimas_ventas AS u), false)
END
$$;
COMMENT ON FUNCTION etl.impuesto_dicho() IS 'Si se sabe qué impuesto llevan los precios: lo dice dw.politica_precio, aunque sea 0, o cada venta';
CREATE FUNCTION etl.indexar_kardex() RETURNS void
    LANGUAGE plpgsql
    SET client_min_messages TO 'warning'
    AS $$
BEGIN
    -- A trigger of somebody's that waits for the end would stand in the way of an index.
    SET CONSTRAINTS ALL IMMEDIATE;
    -- An index and no constraint, since those who read do not wait for an index that is made.
    CREATE UNIQUE INDEX IF NOT EXISTS kardex_movimiento_unico ON dw.kardex (id_movimiento, capa);
END
$$;
COMMENT ON FUNCTION etl.indexar_kardex() IS 'La llave del kardex por movimiento, si falta: una carga llena el kardex vacío antes de hacerla, en mucho menos tiempo';
CREATE FUNCTION etl.inicio_del_dia(p_dia date, p_zona text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
-- Of a midnight that comes twice, PostgreSQL means the second. The first is the one by the clock of
-- the day before.
SELECT CASE WHEN (a.primera AT TIME ZONE p_zona)::date >= p_dia
    THEN least(a.primera, a.segunda) ELSE a.segunda END
FROM (
    SELECT
        m.medianoche AS segunda,
        (p_dia::timestamp - ((v.vispera AT TIME ZONE p_zona) - (v.vispera AT TIME ZONE 'UTC')))
            AT TIME ZONE 'UTC' AS primera
    FROM (SELECT p_dia::timestamp AT TIME ZONE p_zona AS medianoche) AS m
    CROSS JOIN LATERAL (SELECT m.medianoche - interval '1 day' AS vispera) AS v
) AS a
$$;
COMMENT ON FUNCTION etl.inicio_del_dia(p_dia date, p_zona text) IS 'El primer instante de un día en una zona, también donde el reloj se atrasa a medianoche';
CREATE FUNCTION etl.leer_control() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT jsonb_build_object(
    'version', c.version, 'desde_inicial', c.desde_inicial, 'hasta', c.hasta,
    'horizonte', c.horizonte::text, 'identidad', c.identidad, 'consultas', c.consultas, 'lsn', c.lsn::text, 'zona', c.zona,
    'esquema', c.esquema, 'corridas', c.corridas,
    'movimientos_oltp', c.movimientos_oltp, 'catalogo', c.catalogo,
    'ajusta', c.ajusta = etl.esta_base(), 'ajustes', (SELECT count(*) FROM dw.ajuste_existencias),
    'cerrado', nullif(etl.cerrado_hasta(), '-infinity'), 'existencias', c.existencias, 'existencias_enteras', c.existencias_enteras,
    'borradas_buscadas', c.borradas_buscadas, 'tienda', c.tienda,
    'tipos', (SELECT coalesce(jsonb_agg(t.tipo), '[]') FROM dw.tipo_movimiento AS t),
    'filas_kardex', (SELECT r.reltuples FROM pg_class AS r WHERE r.oid = 'dw.kardex'::regclass)
)
FROM etl.control AS c
CROSS JOIN etl.revisar_kardex()
$$;
COMMENT ON FUNCTION etl.leer_control() IS 'La fila de control, para decidir qué ventana toca y desde dónde leer; falla como etl.revisar_kardex()';
CREATE FUNCTION etl.leer_existencias(p_leidas jsonb, p_ventana timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF p_leidas IS NULL OR p_leidas = 'null' THEN
        -- A shop without the query, or one that took it away.
        DELETE FROM dw.existencias_tienda;
        UPDATE etl.control AS c SET existencias = NULL WHERE c.existencias IS NOT NULL;
        RETURN;
    END IF;
    PERFORM etl.recibir_existencias((p_leidas ->> 'todas')::boolean);
    UPDATE etl.control AS c
    SET existencias = p_leidas ->> 'consulta',
        existencias_enteras = CASE WHEN (p_leidas ->> 'todas')::boolean THEN p_ventana ELSE c.existencias_enteras END;
END
$$;
COMMENT ON FUNCTION etl.leer_existencias(p_leidas jsonb, p_ventana timestamp with time zone) IS 'Antes de valorizar: lo que la ventana leyó de existencias.sql, a dw.existencias_tienda';
CREATE FUNCTION etl.leer_prueba() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT jsonb_build_object(
    'estado', n.estado, 'probada', p.probada, 'entera', p.entera, 'antes', p.estado - 'rechazos',
    'motivo', CASE
        WHEN p.probada IS NULL THEN 'none was clean before'
        WHEN p.estado IS NULL THEN 'the last one found something'
        WHEN p.estado -> 'servidor' <> n.estado -> 'servidor'
            OR (p.estado ->> 'corridas')::bigint > c.corridas
            OR (p.estado ->> 'corridas')::bigint = c.corridas AND p.estado ->> 'version' <> c.version::text
            THEN 'the OLAP was restored, moved or rewritten'
        WHEN p.estado -> 'reglas' <> n.estado -> 'reglas' THEN 'the rules were replaced or upgraded'
        WHEN p.estado -> 'desde_inicial' <> n.estado -> 'desde_inicial' THEN 'earlier history came in'
        WHEN p.estado -> 'aperturas' <> n.estado -> 'aperturas' THEN 'opening balances changed'
        WHEN p.estado -> 'politica' <> n.estado -> 'politica' THEN 'prices'' policy or tax changed'
        -- The average value of all, touched or not, is another.
        WHEN p.estado -> 'fines_de_mes' <> n.estado -> 'fines_de_mes' THEN 'a month ended'
        WHEN EXISTS (
            SELECT FROM etl.corrida AS r
            WHERE r.numero > (p.estado ->> 'corridas')::bigint AND r.imagen_completa
        ) THEN 'a window read everything'
        WHEN (SELECT count(*) FROM (SELECT FROM dw.kardex LIMIT etl.pocas_filas()) AS k)
            < etl.pocas_filas() THEN 'there are few movements'
    END
)
FROM etl.control AS c
CROSS JOIN LATERAL (
    SELECT jsonb_build_object(
        'version', c.version, 'corridas', c.corridas, 'desde_inicial', c.desde_inicial,
        'horizonte', c.horizonte::text, 'lsn', c.lsn::text, 'identidad', c.identidad,
        'consultas', c.consultas,
        'politica', c.politica,
        'fines_de_mes', (
            SELECT jsonb_agg(extract(epoch FROM f.fin) ORDER BY f.fin)
            FROM dw.v_corte AS v
            CROSS JOIN LATERAL unnest(etl.fines_de_mes(v.dia, v.zona)) AS f (fin)
        ),
        'rechazos', (SELECT coalesce(jsonb_agg(r.id_movimiento), '[]') FROM etl.rechazo AS r),
        'aperturas', (
            SELECT md5(string_agg(a::text || coalesce(s::text, ''), '|' ORDER BY a.id_producto, s.id_sucursal))
            FROM dw.apertura AS a
            LEFT JOIN dw.apertura_sucursal AS s ON s.id_producto = a.id_producto
        ),
        'reglas', (
            SELECT md5(string_agg(
                f.prosrc || coalesce(pg_get_function_sqlbody(f.oid), ''), '|'
                ORDER BY f.oid::regprocedure::text
            ))
            FROM pg_proc AS f
            WHERE f.pronamespace IN ('dw'::regnamespace, 'etl'::regnamespace)
        ),
        'servidor', jsonb_build_array(
            (SELECT s.system_identifier::text FROM pg_control_system() AS s),
            (SELECT s.timeline_id FROM pg_control_checkpoint() AS s),
            (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())::bigint,
            (
                SELECT jsonb_agg(pg_relation_filenode(t.tabla)::bigint ORDER BY t.orden)
                FROM unnest(ARRAY[
                    'dw.kardex', 'dw.inventario', 'dw.resumen_diario', 'dw.resumen_mensual',
                    'dw.resumen_movil', 'dw.resumen_sucursal', 'etl.rechazo', 'etl.por_probar'
                ]::regclass[]) WITH ORDINALITY AS t (tabla, orden)
            )
        )
    ) AS estado
) AS n
LEFT JOIN etl.prueba AS p ON true
$$;
COMMENT ON FUNCTION etl.leer_prueba() IS 'El estado que una comprobación prueba, la última sin faltas, y por qué no basta con mirar lo que cambió desde ella; nulo si basta';
CREATE FUNCTION etl.leer_tipos() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT jsonb_agg(to_jsonb(t) - '{nombre,descripcion}'::text[] ORDER BY t.tipo) FROM dw.tipo_movimiento AS t
$$;
COMMENT ON FUNCTION etl.leer_tipos() IS 'dw.tipo_movimiento, para lo que se pregunta al OLTP';
CREATE FUNCTION etl.libro(p_desde date, p_hasta date, p_zona text) RETURNS TABLE(numero bigint, id_producto bigint, codigo text, nombre_producto text, categoria text, fecha timestamp with time zone, id_movimiento bigint, tipo text, id_sucursal bigint, sucursal text, cantidad numeric, costo_unitario numeric, costo_total numeric, ajuste numeric, existencias numeric, costo_promedio numeric, valor numeric, provisional boolean, variacion numeric, regla text, signo smallint, nombre text, operacion text, operacion_destino text, sucursal_destino text, fecha_documento timestamp with time zone, capa smallint, reverso boolean, documento text)
    LANGUAGE sql STABLE
    AS $$
SELECT p.numero, p.id_producto, p.codigo, p.nombre, p.categoria, l.*
FROM etl.productos_libro() WITH ORDINALITY AS p (id_producto, codigo, nombre, categoria, numero)
CROSS JOIN LATERAL etl.libro_producto(p.id_producto, p_desde, p_hasta, p_zona) AS l
ORDER BY p.numero
$$;
COMMENT ON FUNCTION etl.libro(p_desde date, p_hasta date, p_zona text) IS 'El libro de cada producto, uno tras otro, cada uno como lo da etl.libro_producto()';
CREATE FUNCTION etl.libro_producto(p_id_producto bigint, p_desde date, p_hasta date, p_zona text) RETURNS TABLE(fecha timestamp with time zone, id_movimiento bigint, tipo text, id_sucursal bigint, sucursal text, cantidad numeric, costo_unitario numeric, costo_total numeric, ajuste numeric, existencias numeric, costo_promedio numeric, valor numeric, provisional boolean, variacion numeric, regla text, signo smallint, nombre text, operacion text, operacion_destino text, sucursal_destino text, fecha_documento timestamp with time zone, capa smallint, reverso boolean, documento text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- The bounds are written out in each condition, so that the primary key serves them as a range.
SELECT
    l.fecha, l.id_movimiento, l.tipo, l.id_sucursal, l.sucursal, l.cantidad, l.costo_unitario,
    l.costo_total, l.ajuste, l.existencias, l.costo_promedio, l.valor, l.provisional, l.variacion,
    -- What has no stock moves nothing, whatever its type.
    CASE WHEN l.variacion = 0 AND t.signo <> 0 AND t.regla NOT IN ('contar', 'sumar_costo') THEN 'ninguna'
        ELSE t.regla END,
    t.signo, t.nombre,
    CASE WHEN etl.es_inicial(l.id_movimiento) THEN '16' WHEN l.costo_unitario IS NOT NULL THEN coalesce(t.sunat_con_costo, t.sunat) ELSE t.sunat END,
    t.sunat_destino, l.sucursal_destino, l.fecha_documento, l.capa, l.reverso, coalesce(d.documento, d.clave)
FROM (
    SELECT
        -- An opening that holds from a day of the period on bears its own date.
        CASE WHEN u.existencias IS NULL
            THEN greatest(a.fecha, etl.inicio_del_dia(p_desde, p_zona))
            ELSE etl.inicio_del_dia(p_desde, p_zona)
        END AS fecha,
        NULL::timestamptz AS fecha_documento, NULL::smallint AS orden, NULL::smallint AS capa,
        NULL::bigint AS id_movimiento, 'SALDO'::text AS tipo,
        NULL::bigint AS id_sucursal, NULL::text AS sucursal, NULL::numeric AS cantidad,
        NULL::numeric AS costo_unitario, NULL::numeric AS costo_total, 0::numeric AS ajuste,
        coalesce(u.existencias, a.existencias, 0)::numeric AS existencias,
        coalesce(u.costo_promedio, a.costo_promedio, 0)::numeric AS costo_promedio,
        coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0)::numeric AS valor,
        false AS provisional, 0::numeric AS variacion, NULL::text AS sucursal_destino,
        false AS reverso
    FROM (SELECT p_id_producto AS id_producto) AS p
    LEFT JOIN etl.v_apertura AS a
        ON a.id_producto = p.id_producto AND (
            a.fecha IS NULL
            OR a.fecha < coalesce(etl.inicio_del_dia(p_hasta + 1, p_zona), 'infinity')
        )
    LEFT JOIN LATERAL (
        SELECT k.existencias, k.costo_promedio, k.valor
        FROM dw.kardex AS k
        WHERE k.id_producto = p_id_producto
            AND k.fecha < coalesce(etl.inicio_del_dia(p_desde, p_zona), '-infinity')
        ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
        LIMIT 1
    ) AS u ON true
    UNION ALL
    SELECT
        k.fecha, k.fecha_documento, k.orden, k.capa, k.id_movimiento, k.tipo, k.id_sucursal,
        coalesce(s.nombre, 'Sucursal ' || k.id_sucursal), k.cantidad, k.costo_unitario,
        k.costo_total, k.ajuste, k.existencias, k.costo_promedio, k.valor, k.provisional,
        k.variacion,
        CASE WHEN k.id_sucursal_destino IS NOT NULL
            THEN coalesce(d.nombre, 'Sucursal ' || k.id_sucursal_destino) END,
        k.reverso
    FROM dw.kardex AS k
    LEFT JOIN dw.sucursal AS s ON s.id_sucursal = k.id_sucursal
    LEFT JOIN dw.sucursal AS d ON d.id_sucursal = k.id_sucursal_destino
    WHERE k.id_producto = p_id_producto
        AND k.fecha >= coalesce(etl.inicio_del_dia(p_desde, p_zona), '-infinity')
        AND k.fecha < coalesce(etl.inicio_del_dia(p_hasta + 1, p_zona), 'infinity')
) AS l
LEFT JOIN dw.tipo_movimiento AS t ON t.tipo = l.tipo
LEFT JOIN dw.documento_movimiento AS d ON d.id_movimiento = l.id_movimiento
ORDER BY l.id_movimiento IS NOT NULL, l.fecha, l.fecha_documento, l.orden, l.id_movimiento, l.capa
$$;
COMMENT ON FUNCTION etl.libro_producto(p_id_producto bigint, p_desde date, p_hasta date, p_zona text) IS 'El libro de un producto entre dos días de la zona, ambos incluidos: su saldo inicial (tipo SALDO) y luego cada movimiento en su orden';
CREATE FUNCTION etl.libro_sucursales(p_hasta date, p_zona text) RETURNS TABLE(id_producto bigint, id_sucursal bigint, sucursal text, existencias numeric)
    LANGUAGE sql STABLE
    AS $$
SELECT p.id_producto, s.*
FROM etl.productos_libro() WITH ORDINALITY AS p (id_producto, codigo, nombre, categoria, numero)
CROSS JOIN LATERAL etl.sucursales_producto(p.id_producto, p_hasta, p_zona) AS s
ORDER BY p.numero
$$;
COMMENT ON FUNCTION etl.libro_sucursales(p_hasta date, p_zona text) IS 'Las existencias por sucursal de cada producto, en el orden de etl.libro()';
CREATE FUNCTION etl.limite_de_costos() RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
SELECT coalesce(max(c.hasta), '-infinity') FROM dw.cierre AS c
$$;
COMMENT ON FUNCTION etl.limite_de_costos() IS 'Un costo fechado desde aquí no es parte de una entrada anterior: un período lleva lo que en él tiene fecha';
CREATE FUNCTION etl.lineas_de_documentos(p_documentos bigint[]) RETURNS TABLE(id_movimiento bigint, clave text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT d.id_movimiento, d.clave FROM dw.documento_movimiento AS d WHERE d.id_documento = ANY (p_documentos)
$$;
COMMENT ON FUNCTION etl.lineas_de_documentos(p_documentos bigint[]) IS 'Los movimientos que el OLAP tiene de esos documentos';
CREATE FUNCTION etl.lineas_que_faltan(p_extracto jsonb) RETURNS bigint[]
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_cerrado timestamptz := etl.cerrado_hasta();
BEGIN
    IF NOT (p_extracto ->> 'imagen_completa')::boolean THEN
        RETURN ARRAY(
            SELECT v.id::bigint
            FROM jsonb_array_elements_text(
                coalesce(nullif(p_extracto -> 'lineas_borradas', 'null'), '[]')
            ) AS v (id)
        );
    ELSIF v_cerrado = '-infinity' THEN
        RETURN '{}';
    END IF;
    -- Of a complete image what is open leaves in any case.
    RETURN ARRAY(
        SELECT d.id_movimiento
        FROM dw.documento_movimiento AS d
        WHERE d.id_documento IN (SELECT e.id_documento FROM etl.etapa AS e)
            AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = d.id_movimiento)
            AND NOT (
                SELECT etl.puede_irse(k.fecha_documento, k.capa, v_cerrado)
                FROM dw.kardex AS k
                WHERE k.id_movimiento = d.id_movimiento
                ORDER BY k.capa DESC
                LIMIT 1
            )
    );
END
$$;
COMMENT ON FUNCTION etl.lineas_que_faltan(p_extracto jsonb) IS 'Los movimientos que su documento, que se leyó, ya no tiene; de una imagen completa, los que sin eso quedarían archivados';
CREATE FUNCTION etl.listar_ajustes(p_limite bigint) RETURNS TABLE(id_movimiento bigint, desde timestamp with time zone, hasta timestamp with time zone, fecha timestamp with time zone, id_producto bigint, id_sucursal bigint, cantidad numeric, deshace bigint, codigo text, nombre text, sucursal text, valor numeric)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT
    a.id_movimiento, a.desde, a.hasta, a.fecha, a.id_producto, a.id_sucursal, a.cantidad, a.deshace, p.codigo, p.nombre,
    s.nombre, t.signo * k.costo_total
FROM dw.ajuste_existencias AS a
LEFT JOIN dw.producto AS p ON p.id_producto = a.id_producto
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = a.id_sucursal
LEFT JOIN LATERAL (
    SELECT f.tipo, f.costo_total FROM dw.kardex AS f
    WHERE f.id_movimiento = a.id_movimiento
    ORDER BY f.capa DESC
    LIMIT 1
) AS k ON true
LEFT JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo
ORDER BY a.hasta DESC, a.fecha DESC, a.id_producto, a.id_sucursal, a.id_movimiento
LIMIT p_limite
$$;
COMMENT ON FUNCTION etl.listar_ajustes(p_limite bigint) IS 'Los últimos ajustes, o todos (nulo), con lo que vale en el kardex lo que queda de cada uno';
CREATE TABLE etl.rechazo (
    id_movimiento bigint NOT NULL,
    tipo text,
    id_producto bigint,
    id_sucursal bigint,
    cantidad numeric,
    precio_unitario numeric,
    costo_unitario numeric,
    fecha timestamp with time zone,
    motivo text NOT NULL,
    primera_desde timestamp with time zone NOT NULL,
    primera_hasta timestamp with time zone NOT NULL,
    ultima_desde timestamp with time zone NOT NULL,
    ultima_hasta timestamp with time zone NOT NULL,
    id_origen bigint,
    id_sucursal_destino bigint,
    importe numeric,
    impuesto numeric,
    precio_con_impuesto boolean,
    valorizado boolean DEFAULT false NOT NULL,
    clave_producto text
);
COMMENT ON TABLE etl.rechazo IS 'Movimientos del alcance que no se pueden valorizar; se intentan de nuevo en cada ventana';
COMMENT ON COLUMN etl.rechazo.primera_desde IS 'Ventana en que se rechazó por primera vez';
COMMENT ON COLUMN etl.rechazo.ultima_desde IS 'Última ventana en que se intentó';
COMMENT ON COLUMN etl.rechazo.valorizado IS 'Si estuvo en el kardex antes de rechazarse';
COMMENT ON COLUMN etl.rechazo.clave_producto IS 'El id que le da la tienda a su producto, si no es un número';
CREATE FUNCTION etl.listar_rechazos(p_limite integer) RETURNS SETOF etl.rechazo
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT r.* FROM etl.rechazo AS r ORDER BY r.primera_desde, r.id_movimiento LIMIT p_limite
$$;
COMMENT ON FUNCTION etl.listar_rechazos(p_limite integer) IS 'Los rechazos que esperan, los más antiguos primero';
CREATE FUNCTION etl.llevar_ajustes(p_ajustes bigint[], p_numero bigint, p_opciones jsonb, p_corte date) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_ajustes bigint[] := etl.ajustes_por_llevar(p_ajustes);
BEGIN
    IF cardinality(v_ajustes) = 0 THEN
        RETURN 0;
    END IF;
    PERFORM etl.vaciar_trabajo();
    INSERT INTO etl.etapa (id_movimiento, tipo, id_producto, id_sucursal, cantidad, fecha, anulado)
    SELECT v.id_movimiento, v.tipo, v.id_producto, v.id_sucursal, abs(v.cantidad), v.fecha, NOT v.cuenta
    FROM etl.v_ajuste AS v
    WHERE v.id_movimiento = ANY (v_ajustes);
    PERFORM etl.corregir_asientos(etl.cerrado_hasta());
    PERFORM etl.revaluar(p_numero, p_opciones, p_corte, false);
    -- A name by which people know them.
    DELETE FROM dw.documento_movimiento AS d WHERE d.id_movimiento = ANY (v_ajustes);
    INSERT INTO dw.documento_movimiento (id_movimiento, documento)
    SELECT v.id_movimiento, 'Existencias de la tienda'
    FROM etl.v_ajuste AS v
    WHERE v.id_movimiento = ANY (v_ajustes)
        AND (SELECT true FROM dw.kardex AS k WHERE k.id_movimiento = v.id_movimiento LIMIT 1);
    RETURN cardinality(v_ajustes);
END
$$;
COMMENT ON FUNCTION etl.llevar_ajustes(p_ajustes bigint[], p_numero bigint, p_opciones jsonb, p_corte date) IS 'Pone en el kardex los ajustes, de esos o de todos (nulo), que no están en él como quedan, y repite sus productos; devuelve cuántos';
CREATE FUNCTION etl.marcar_con_costos(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_costos timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO etl.tramo (id_producto, desde)
    SELECT k.id_producto, min(o.fecha)
    FROM dw.kardex AS k
    INNER JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo AND t.regla = 'sumar_costo'
    CROSS JOIN LATERAL (
        SELECT f.id_producto, f.fecha FROM dw.kardex AS f WHERE f.id_movimiento = k.id_origen OFFSET 0
    ) AS o
    WHERE k.id_origen IS NOT NULL AND k.fecha >= p_costos AND o.id_producto = k.id_producto
        AND o.fecha >= p_desde AND o.fecha < p_hasta
    GROUP BY k.id_producto;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION etl.marcar_con_costos(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_costos timestamp with time zone) IS 'Pone en etl.tramo los productos con entradas de un período a las que se añaden costos fechados desde p_costos; dice si hay alguno';
CREATE FUNCTION etl.marcar_por_probar(p_numero bigint) RETURNS void
    LANGUAGE sql
    AS $$
INSERT INTO etl.por_probar AS q (id_producto, desde, numero)
SELECT t.id_producto, t.desde, p_numero FROM etl.tramo AS t
ON CONFLICT (id_producto) DO UPDATE SET
    desde = least(q.desde, excluded.desde), numero = excluded.numero
$$;
COMMENT ON FUNCTION etl.marcar_por_probar(p_numero bigint) IS 'Anota los productos de etl.tramo como por probar';
CREATE FUNCTION etl.marcar_tramos() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_productos bigint;
    v_conteos text[] := ARRAY(SELECT p.tipo FROM dw.tipo_movimiento AS p WHERE p.regla = 'contar');
BEGIN
    INSERT INTO etl.tramo AS t (
        id_producto, desde, altas, ventas, entradas, nombra, cuenta_sucursales, sigue_sucursales
    )
    -- A reversal is of a movement that is counted already.
    SELECT m.id_producto, min(m.fecha), count(*) FILTER (WHERE m.tipo IS NOT NULL AND NOT m.reverso),
        count(*) FILTER (WHERE m.tipo = 'VENTA' AND NOT m.reverso),
        count(*) FILTER (WHERE m.tipo = 'ENTRADA_MERCANCIA' AND NOT m.reverso),
        count(m.id_origen) > 0,
        count(m.id_sucursal) FILTER (WHERE m.tipo = ANY (v_conteos)) > 0,
        count(*) FILTER (WHERE m.tipo = ANY (v_conteos) AND m.id_sucursal = 0) > 0
    FROM (
        SELECT e.id_producto, e.fecha, e.tipo, e.id_origen, e.id_sucursal, e.reverso FROM etl.etapa AS e
        UNION ALL
        SELECT b.id_producto, b.fecha, NULL, b.id_origen, NULL, false FROM etl.baja AS b
    ) AS m
    GROUP BY m.id_producto
    ON CONFLICT (id_producto) DO UPDATE SET
        desde = least(t.desde, excluded.desde), altas = excluded.altas, ventas = excluded.ventas,
        entradas = excluded.entradas, nombra = excluded.nombra,
        cuenta_sucursales = excluded.cuenta_sucursales, sigue_sucursales = excluded.sigue_sucursales;
    PERFORM etl.extender_tramos();
    -- What is closed is not valued again, whatever changed.
    UPDATE etl.tramo AS t SET desde = c.hasta
    FROM (SELECT etl.cerrado_hasta() AS hasta OFFSET 0) AS c
    WHERE t.desde < c.hasta;
    UPDATE etl.tramo AS t SET inventariable = false
    FROM dw.producto AS p
    WHERE NOT p.inventariable AND p.id_producto = t.id_producto;
    UPDATE etl.tramo AS t SET referencia = p.costo_referencia
    FROM dw.producto AS p
    WHERE p.costo_referencia IS NOT NULL AND p.id_producto = t.id_producto;
    -- LIMIT keeps the planner from joining with a scan of the whole ledger.
    UPDATE etl.tramo AS t
    SET cola = true
    FROM (
        SELECT s.id_producto
        FROM etl.tramo AS s
        CROSS JOIN LATERAL (
            SELECT FROM dw.kardex AS k
            WHERE k.id_producto = s.id_producto AND k.fecha >= s.desde
            LIMIT 1
        ) AS k
    ) AS c
    WHERE c.id_producto = t.id_producto;
    SELECT count(*) INTO v_productos FROM etl.tramo;
    RETURN v_productos;
END
$$;
COMMENT ON FUNCTION etl.marcar_tramos() IS 'Productos tocados y, de cada uno, la primera fecha que cambia y lo que entra; devuelve cuántos son';
CREATE FUNCTION etl.metricas() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT jsonb_build_object(
    'hasta', (SELECT c.hasta FROM etl.control AS c),
    -- By the primary key from its end: a window begins where the last one ended.
    'ventana', (
        SELECT to_jsonb(c) - 'identidad'
        FROM (SELECT * FROM etl.corrida AS c ORDER BY c.desde DESC, c.hasta DESC LIMIT 1) AS c
    ),
    'cierre', etl.ultimo_cierre(),
    'rechazos', (SELECT count(*) FROM etl.rechazo),
    'diferencias', (SELECT count(DISTINCT d.id_producto) FROM etl.diferencia_existencias AS d),
    'bajo_cero', (SELECT count(*) FROM dw.inventario AS i WHERE i.existencias < 0),
    'valor', (SELECT coalesce(sum(i.valor), 0) FROM dw.inventario AS i WHERE i.existencias > 0),
    -- Counting kardex.provisional would read the whole ledger after every run, and most of
    -- those sales were settled long ago. What waits is at the end of the products that are
    -- below zero; both limits keep a shop that never types receipts cheap.
    'provisionales', (
        SELECT coalesce(sum(p.provisionales), 0)
        FROM (
            SELECT i.id_producto
            FROM dw.inventario AS i
            WHERE i.existencias < 0
            ORDER BY i.existencias, i.id_producto
            LIMIT 1000
        ) AS i
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE u.provisional AND u.saldados = 0) AS provisionales
            FROM (
                SELECT
                    k.provisional,
                    count(*) FILTER (WHERE k.existencias >= 0) OVER (
                        ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
                    ) AS saldados
                FROM (
                    SELECT * FROM dw.kardex AS k
                    WHERE k.id_producto = i.id_producto
                    ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
                    LIMIT 100
                ) AS k
            ) AS u
        ) AS p
    )
)
$$;
COMMENT ON FUNCTION etl.metricas() IS 'Cifras de la última ventana, del último cierre y de las existencias para Prometheus. Provisionales: ventas que aún esperan su entrada, contadas hacia atrás en hasta 1000 productos bajo cero y 100 movimientos de cada uno';
CREATE FUNCTION etl.misma_politica() RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
SELECT c.politica IN (etl.huella_politica(true, d.dia), etl.huella_politica(false, d.dia))
FROM etl.control AS c
CROSS JOIN LATERAL (SELECT (c.hasta AT TIME ZONE c.zona)::date AS dia) AS d
$$;
COMMENT ON FUNCTION etl.misma_politica() IS 'Si la política de precios es aún la de la última carga; lo que se edita llega con la próxima';
CREATE TABLE dw.tipo_movimiento (
    tipo text NOT NULL,
    regla text NOT NULL,
    orden smallint NOT NULL,
    signo smallint NOT NULL,
    cantidad text NOT NULL,
    tipo_si_negativa text,
    precio boolean NOT NULL,
    costo text NOT NULL,
    importe boolean NOT NULL,
    destino boolean NOT NULL,
    tipo_origen text,
    clase text,
    clase_con_costo text,
    resta boolean NOT NULL,
    sunat text,
    sunat_con_costo text,
    sunat_destino text,
    nombre text NOT NULL,
    descripcion text NOT NULL,
    CONSTRAINT tipo_movimiento_cantidad_check CHECK ((cantidad = ANY (ARRAY['positiva'::text, 'cero o positiva'::text, 'uno si falta'::text]))),
    CONSTRAINT tipo_movimiento_check CHECK (((regla = 'contar'::text) = (orden = 3))),
    CONSTRAINT tipo_movimiento_check1 CHECK (((clase IS NOT NULL) OR (regla = 'ninguna'::text))),
    CONSTRAINT tipo_movimiento_check2 CHECK (((regla = ANY (ARRAY['sumar_costo'::text, 'devolver_venta'::text, 'devolver_compra'::text])) = (tipo_origen IS NOT NULL))),
    CONSTRAINT tipo_movimiento_clase_check CHECK ((clase = ANY (ARRAY['ventas'::text, 'compras'::text, 'merma'::text]))),
    CONSTRAINT tipo_movimiento_clase_con_costo_check CHECK ((clase_con_costo = ANY (ARRAY['ventas'::text, 'compras'::text, 'merma'::text]))),
    CONSTRAINT tipo_movimiento_costo_check CHECK ((costo = ANY (ARRAY['no'::text, 'puede'::text, 'debe'::text, 'debe, con signo'::text]))),
    CONSTRAINT tipo_movimiento_orden_check CHECK (((orden >= 0) AND (orden <= 3))),
    CONSTRAINT tipo_movimiento_regla_check CHECK ((regla = ANY (ARRAY['recibir'::text, 'al_promedio'::text, 'devolver_venta'::text, 'devolver_compra'::text, 'sumar_costo'::text, 'contar'::text, 'ninguna'::text]))),
    CONSTRAINT tipo_movimiento_signo_check CHECK (((signo >= '-1'::integer) AND (signo <= 1)))
);
COMMENT ON TABLE dw.tipo_movimiento IS 'Los tipos de movimiento que cuentan: con qué regla se valorizan, en qué orden, qué necesitan y dónde se informan';
COMMENT ON COLUMN dw.tipo_movimiento.tipo IS 'Como lo da movimientos.sql';
COMMENT ON COLUMN dw.tipo_movimiento.regla IS 'La función de dw que da el estado; contar lleva las existencias a lo contado, ninguna no lo cambia';
COMMENT ON COLUMN dw.tipo_movimiento.orden IS 'En la misma fecha: 0 lo que entra de fuera, 1 lo que sale o se mueve, 2 lo que devuelve el cliente, 3 los conteos';
COMMENT ON COLUMN dw.tipo_movimiento.signo IS 'Con qué signo suma costo_total al valor: 1 entra, -1 sale, 0 nada';
COMMENT ON COLUMN dw.tipo_movimiento.cantidad IS 'Qué cantidad se acepta';
COMMENT ON COLUMN dw.tipo_movimiento.tipo_si_negativa IS 'Lo que significa con cantidad negativa, que entonces se toma sin signo; nulo: se rechaza';
COMMENT ON COLUMN dw.tipo_movimiento.precio IS 'Si necesita precio_unitario';
COMMENT ON COLUMN dw.tipo_movimiento.costo IS 'Si necesita costo_unitario: no lo mira, puede traerlo, lo necesita, o lo necesita y puede ser negativo';
COMMENT ON COLUMN dw.tipo_movimiento.importe IS 'Si el importe de la línea, cuando viene, vale en lugar de cantidad por precio o costo';
COMMENT ON COLUMN dw.tipo_movimiento.destino IS 'Si necesita id_sucursal_destino';
COMMENT ON COLUMN dw.tipo_movimiento.tipo_origen IS 'De qué tipo es el movimiento que su id_origen puede nombrar; nulo: no lo mira';
COMMENT ON COLUMN dw.tipo_movimiento.clase IS 'Dónde se informa: ventas (por su precio), compras o merma (por su costo); nulo: en ninguna';
COMMENT ON COLUMN dw.tipo_movimiento.clase_con_costo IS 'La clase, si trae su costo; nulo: la misma';
COMMENT ON COLUMN dw.tipo_movimiento.resta IS 'Si es una devolución o un descuento, que resta de las ventas';
COMMENT ON COLUMN dw.tipo_movimiento.sunat IS 'Código de la tabla 12 de SUNAT; nulo: 99 (otros) o, si no mueve nada, no está en el formato 13.1';
COMMENT ON COLUMN dw.tipo_movimiento.sunat_con_costo IS 'El código, si trae su costo; nulo: el mismo';
COMMENT ON COLUMN dw.tipo_movimiento.sunat_destino IS 'De un traslado, el código de su entrada: en el formato son dos líneas';
COMMENT ON COLUMN dw.tipo_movimiento.nombre IS 'Cómo se llama en una página';
COMMENT ON COLUMN dw.tipo_movimiento.descripcion IS 'Para quien lleva la contabilidad';
CREATE FUNCTION etl.motivo_rechazo(t dw.tipo_movimiento, conocido boolean, cantidad numeric, precio numeric, costo numeric, importe numeric, impuesto numeric, fecha timestamp with time zone, limite timestamp with time zone, sucursal bigint, destino bigint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
-- NaN sorts above every number, so NOT (x < limit) catches it and Infinity too.
SELECT CASE
    WHEN NOT conocido THEN 'producto desconocido'
    WHEN fecha IS NULL THEN 'sin fecha'
    WHEN fecha > limite THEN 'fecha futura'
    WHEN cantidad IS NULL THEN 'sin cantidad'
    WHEN cantidad < 0 AND t.cantidad = 'cero o positiva' THEN 'cantidad negativa'
    WHEN cantidad <= 0 AND t.cantidad <> 'cero o positiva' THEN 'cantidad no positiva'
    WHEN NOT cantidad < 1e11 THEN 'cantidad fuera de rango'
    WHEN t.destino AND destino IS NULL THEN 'sin destino'
    WHEN t.destino AND destino = coalesce(sucursal, 0) THEN 'destino igual al origen'
    WHEN t.precio AND precio IS NULL THEN 'sin precio'
    WHEN t.precio AND precio < 0 THEN 'precio negativo'
    WHEN t.precio AND NOT precio < 1e11 THEN 'precio fuera de rango'
    WHEN t.costo IN ('debe', 'debe, con signo') AND costo IS NULL THEN 'sin costo'
    WHEN t.costo IN ('debe', 'puede') AND costo < 0 THEN 'costo negativo'
    WHEN t.costo <> 'no' AND NOT (costo > -1e11 AND costo < 1e11) THEN 'costo fuera de rango'
    WHEN t.precio AND NOT cantidad * precio < 1e12 THEN 'importe fuera de rango'
    WHEN t.costo <> 'no' AND NOT (cantidad * costo > -1e12 AND cantidad * costo < 1e12)
        THEN 'importe fuera de rango'
    WHEN NOT (importe >= 0 AND importe < 1e12) THEN 'importe fuera de rango'
    WHEN impuesto < 0 THEN 'impuesto negativo'
    -- As in dw.politica_precio: 18 is no rate, but a percentage.
    WHEN NOT impuesto < 1 THEN 'impuesto fuera de rango'
END
$$;
COMMENT ON FUNCTION etl.motivo_rechazo(t dw.tipo_movimiento, conocido boolean, cantidad numeric, precio numeric, costo numeric, importe numeric, impuesto numeric, fecha timestamp with time zone, limite timestamp with time zone, sucursal bigint, destino bigint) IS 'Por qué un movimiento del alcance no se puede valorizar; nulo si se puede. Los montos, ya redondeados a 6 decimales';
CREATE FUNCTION etl.motivos_de_rechazo() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT coalesce(jsonb_object_agg(m.motivo, m.veces), '{}')
FROM (SELECT r.motivo, count(*) AS veces FROM dw.v_rechazos AS r GROUP BY r.motivo) AS m
$$;
COMMENT ON FUNCTION etl.motivos_de_rechazo() IS 'Cuántos movimientos esperan por cada motivo; aparte, los que ya estaban valorizados y perdieron su producto';
CREATE FUNCTION etl.motivos_frecuentes() RETURNS text
    LANGUAGE sql STABLE
    AS $$
SELECT string_agg(format('%s: %s', m.motivo, m.veces), ', ' ORDER BY m.veces DESC)
FROM (
    SELECT d.motivo, count(*) AS veces
    FROM etl.descarte AS d
    WHERE d.motivo IS NOT NULL
    GROUP BY d.motivo
    ORDER BY count(*) DESC
    LIMIT 3
) AS m
$$;
COMMENT ON FUNCTION etl.motivos_frecuentes() IS 'Los tres motivos de rechazo más frecuentes de esta carga';
CREATE FUNCTION etl.movimientos_del_cierre(p_dia date) RETURNS bigint[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT coalesce(array_agg(DISTINCT k.id_movimiento), '{}')
FROM (
    SELECT c.dia, c.hasta, coalesce(lag(c.hasta) OVER (ORDER BY c.hasta), '-infinity') AS desde FROM dw.cierre AS c
) AS c
INNER JOIN dw.kardex AS k ON k.fecha >= c.desde AND k.fecha < c.hasta
WHERE c.dia = p_dia
$$;
COMMENT ON FUNCTION etl.movimientos_del_cierre(p_dia date) IS 'Los movimientos asentados en el período de un cierre';
CREATE FUNCTION etl.nombrar_sucursales() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT etl.hay_claves() THEN
        RETURN;
    END IF;
    INSERT INTO dw.sucursal (id_sucursal, nombre, clave)
    SELECT DISTINCT c.numero, 'Sucursal ' || c.clave, c.clave
    FROM etl.v_clave AS c
    WHERE c.columna = 'id_sucursal' AND c.clave IS NOT NULL
    ON CONFLICT (id_sucursal) DO NOTHING;
END
$$;
COMMENT ON FUNCTION etl.nombrar_sucursales() IS 'Lo que sucursales.sql no da se conoce por lo que lo llaman sus movimientos, si no es un número';
CREATE FUNCTION etl.numero_de_ajuste(p_inicial boolean, VARIADIC p_de text[]) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE WHEN p_inicial THEN -2305843009213693953 ELSE -1152921504606846977 END
    - ('x' || left(md5(array_to_string(p_de, '|', '-')), 15))::bit(60)::bigint
$$;
COMMENT ON FUNCTION etl.numero_de_ajuste(p_inicial boolean, VARIADIC p_de text[]) IS 'El número de un ajuste: siempre el mismo para la misma ventana, producto y sucursal';
CREATE FUNCTION etl.numeros_de_bloques(p_limites bigint[], p_bloques integer[]) RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT b.id_movimiento
FROM etl.v_borrable AS b
WHERE width_bucket(b.id_movimiento, p_limites) = ANY (p_bloques)
$$;
COMMENT ON FUNCTION etl.numeros_de_bloques(p_limites bigint[], p_bloques integer[]) IS 'Los movimientos borrables de esos bloques';
CREATE FUNCTION etl.numeros_fuera() RETURNS TABLE(id_movimiento bigint, clave text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT f.id_movimiento, d.clave
FROM etl.fuera_de_alcance AS f
LEFT JOIN dw.documento_movimiento AS d ON d.id_movimiento = f.id_movimiento
$$;
COMMENT ON FUNCTION etl.numeros_fuera() IS 'Los movimientos fuera del alcance de los que se avisa, cada uno con la clave que le da la tienda: los que ella borró dejan de avisarse';
CREATE FUNCTION etl.numeros_por_bloque(p_limites bigint[]) RETURNS TABLE(bloque integer, filas bigint, suma numeric)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT width_bucket(b.id_movimiento, p_limites), count(*), sum(hashint8(b.id_movimiento))::numeric
FROM etl.v_borrable AS b
GROUP BY 1
$$;
COMMENT ON FUNCTION etl.numeros_por_bloque(p_limites bigint[]) IS 'Cuántos movimientos borrables hay en cada bloque de números de etl.bloques(), y la suma de sus huellas';
CREATE FUNCTION etl.olvidar_documentos(p_lineas bigint[], p_completa boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM dw.documento_movimiento) THEN
        RETURN;
    END IF;
    IF p_completa THEN
        DELETE FROM dw.documento_movimiento AS d
        WHERE NOT EXISTS (SELECT FROM dw.kardex AS k WHERE k.id_movimiento = d.id_movimiento)
            AND NOT EXISTS (SELECT FROM etl.rechazo AS r WHERE r.id_movimiento = d.id_movimiento)
            AND NOT EXISTS (SELECT FROM etl.fuera_de_alcance AS f WHERE f.id_movimiento = d.id_movimiento);
        RETURN;
    END IF;
    -- Row by row, since a join would take all of the ledger: see etl.preparar_carga().
    DELETE FROM dw.documento_movimiento AS d
    WHERE d.id_movimiento = ANY (ARRAY(
            SELECT b.id_movimiento FROM etl.baja AS b
            UNION
            SELECT x.id_movimiento FROM etl.descarte AS x
            UNION
            SELECT unnest(p_lineas)
        ))
        AND (SELECT true FROM dw.kardex AS k WHERE k.id_movimiento = d.id_movimiento LIMIT 1) IS NULL
        AND (SELECT true FROM etl.rechazo AS r WHERE r.id_movimiento = d.id_movimiento) IS NULL
        AND (SELECT true FROM etl.fuera_de_alcance AS f WHERE f.id_movimiento = d.id_movimiento) IS NULL;
END
$$;
COMMENT ON FUNCTION etl.olvidar_documentos(p_lineas bigint[], p_completa boolean) IS 'Quita de dw.documento_movimiento lo que ya no está en ninguna parte: de lo que esta carga sacó o, de una imagen completa, de todo';
CREATE FUNCTION etl.origenes_por_revisar() RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
WITH sin_uso AS (
    SELECT
        n.id_movimiento, n.tipo, n.id_producto, n.fecha, n.id_origen,
        CASE
            WHEN o.id_movimiento IS NULL THEN 'no está en el kardex'
            WHEN o.tipo <> t.tipo_origen THEN 'es de otro tipo'
            WHEN o.id_producto <> n.id_producto THEN 'es de otro producto'
            ELSE 'es posterior'
        END AS motivo,
        count(*) OVER () AS total
    FROM dw.kardex AS n
    INNER JOIN dw.tipo_movimiento AS t ON t.tipo = n.tipo AND t.tipo_origen IS NOT NULL
    LEFT JOIN dw.kardex AS o ON o.id_movimiento = n.id_origen
    WHERE n.id_origen IS NOT NULL
        AND NOT EXISTS (SELECT FROM etl.v_par AS p WHERE p.id_movimiento = n.id_movimiento)
    ORDER BY n.fecha DESC, n.id_movimiento DESC
    LIMIT 20
), de_mas AS (
    SELECT
        v.id_movimiento, v.id_producto, v.fecha, v.cantidad, sum(n.cantidad) AS devuelta,
        count(*) OVER () AS total
    FROM etl.v_par AS p
    INNER JOIN dw.kardex AS n ON n.id_movimiento = p.id_movimiento
    INNER JOIN dw.kardex AS v ON v.id_movimiento = p.id_origen
    WHERE p.regla = 'devolver_venta'
    GROUP BY v.id_movimiento, v.id_producto, v.fecha, v.cantidad
    HAVING sum(n.cantidad) > v.cantidad
    ORDER BY v.fecha DESC, v.id_movimiento DESC
    LIMIT 20
)
SELECT jsonb_build_object(
    'devueltas_de_mas', (SELECT coalesce(jsonb_agg(to_jsonb(m) - 'total'), '[]') FROM de_mas AS m),
    'devueltas_de_mas_total', (SELECT coalesce(max(m.total), 0) FROM de_mas AS m),
    'sin_uso', (SELECT coalesce(jsonb_agg(to_jsonb(s) - 'total'), '[]') FROM sin_uso AS s),
    'sin_uso_total', (SELECT coalesce(max(s.total), 0) FROM sin_uso AS s)
)
$$;
COMMENT ON FUNCTION etl.origenes_por_revisar() IS 'Las ventas de las que se devolvió más de lo vendido, y los movimientos cuyo id_origen no sirve, que se valorizan sin él; los últimos 20 de cada uno';
CREATE FUNCTION etl.pasar_ventana(p_version uuid, p_hasta timestamp with time zone, p_opciones jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_opciones ->> 'zona');
    v_dia date := (p_hasta AT TIME ZONE (p_opciones ->> 'zona'))::date;
BEGIN
    IF v_control.version <> p_version
        OR v_control.hasta >= p_hasta
        OR (v_control.hasta AT TIME ZONE (p_opciones ->> 'zona'))::date <> v_dia
        OR v_control.horizonte IS NULL
        OR v_control.revaluar
        OR v_control.politica IS DISTINCT FROM etl.huella_politica((p_opciones ->> 'incluye_impuesto')::boolean, v_dia)
        OR EXISTS (SELECT FROM etl.rechazo)
        OR EXISTS (SELECT FROM dw.apertura AS a WHERE a.fecha IS NULL) THEN
        RETURN false;
    END IF;
    -- The horizon stays: what is not older than it is asked for again, and nothing can be missed.
    UPDATE etl.control AS c SET hasta = p_hasta, version = gen_random_uuid();
    RETURN true;
END
$$;
COMMENT ON FUNCTION etl.pasar_ventana(p_version uuid, p_hasta timestamp with time zone, p_opciones jsonb) IS 'Lleva el fin de lo cargado hasta un momento del mismo día sin cargar nada, si el OLTP no tiene novedad desde esa versión y aquí nada espera una carga; dice si lo hizo';
CREATE FUNCTION etl.pocas_filas() RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT 20000::bigint
$$;
COMMENT ON FUNCTION etl.pocas_filas() IS 'Un kardex de menos filas se comprueba siempre entero';
CREATE FUNCTION etl.politica_al(p_dia date) RETURNS TABLE(id_producto bigint, margen numeric, impuesto numeric, redondeo numeric)
    LANGUAGE sql STABLE
    AS $$
WITH dicho AS MATERIALIZED (
    -- What was said last of each, and still holds.
    SELECT
        r.id_producto, r.categoria,
        (array_agg(r.margen ORDER BY r.desde DESC NULLS LAST) FILTER (WHERE r.margen IS NOT NULL))[1] AS margen,
        (array_agg(r.impuesto ORDER BY r.desde DESC NULLS LAST) FILTER (WHERE r.impuesto IS NOT NULL))[1] AS impuesto,
        (array_agg(r.redondeo ORDER BY r.desde DESC NULLS LAST) FILTER (WHERE r.redondeo IS NOT NULL))[1] AS redondeo
    FROM dw.politica_precio AS r
    WHERE r.desde IS NULL OR r.desde <= p_dia
    GROUP BY r.id_producto, r.categoria
)
-- Where somebody took away the row of all, or gave it a date, what init puts there holds before: a
-- product without a policy would be one without a stock.
SELECT
    p.id_producto,
    coalesce(del_producto.margen, de_categoria.margen, general.margen, 0.30),
    coalesce(del_producto.impuesto, de_categoria.impuesto, general.impuesto, 0),
    coalesce(del_producto.redondeo, de_categoria.redondeo, general.redondeo, 0.01)
FROM dw.producto AS p
LEFT JOIN dicho AS general ON general.id_producto IS NULL AND general.categoria IS NULL
LEFT JOIN dicho AS de_categoria ON de_categoria.categoria = p.categoria
LEFT JOIN dicho AS del_producto ON del_producto.id_producto = p.id_producto
$$;
COMMENT ON FUNCTION etl.politica_al(p_dia date) IS 'La política de precios que vale para cada producto en un día';
CREATE FUNCTION etl.por_ajustar(p_leida timestamp with time zone) RETURNS TABLE(id_producto bigint, id_sucursal bigint, cantidad numeric, deshacer numeric, deshacer_desde timestamp with time zone)
    LANGUAGE sql STABLE
    AS $$
WITH difiere AS MATERIALIZED (
    SELECT d.id_producto, d.id_sucursal, d.tienda - d.nuestras AS diferencia, d.atrasada, d.atrasada_desde,
        d.atrasada_menor
    FROM etl.diferencia_existencias AS d
    INNER JOIN dw.producto AS p ON p.id_producto = d.id_producto AND p.vigente AND p.inventariable
    -- What the shop does not tell is shown, and stays what it is.
    WHERE d.tienda IS NOT NULL AND d.tienda <> d.nuestras
), espera AS MATERIALIZED (
    SELECT e.* FROM etl.en_cuarentena() AS e WHERE e.id_producto IN (SELECT d.id_producto FROM difiere AS d)
), neta AS (
    SELECT
        d.*,
        -- What waits explains as much of it as it moves that way, and no more.
        CASE WHEN d.diferencia > 0
            THEN d.diferencia - least(greatest(w.cantidad, 0), d.diferencia)
            ELSE d.diferencia - greatest(least(w.cantidad, 0), d.diferencia)
        END AS cantidad
    FROM difiere AS d
    CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(e.cantidad), 0) AS cantidad,
            -- Of what goes nobody knows where, the whole stays what it is.
            coalesce(bool_and(e.se_sabe AND (d.id_sucursal IS NULL OR e.id_sucursal IS NOT NULL)), true) AS se_sabe
        FROM espera AS e
        WHERE e.id_producto = d.id_producto
            AND (d.id_sucursal IS NULL OR e.id_sucursal = d.id_sucursal OR e.id_sucursal IS NULL OR NOT e.se_sabe)
    ) AS w
    WHERE w.se_sabe
    UNION ALL
    -- What was booked of the whole goes back once the shop tells it by branch, and so has it in those.
    SELECT a.id_producto, NULL, NULL, 0, NULL, NULL, -sum(a.cantidad)
    FROM etl.v_ajuste AS a
    INNER JOIN dw.producto AS p ON p.id_producto = a.id_producto AND p.inventariable
    WHERE a.id_sucursal IS NULL AND a.cuenta
        -- Said apart, so that a shop without branches does not sum up what it ever booked.
        AND EXISTS (SELECT FROM dw.existencias_tienda AS t WHERE t.id_sucursal IS NOT NULL)
        AND a.id_producto IN (SELECT t.id_producto FROM dw.existencias_tienda AS t WHERE t.id_sucursal IS NOT NULL)
        AND a.id_producto NOT IN (SELECT t.id_producto FROM dw.existencias_tienda AS t WHERE t.id_sucursal = 0)
        -- But for what a count of what has no branch took.
        AND NOT EXISTS (
            SELECT FROM dw.kardex AS k
            WHERE k.id_producto = a.id_producto AND k.orden = 3 AND k.id_sucursal = 0 AND k.de_todo IS NOT TRUE
                AND k.fecha_documento >= a.fecha AND NOT k.reverso
        )
    GROUP BY a.id_producto
)
SELECT
    n.id_producto, n.id_sucursal, n.cantidad,
    -- What is nearer to nothing than to the least that came late is something else: what broke meanwhile.
    CASE WHEN n.atrasada * n.cantidad < 0 AND 2 * abs(n.cantidad) > n.atrasada_menor
        THEN least(abs(n.cantidad), abs(n.atrasada)) ELSE 0 END,
    n.atrasada_desde
FROM neta AS n
WHERE n.cantidad <> 0 AND abs(n.cantidad) < 1e11
    -- A count that is dated after this takes what would be booked here: it comes once that is past.
    AND NOT EXISTS (
        SELECT FROM dw.kardex AS k
        WHERE k.id_producto = n.id_producto AND k.fecha >= p_leida AND k.orden = 3 AND NOT k.reverso
    )
$$;
COMMENT ON FUNCTION etl.por_ajustar(p_leida timestamp with time zone) IS 'De los productos con existencias y sucursales que la tienda nombra, lo que difiere sin lo que espera como rechazo; y cuánto de ello deshace lo que nos cambió algo que ella ya sabía';
CREATE FUNCTION etl.por_comparar() RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT k.id_movimiento
FROM etl.por_probar AS q
CROSS JOIN LATERAL (
    SELECT f.id_movimiento, f.version FROM dw.kardex AS f
    WHERE f.id_producto = q.id_producto AND f.fecha >= q.desde
    OFFSET 0
) AS k
WHERE k.version > (SELECT (u.estado ->> 'corridas')::bigint FROM etl.prueba AS u)
    AND NOT etl.es_ajuste(k.id_movimiento)
UNION
SELECT r.id_movimiento FROM etl.rechazo AS r
UNION
-- One that waited has to be somewhere.
SELECT e.id_movimiento
FROM etl.prueba AS u
CROSS JOIN LATERAL jsonb_array_elements_text(u.estado -> 'rechazos') AS j (texto)
CROSS JOIN LATERAL (SELECT j.texto::bigint AS id_movimiento) AS e
$$;
COMMENT ON FUNCTION etl.por_comparar() IS 'Los movimientos que las cargas han escrito desde la última comprobación, los que esperan y los que esperaban';
CREATE UNLOGGED TABLE etl.descarte (
    id_movimiento bigint NOT NULL,
    motivo text,
    fuera text
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.descarte IS 'De lo leído, lo que no entra al kardex';
COMMENT ON COLUMN etl.descarte.motivo IS 'Por qué se rechaza; nulo si está fuera de alcance';
COMMENT ON COLUMN etl.descarte.fuera IS 'Por qué está fuera de alcance: anulado, tipo, fecha o cantidad (0); nulo si se rechaza';
CREATE FUNCTION etl.por_descartar(p_inicial timestamp with time zone, p_limite timestamp with time zone) RETURNS SETOF etl.descarte
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN QUERY
    SELECT m.id_movimiento, CASE WHEN m.fuera IS NULL THEN m.motivo END, m.fuera
    FROM (
        SELECT
            r.id_movimiento,
            CASE
                WHEN r.anulado THEN 'anulado'
                WHEN t.tipo IS NULL THEN 'tipo'
                WHEN r.fecha < p_inicial OR r.fecha < r.apertura THEN 'fecha'
                -- It moves nothing; with an amount it would be lost money, and is a mistake.
                WHEN v.cantidad = 0 AND t.cantidad = 'positiva' AND coalesce(v.importe, 0) = 0 THEN 'cantidad'
            END AS fuera,
            etl.motivo_rechazo(
                t, r.conocido, v.cantidad, v.precio_unitario, v.costo_unitario, v.importe, v.impuesto,
                r.fecha, p_limite, r.id_sucursal, r.id_sucursal_destino
            ) AS motivo
        FROM (
            SELECT e.*, p.id_producto IS NOT NULL AS conocido, a.fecha AS apertura
            FROM etl.etapa AS e
            LEFT JOIN dw.producto AS p ON p.id_producto = e.id_producto AND p.vigente
            LEFT JOIN dw.apertura AS a ON a.id_producto = e.id_producto
            -- What nearly every movement is, told by the fewest comparisons, enters without more.
            WHERE (
                p.id_producto IS NOT NULL
                AND e.anulado IS NOT TRUE
                AND e.fecha BETWEEN p_inicial AND p_limite
                AND (a.fecha IS NULL OR e.fecha >= a.fecha)
                AND e.cantidad BETWEEN 0.000001 AND 99999
                AND (e.importe IS NULL OR e.importe BETWEEN 0 AND 999999)
                AND (e.impuesto IS NULL OR e.impuesto BETWEEN 0 AND 0.9)
                AND CASE e.tipo
                    WHEN 'VENTA' THEN e.precio_unitario
                    WHEN 'ENTRADA_MERCANCIA' THEN e.costo_unitario
                END BETWEEN 0 AND 999999
            ) IS NOT TRUE
            OFFSET 0
        ) AS r
        LEFT JOIN etl.v_etapa AS v ON v.id_movimiento = r.id_movimiento
        LEFT JOIN dw.tipo_movimiento AS t ON t.tipo = v.tipo
    ) AS m
    WHERE m.fuera IS NOT NULL OR m.motivo IS NOT NULL;
END
$$;
COMMENT ON FUNCTION etl.por_descartar(p_inicial timestamp with time zone, p_limite timestamp with time zone) IS 'De lo leído, lo que no entra al kardex y por qué';
CREATE FUNCTION etl.por_sucursal(p_sucursal bigint, p_destino bigint, p_variacion numeric, p_cantidad numeric) RETURNS TABLE(id_sucursal bigint, variacion numeric)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT p_sucursal, p_variacion
UNION ALL
SELECT p_sucursal, -p_cantidad WHERE p_destino IS NOT NULL
UNION ALL
SELECT p_destino, p_cantidad WHERE p_destino IS NOT NULL
$$;
COMMENT ON FUNCTION etl.por_sucursal(p_sucursal bigint, p_destino bigint, p_variacion numeric, p_cantidad numeric) IS 'Lo que una fila del kardex cambió en cada sucursal: la suya y, si es un traslado, las dos';
CREATE FUNCTION etl.precio_informado(p_precio boolean, precio numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE
    WHEN p_precio OR (precio > -1e11 AND precio < 1e11) THEN round(precio, 6)
END
$$;
COMMENT ON FUNCTION etl.precio_informado(p_precio boolean, precio numeric) IS 'El precio que guarda el kardex: el de un tipo que lo necesita, o el de otro si es un número posible';
CREATE FUNCTION etl.preguntar_ajustes() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
UPDATE etl.control AS c SET ajusta = NULL WHERE c.ajusta IS NOT NULL
$$;
COMMENT ON FUNCTION etl.preguntar_ajustes() IS 'La próxima carga que asiente ajustes pregunta, como la primera: a esta base le faltan ventanas';
CREATE FUNCTION etl.preparar_carga() RETURNS void
    LANGUAGE sql
    AS $$
-- Without workers, who could only read for it, and need some of /dev/shm, of which a container may
-- have little left.
SELECT
    set_config('work_mem', '128MB', true),
    set_config('jit', 'off', true),
    -- What is sought in the ledger row by row says so itself (LATERAL … OFFSET 0). Every other join
    -- takes each of its tables once, whatever statistics say of how few rows they have: a working
    -- table is another one in each load, and a loop over it is quadratic.
    set_config('enable_nestloop', 'off', true),
    set_config('max_parallel_workers_per_gather', '0', true),
    set_config('max_parallel_maintenance_workers', '0', true)
$$;
COMMENT ON FUNCTION etl.preparar_carga() IS 'Memoria y planes para la transacción de una carga';
CREATE FUNCTION etl.productos_libro() RETURNS TABLE(id_producto bigint, codigo text, nombre text, categoria text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT p.id_producto, p.codigo, p.nombre, p.categoria
FROM dw.producto AS p
-- What never had a stock is in no book of stock.
WHERE p.inventariable OR EXISTS (
    SELECT FROM dw.kardex AS k WHERE k.id_producto = p.id_producto AND k.variacion <> 0
)
ORDER BY p.codigo COLLATE "C" NULLS LAST, p.id_producto
$$;
COMMENT ON FUNCTION etl.productos_libro() IS 'Los productos, en el orden en que van en el libro';
CREATE FUNCTION etl.productos_vigentes() RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT p.id_producto FROM dw.producto AS p WHERE p.vigente
$$;
COMMENT ON FUNCTION etl.productos_vigentes() IS 'Los productos que productos.sql daba en la última ventana, para ver cuáles ya no da';
CREATE TABLE dw.ajuste_existencias (
    id_movimiento bigint NOT NULL,
    desde timestamp with time zone NOT NULL,
    hasta timestamp with time zone NOT NULL,
    fecha timestamp with time zone NOT NULL,
    id_producto bigint NOT NULL,
    id_sucursal bigint,
    cantidad numeric(38,6) NOT NULL,
    deshace bigint,
    CONSTRAINT ajuste_existencias_cantidad_check CHECK ((cantidad <> (0)::numeric)),
    CONSTRAINT ajuste_existencias_id_movimiento_check CHECK ((id_movimiento < '-1152921504606846976'::bigint))
);
COMMENT ON TABLE dw.ajuste_existencias IS 'Lo que se asentó para que nuestras existencias sean las de la tienda (ETL_STOCK_DIFFERENCES=adjust): solo se le añade. En el kardex, cada uno es un AJUSTE_ENTRADA o AJUSTE_SALIDA con lo que queda de él';
COMMENT ON COLUMN dw.ajuste_existencias.id_movimiento IS 'Menor que -2^60, hecho de la ventana, el producto y la sucursal: leída dos veces, asienta una; menor que -2^61 si con él empieza el producto';
COMMENT ON COLUMN dw.ajuste_existencias.desde IS 'De la ventana que lo asentó, como hasta';
COMMENT ON COLUMN dw.ajuste_existencias.fecha IS 'La de la instantánea en que se leyeron las existencias; de lo que deshace a otro, la de ese otro';
COMMENT ON COLUMN dw.ajuste_existencias.id_sucursal IS 'Nulo si la tienda da sus existencias por producto';
COMMENT ON COLUMN dw.ajuste_existencias.cantidad IS 'Con signo: lo que entra o, negativo, lo que sale';
COMMENT ON COLUMN dw.ajuste_existencias.deshace IS 'El ajuste al que quita esta cantidad, pues la causa de la diferencia ya está en el kardex; nulo si es uno nuevo';
CREATE FUNCTION etl.proponer_ajustes(p_extracto jsonb) RETURNS SETOF dw.ajuste_existencias
    LANGUAGE sql STABLE
    AS $$
WITH ventana AS (
    SELECT
        (p_extracto ->> 'desde')::timestamptz AS desde, (p_extracto ->> 'hasta')::timestamptz AS hasta,
        (p_extracto ->> 'leida')::timestamptz AS leida
), difiere AS MATERIALIZED (
    SELECT d.* FROM ventana AS v CROSS JOIN LATERAL etl.por_ajustar(v.leida) AS d
), deshecho AS MATERIALIZED (
    -- The latest first.
    SELECT
        a.id_producto, a.id_sucursal, a.id_movimiento, a.fecha,
        least(
            abs(a.cantidad),
            greatest(d.deshacer - coalesce(sum(abs(a.cantidad)) OVER (
                PARTITION BY a.id_producto, a.id_sucursal ORDER BY a.fecha DESC, a.id_movimiento
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0), 0)
        ) * sign(d.cantidad) AS cantidad
    FROM difiere AS d
    INNER JOIN etl.v_ajuste AS a
        ON a.id_producto = d.id_producto AND a.id_sucursal IS NOT DISTINCT FROM d.id_sucursal
        AND a.cuenta AND a.cantidad * d.cantidad < 0
        -- It is no more due to what was dated after it.
        AND a.fecha >= d.deshacer_desde
    WHERE d.deshacer > 0
        -- What was counted since holds, whatever came before.
        AND NOT EXISTS (
            SELECT FROM dw.kardex AS k
            WHERE k.id_producto = d.id_producto AND k.orden = 3 AND k.fecha_documento >= a.fecha AND NOT k.reverso
        )
), nuevo AS (
    SELECT d.id_producto, d.id_sucursal, d.cantidad - coalesce(sum(r.cantidad), 0) AS cantidad
    FROM difiere AS d
    LEFT JOIN deshecho AS r
        ON r.id_producto = d.id_producto AND r.id_sucursal IS NOT DISTINCT FROM d.id_sucursal
    GROUP BY d.id_producto, d.id_sucursal, d.cantidad
)
SELECT
    etl.numero_de_ajuste(
        i.inicial, extract(epoch FROM v.desde)::text, extract(epoch FROM v.hasta)::text, n.id_producto::text,
        n.id_sucursal::text
    ),
    v.desde, v.hasta, v.leida, n.id_producto, n.id_sucursal, n.cantidad::numeric(38, 6), NULL::bigint
FROM nuevo AS n
CROSS JOIN ventana AS v
CROSS JOIN LATERAL (
    SELECT NOT EXISTS (SELECT FROM dw.kardex AS k WHERE k.id_producto = n.id_producto AND k.fecha < v.leida)
        AND NOT EXISTS (SELECT FROM etl.v_apertura AS a WHERE a.id_producto = n.id_producto) AS inicial
    OFFSET 0
) AS i
WHERE n.cantidad <> 0
UNION ALL
SELECT
    etl.numero_de_ajuste(
        false, extract(epoch FROM v.desde)::text, extract(epoch FROM v.hasta)::text, 'deshace',
        d.id_movimiento::text
    ),
    v.desde, v.hasta, d.fecha, d.id_producto, d.id_sucursal, d.cantidad::numeric(38, 6), d.id_movimiento
FROM deshecho AS d
CROSS JOIN ventana AS v
WHERE d.cantidad <> 0
$$;
COMMENT ON FUNCTION etl.proponer_ajustes(p_extracto jsonb) IS 'Lo que esta ventana asentaría: primero lo que deshace ajustes anteriores de ese producto y sucursal, en su fecha y el último primero; lo demás, en la de la instantánea';
CREATE FUNCTION etl.puede_irse(p_documento timestamp with time zone, p_capa smallint, p_cerrado timestamp with time zone) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT p_documento >= p_cerrado AND p_capa = 0
$$;
COMMENT ON FUNCTION etl.puede_irse(p_documento timestamp with time zone, p_capa smallint, p_cerrado timestamp with time zone) IS 'Si un movimiento que el OLTP ya no tiene sale del kardex; si no, está archivado: es de un período cerrado, o corrige uno';
CREATE FUNCTION etl.quien_bloquea() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT string_agg(format(
    'pid %s, user %s, application %s, since %s', b.pid, b.usename,
    coalesce(nullif(b.application_name, ''), '?'), date_trunc('second', b.xact_start)
), '; ')
FROM (
    SELECT DISTINCT a.pid, a.usename, a.application_name, a.xact_start
    FROM pg_locks AS l
    INNER JOIN pg_class AS c ON c.oid = l.relation
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN pg_stat_activity AS a ON a.pid = l.pid
    WHERE l.granted AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
        AND n.nspname IN ('dw', 'etl') AND l.mode <> 'AccessShareLock' AND l.pid <> pg_backend_pid()
    ORDER BY a.pid
    LIMIT 5
) AS b
$$;
COMMENT ON FUNCTION etl.quien_bloquea() IS 'Las sesiones que tienen bloqueos sobre dw y etl, para nombrarlas';
CREATE FUNCTION etl.reabrir(p_dia date, p_motivo text, p_zona text, p_opciones jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_zona);
    v_cierre dw.cierre;
    v_cerrado timestamptz;
    v_otros bigint[];
BEGIN
    SELECT * INTO v_cierre FROM dw.cierre AS c ORDER BY c.hasta DESC LIMIT 1;
    IF v_cierre.dia IS DISTINCT FROM p_dia THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = CASE WHEN v_cierre.dia IS NULL THEN 'there is no closing; nothing was changed'
                ELSE format('the last closing is that of %s; nothing was changed', v_cierre.dia) END;
    END IF;
    INSERT INTO dw.reapertura (motivo, hasta, dia, cerrado, movimientos, existencias, valor, huella)
    SELECT p_motivo, v_cierre.*;
    DELETE FROM dw.cierre AS c WHERE c.hasta = v_cierre.hasta;
    v_cerrado := etl.cerrado_hasta();
    v_otros := ARRAY(
        SELECT c.id_producto
        FROM etl.producto_cerrado AS c
        INNER JOIN dw.producto AS p ON p.id_producto = c.id_producto
        WHERE c.hasta = v_cierre.hasta AND c.inventariable <> p.inventariable
    );
    DELETE FROM etl.producto_cerrado AS p WHERE p.hasta = v_cierre.hasta AND p.desde >= v_cerrado;
    UPDATE etl.producto_cerrado AS p SET hasta = v_cerrado WHERE p.hasta = v_cierre.hasta;
    -- What was booked at its end, or corrects what it closed, is booked as if it had never been: from what
    -- each movement is now, the OLTP is not asked.
    PERFORM etl.vaciar_trabajo();
    PERFORM etl.preparar_carga();
    INSERT INTO etl.etapa (
        id_movimiento, tipo, id_producto, id_sucursal, cantidad, precio_unitario, costo_unitario, fecha, anulado,
        id_origen, id_sucursal_destino, importe, impuesto, precio_con_impuesto
    )
    SELECT DISTINCT ON (k.id_movimiento)
        k.id_movimiento, k.tipo, k.id_producto, CASE WHEN k.de_todo IS NOT TRUE THEN k.id_sucursal END,
        k.cantidad, k.precio_unitario, CASE WHEN k.tipo <> 'VENTA' THEN k.costo_unitario END,
        k.fecha_documento, k.reverso, k.id_origen, k.id_sucursal_destino, k.importe, k.impuesto,
        k.precio_con_impuesto
    FROM dw.kardex AS k
    WHERE k.id_movimiento IN (
        SELECT f.id_movimiento FROM dw.kardex AS f
        WHERE f.fecha >= v_cerrado AND (f.capa > 0 OR f.fecha_documento < f.fecha)
    )
    ORDER BY k.id_movimiento, k.capa DESC;
    -- Nothing is judged: a void stays one, and the rest is as it was booked.
    PERFORM etl.corregir_asientos(v_cerrado);
    PERFORM etl.marcar_con_costos(v_cerrado, v_cierre.hasta, '-infinity');
    -- What had a stock then and has none now, or the reverse.
    INSERT INTO etl.tramo AS t (id_producto, desde)
    SELECT i.id_producto, '-infinity' FROM dw.inventario AS i WHERE i.id_producto = ANY (v_otros)
    ON CONFLICT (id_producto) DO UPDATE SET desde = excluded.desde;
    -- What may have entered at a reference, which may be another by now.
    INSERT INTO etl.tramo AS t (id_producto, desde)
    SELECT DISTINCT k.id_producto, '-infinity'::timestamptz
    FROM dw.kardex AS k
    INNER JOIN dw.tipo_movimiento AS p
        ON p.tipo = k.tipo AND p.regla IN ('recibir', 'contar', 'devolver_venta')
    WHERE k.fecha >= v_cerrado AND k.fecha < v_cierre.hasta AND k.costo_unitario IS NULL AND NOT k.reverso
    ON CONFLICT (id_producto) DO UPDATE SET desde = excluded.desde;
    PERFORM etl.revaluar(
        v_control.corridas + 1, p_opciones, (SELECT c.dia FROM dw.v_corte AS c), false
    );
    PERFORM etl.comparar_tocados();
    -- In the categories and with the tax of today.
    PERFORM etl.recalcular_resumenes(p_zona, (SELECT c.dia FROM dw.v_corte AS c));
    -- What was archived with its product is to wait, now that it is open.
    PERFORM etl.anotar_revaluacion(EXISTS (
        SELECT FROM dw.kardex AS k
        INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto AND NOT p.vigente
        WHERE k.fecha >= v_cerrado AND k.fecha < v_cierre.hasta
    ));
    RETURN to_jsonb(v_cierre);
END
$$;
COMMENT ON FUNCTION etl.reabrir(p_dia date, p_motivo text, p_zona text, p_opciones jsonb) IS 'Deshace el último cierre: lo que corregía su período se asienta en su fecha';
CREATE FUNCTION etl.recalcular_resumenes(p_zona text, p_corte date) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM etl.delta;
    INSERT INTO etl.delta SELECT * FROM etl.diferencias_de_resumen(p_zona, p_corte);
    PERFORM etl.actualizar_resumenes();
    -- Rows of zeros differ from the ledger's sums in nothing.
    DELETE FROM dw.resumen_diario AS r WHERE r.movimientos = 0;
    DELETE FROM dw.resumen_mensual AS r WHERE r.movimientos = 0;
END
$$;
COMMENT ON FUNCTION etl.recalcular_resumenes(p_zona text, p_corte date) IS 'Pone los resúmenes de acuerdo con el kardex, escribiendo solo lo que difiere';
CREATE FUNCTION etl.recibir_existencias(p_todas boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_mala record;
BEGIN
    SELECT
        e.id_producto, e.id_sucursal, count(*) AS veces,
        coalesce(min(e.clave_producto), e.id_producto::text) AS producto,
        coalesce(min(e.clave_sucursal), e.id_sucursal::text) AS sucursal,
        bool_or(e.id_sucursal IS NULL) OVER (PARTITION BY e.id_producto)
        AND bool_or(e.id_sucursal IS NOT NULL) OVER (PARTITION BY e.id_producto) AS ambas
    INTO v_mala
    FROM etl.etapa_existencia AS e
    GROUP BY e.id_producto, e.id_sucursal
    ORDER BY e.id_producto IS NULL DESC, count(*) > 1 DESC, ambas DESC, e.id_producto
    LIMIT 1;
    IF v_mala.veces IS NOT NULL AND (v_mala.id_producto IS NULL OR v_mala.veces > 1 OR v_mala.ambas) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01',
            MESSAGE = CASE
                WHEN v_mala.id_producto IS NULL THEN 'existencias.sql yields rows without id_producto'
                WHEN v_mala.veces > 1 THEN format('existencias.sql yields product %s%s %s times',
                    v_mala.producto, ' of branch ' || v_mala.sucursal, v_mala.veces)
                ELSE format('existencias.sql yields product %s by branch and as a whole', v_mala.producto)
            END,
            HINT = 'correct it so that each product is one row, or one a branch, then run again';
    END IF;
    -- What is no number is not known.
    UPDATE etl.etapa_existencia AS e SET existencias = CASE
        WHEN e.existencias > -1e11 AND e.existencias < 1e11 THEN round(e.existencias, 6)
    END
    WHERE (e.existencias > -1e11 AND e.existencias < 1e11 AND e.existencias = round(e.existencias, 6)) IS NOT TRUE;
    DELETE FROM dw.existencias_tienda AS t
    USING etl.etapa_existencia AS e
    WHERE e.existencias IS NULL AND e.id_producto = t.id_producto
        AND coalesce(e.id_sucursal, -9223372036854775808) = coalesce(t.id_sucursal, -9223372036854775808);
    -- Nor is one told by branch any more that is told as a whole, nor the reverse.
    DELETE FROM dw.existencias_tienda AS t
    USING etl.etapa_existencia AS e
    WHERE e.id_producto = t.id_producto AND (e.id_sucursal IS NULL) <> (t.id_sucursal IS NULL);
    IF p_todas THEN
        DELETE FROM dw.existencias_tienda AS t
        WHERE NOT EXISTS (
            SELECT FROM etl.etapa_existencia AS e
            WHERE e.id_producto = t.id_producto
                AND coalesce(e.id_sucursal, -9223372036854775808) = coalesce(t.id_sucursal, -9223372036854775808)
        );
    END IF;
    INSERT INTO dw.existencias_tienda AS t
    SELECT e.id_producto, e.id_sucursal, e.existencias, e.costo_referencia, e.clave_producto
    FROM etl.etapa_existencia AS e
    WHERE e.existencias IS NOT NULL
    ON CONFLICT (id_producto, coalesce(id_sucursal, -9223372036854775808)) DO UPDATE SET
        existencias = excluded.existencias, costo_referencia = excluded.costo_referencia, clave = excluded.clave
    WHERE (t.existencias, t.costo_referencia, t.clave)
        IS DISTINCT FROM (excluded.existencias, excluded.costo_referencia, excluded.clave);
END
$$;
COMMENT ON FUNCTION etl.recibir_existencias(p_todas boolean) IS 'Lleva lo leído de existencias.sql, todo o lo que cambió, a dw.existencias_tienda; falla si un producto viene dos veces, o por sucursal y entero';
CREATE FUNCTION etl.refrescar_vista(p_vista oid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET work_mem TO '64MB'
    SET jit TO 'off'
    SET default_statistics_target TO '10'
    SET max_parallel_workers_per_gather TO '0'
    SET max_parallel_maintenance_workers TO '0'
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
COMMENT ON FUNCTION etl.refrescar_vista(p_vista oid) IS 'Refresca una vista; devuelve por qué no se pudo hacer sin bloquear, o nulo';
CREATE FUNCTION etl.regla_de(reverso boolean, regla text, signo smallint, inventariable boolean) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE
    WHEN NOT reverso THEN CASE WHEN inventariable THEN regla ELSE 'ninguna' END
    WHEN signo = -1 THEN 'anular_salida'
    ELSE 'anular_entrada'
END
$$;
COMMENT ON FUNCTION etl.regla_de(reverso boolean, regla text, signo smallint, inventariable boolean) IS 'La regla con que se valoriza una fila: la de su tipo o, si no tiene existencias, ninguna; o la de su reverso';
CREATE FUNCTION etl.reintentar_rechazos(p_revisados jsonb) RETURNS void
    LANGUAGE sql
    AS $$
-- Also one that the shop corrected: it had it before.
UPDATE etl.etapa AS e SET atrasada = true
WHERE EXISTS (SELECT FROM dw.ajuste_existencias)
    AND e.id_movimiento IN (SELECT r.id_movimiento FROM etl.rechazo AS r);
INSERT INTO etl.etapa (
    id_movimiento, tipo, id_producto, id_sucursal, cantidad, precio_unitario, costo_unitario,
    fecha, anulado, id_origen, id_sucursal_destino, importe, impuesto, precio_con_impuesto, id_documento,
    documento, clave, clave_documento, clave_producto, atrasada
)
SELECT
    r.id_movimiento, r.tipo, r.id_producto, r.id_sucursal, r.cantidad, r.precio_unitario,
    r.costo_unitario, r.fecha, false, r.id_origen, r.id_sucursal_destino, r.importe, r.impuesto,
    r.precio_con_impuesto, d.id_documento, d.documento, d.clave, d.clave_documento, r.clave_producto, true
FROM etl.rechazo AS r
LEFT JOIN LATERAL (
    SELECT * FROM dw.documento_movimiento AS a WHERE a.id_movimiento = r.id_movimiento OFFSET 0
) AS d ON true
WHERE NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = r.id_movimiento)
    -- One that was looked for and not found was deleted in the OLTP.
    AND NOT EXISTS (
        SELECT FROM jsonb_array_elements_text(coalesce(nullif(p_revisados, 'null'), '[]')) AS v (id)
        WHERE v.id::bigint = r.id_movimiento
    )
$$;
COMMENT ON FUNCTION etl.reintentar_rechazos(p_revisados jsonb) IS 'Pone a prueba otra vez los rechazos que no vinieron en esta lectura, y anota los que vinieron';
CREATE FUNCTION etl.releer_por_tipos() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_dichos text[] := ARRAY['nombre', 'descripcion', 'sunat', 'sunat_con_costo', 'sunat_destino'];
BEGIN
    -- Where it is reported, and with what sign, is asked of this table for what is closed, too.
    IF TG_OP <> 'INSERT' AND EXISTS (
        SELECT FROM dw.kardex AS k
        WHERE k.tipo = OLD.tipo AND k.fecha < (SELECT etl.cerrado_hasta())
    ) AND (
        TG_OP = 'DELETE' OR (OLD.tipo, OLD.signo, OLD.clase, OLD.clase_con_costo, OLD.resta)
        IS DISTINCT FROM (NEW.tipo, NEW.signo, NEW.clase, NEW.clase_con_costo, NEW.resta)
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('movements of type %s are closed, and would be reported otherwise; nothing was changed',
                             OLD.tipo),
            HINT = 'give what comes from now on a type of its own, or open the closings again, the last one first: `python -m pipeline close --reopen`';
    END IF;
    IF TG_OP <> 'UPDATE' OR to_jsonb(OLD) - v_dichos <> to_jsonb(NEW) - v_dichos THEN
        -- A window that is under way was read without knowing of this: it will be read again.
        -- Of a new type nothing is valued yet.
        UPDATE etl.control AS c
        SET horizonte = NULL, version = gen_random_uuid(), revaluar = c.revaluar OR TG_OP <> 'INSERT';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION etl.releer_por_tipos() IS 'Lo que se edita en dw.tipo_movimiento cambia lo que significa lo ya leído: la corrida siguiente lee todo, y lo valoriza de nuevo; de lo cerrado no cambia cómo cuenta';
CREATE FUNCTION etl.repetir(p_numero bigint, p_factor numeric) RETURNS void
    LANGUAGE sql
    AS $$
INSERT INTO etl.repeticion
SELECT
    (v.fila).*, v.es_alta, v.difiere, v.costo_total_anterior, v.ajuste_anterior,
    v.variacion_anterior, v.ctid_kardex
FROM etl.valorizar(true, p_numero, p_factor) AS v
WHERE v.difiere OR v.reclasificado
$$;
COMMENT ON FUNCTION etl.repetir(p_numero bigint, p_factor numeric) IS 'Valoriza de nuevo los tramos con cola y deja en etl.repeticion las altas y las filas que cambian';
CREATE FUNCTION etl.repetir_libro(p_corta boolean, p_movimientos bigint[], p_parte bigint) RETURNS TABLE(falla text, id_producto bigint, id_movimiento bigint)
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
DECLARE
    v_cerrado timestamptz := etl.cerrado_hasta();
BEGIN
    -- A row is right if the rule of its type makes it of the row before: if all are, and the first stands
    -- on the opening, the ledger is its replay. So none waits for another.
    RETURN QUERY
    WITH tramo AS MATERIALIZED (
        SELECT
            q.id_producto, q.desde, coalesce(p.inventariable, true) AS inventariable, p.costo_referencia AS referencia,
            coalesce(u.existencias, a.existencias, 0)::numeric AS existencias,
            coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0)::numeric AS valor,
            coalesce(u.costo_promedio, a.costo_promedio, 0)::numeric AS costo_promedio
        FROM etl.tramos_de_prueba(p_corta, p_movimientos, p_parte) AS q
        LEFT JOIN dw.producto AS p ON p.id_producto = q.id_producto
        LEFT JOIN etl.v_apertura AS a ON a.id_producto = q.id_producto
        LEFT JOIN LATERAL (
            SELECT k.existencias, k.valor, k.costo_promedio
            FROM dw.kardex AS k
            WHERE k.id_producto = q.id_producto AND k.fecha < q.desde
            ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
            LIMIT 1
        ) AS u ON true
    ), par AS MATERIALIZED (
        -- What names another that serves as its origin: of the product, of the right type, and before it.
        SELECT n.id_movimiento, n.capa, n.regla, n.costo, n.id_origen, o.capa AS capa_origen, o.origen
        FROM (
            SELECT k.*, t.regla, t.tipo_origen, round(k.cantidad * k.costo_unitario, 6) AS costo
            FROM tramo AS r
            CROSS JOIN LATERAL (
                SELECT f.id_producto, f.id_movimiento, f.capa, f.id_origen, f.tipo, f.fecha, f.cantidad,
                    f.costo_unitario, f.costo_total
                FROM dw.kardex AS f
                WHERE f.id_producto = r.id_producto AND f.id_origen IS NOT NULL AND NOT f.reverso
                    AND NOT EXISTS (
                        SELECT FROM dw.kardex AS x
                        WHERE x.reverso AND x.id_movimiento = f.id_movimiento AND x.capa = f.capa + 1
                    )
                OFFSET 0
            ) AS k
            INNER JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo
            OFFSET 0
        ) AS n
        CROSS JOIN LATERAL (
            SELECT
                f.id_producto, f.tipo, f.fecha, f.capa,
                ROW(f.id_movimiento, f.costo_total, f.cantidad, f.existencias, f.costo_promedio)::dw.origen
                    AS origen
            FROM dw.kardex AS f
            WHERE f.id_movimiento = n.id_origen AND NOT f.reverso AND NOT EXISTS (
                SELECT FROM dw.kardex AS x
                WHERE x.reverso AND x.id_movimiento = f.id_movimiento AND x.capa = f.capa + 1
            )
            OFFSET 0
        ) AS o
        CROSS JOIN etl.limite_de_costos() AS l (fecha)
        WHERE o.id_producto = n.id_producto AND o.tipo = n.tipo_origen
            AND CASE WHEN n.regla = 'sumar_costo'
                -- Closed on its own it is no part of its receipt.
                THEN (o.fecha >= l.fecha OR n.fecha < l.fecha) AND (n.fecha >= l.fecha OR n.costo_total = 0)
                ELSE o.fecha <= n.fecha END
    ), conteo AS (
        -- Of the products that are counted by branch: what the branch had.
        SELECT c.id_movimiento, c.capa, c.habia
        FROM (
            SELECT
                e.id_movimiento, e.capa, e.cuenta,
                coalesce(sum(e.variacion) OVER (
                    PARTITION BY e.id_producto, e.id_sucursal
                    ORDER BY e.fecha, e.fecha_documento, e.orden, e.id_movimiento, e.capa
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ), 0) AS habia
            FROM (
                SELECT k.id_producto, k.fecha, k.fecha_documento, k.orden, k.id_movimiento, k.capa,
                    m.id_sucursal, m.variacion, m.cuenta
                FROM tramo AS r
                CROSS JOIN LATERAL (
                    SELECT FROM dw.kardex AS f
                    WHERE f.id_producto = r.id_producto AND f.orden = 3 AND f.de_todo IS NULL
                    LIMIT 1
                ) AS n
                CROSS JOIN LATERAL (
                    SELECT * FROM dw.kardex AS f WHERE f.id_producto = r.id_producto OFFSET 0
                ) AS k
                CROSS JOIN LATERAL (VALUES
                    (
                        k.id_sucursal,
                        k.variacion - CASE WHEN k.id_sucursal_destino IS NULL THEN 0 ELSE k.cantidad END,
                        k.orden = 3 AND k.de_todo IS NULL AND NOT k.reverso
                    ),
                    (k.id_sucursal_destino, k.cantidad, false)
                ) AS m (id_sucursal, variacion, cuenta)
                WHERE m.id_sucursal IS NOT NULL
                UNION ALL
                SELECT a.id_producto, '-infinity', '-infinity', -1, 0, 0, a.id_sucursal, a.existencias, false
                FROM dw.apertura_sucursal AS a
                INNER JOIN etl.v_apertura AS v ON v.id_producto = a.id_producto
            ) AS e
        ) AS c
        WHERE c.cuenta
    ), tardio AS (
        -- A count of a closed day, of which what is closed and came after it tells.
        SELECT
            k.id_movimiento, k.capa,
            coalesce(sum(m.variacion) FILTER (WHERE k.de_todo OR m.id_sucursal = k.id_sucursal), 0) AS despues,
            coalesce(bool_or(m.cuenta), false) AS sabido
        FROM tramo AS r
        CROSS JOIN LATERAL (
            SELECT * FROM dw.kardex AS f
            WHERE f.id_producto = r.id_producto AND f.fecha >= r.desde
                AND f.orden = 3 AND f.fecha_documento < f.fecha AND NOT f.reverso
            OFFSET 0
        ) AS k
        LEFT JOIN LATERAL (
            SELECT
                s.id_sucursal, s.variacion,
                f.orden = 3 AND NOT f.reverso
                AND (f.de_todo IS TRUE OR k.de_todo IS NULL AND f.id_sucursal = k.id_sucursal) AND NOT EXISTS (
                    SELECT FROM dw.kardex AS x
                    WHERE x.reverso AND x.id_movimiento = f.id_movimiento AND x.capa = f.capa + 1
                ) AS cuenta
            FROM dw.kardex AS f
            CROSS JOIN LATERAL etl.por_sucursal(f.id_sucursal, f.id_sucursal_destino, f.variacion, f.cantidad) AS s
            WHERE f.id_producto = k.id_producto AND f.fecha < (SELECT etl.cerrado_hasta())
                AND (f.fecha_documento, f.orden, f.id_movimiento) > (k.fecha_documento, 3, k.id_movimiento)
            OFFSET 0
        ) AS m ON true
        GROUP BY k.id_movimiento, k.capa
    ), deshecho AS (
        -- What a reversal undoes: its cost, what it is worth, and its quantity with its sign.
        SELECT
            k.id_movimiento, k.capa,
            ROW(
                k.id_movimiento,
                CASE WHEN d.dentro THEN d.queda ELSE c.costo_total END,
                c.variacion,
                CASE
                    WHEN d.dentro THEN d.queda
                    WHEN t.regla = 'sumar_costo' THEN c.costo_total + c.ajuste
                    WHEN c.variacion < 0 THEN -(t.signo * c.costo_total + c.ajuste)
                    WHEN c.tipo = 'ENTRADA_MERCANCIA' THEN greatest(c.costo_total, 0)
                    ELSE c.costo_total
                END,
                c.costo_promedio
            )::dw.origen AS origen
        FROM tramo AS r
        CROSS JOIN LATERAL (
            SELECT * FROM dw.kardex AS f
            WHERE f.id_producto = r.id_producto AND f.fecha >= r.desde AND f.reverso
            OFFSET 0
        ) AS k
        CROSS JOIN LATERAL (
            SELECT * FROM dw.kardex AS f WHERE f.id_movimiento = k.id_movimiento AND f.capa = k.capa - 1
            OFFSET 0
        ) AS c
        INNER JOIN dw.tipo_movimiento AS t ON t.tipo = c.tipo
        CROSS JOIN LATERAL (
            SELECT
                t.regla = 'sumar_costo' AND c.costo_total = 0 AS dentro,
                CASE WHEN EXISTS (
                    SELECT FROM dw.kardex AS o
                    WHERE o.id_movimiento = c.id_origen AND o.fecha < (SELECT etl.cerrado_hasta())
                        AND o.id_producto = c.id_producto AND o.tipo = t.tipo_origen AND NOT o.reverso
                        AND NOT EXISTS (
                            SELECT FROM dw.kardex AS x
                            WHERE x.reverso AND x.id_movimiento = o.id_movimiento AND x.capa = o.capa + 1
                        )
                ) THEN round(c.cantidad * c.costo_unitario, 6) ELSE 0 END AS queda
        ) AS d
    ), circunstancia AS MATERIALIZED (
        SELECT
            c.id_movimiento, c.capa, (array_agg(c.origen) FILTER (WHERE c.origen IS NOT NULL))[1] AS origen,
            sum(c.adicional) AS adicional, max(c.habia) AS habia, max(c.despues) AS despues,
            bool_or(c.sabido) AS sabido
        FROM (
            SELECT p.id_movimiento, p.capa, p.origen, NULL::numeric AS adicional, NULL::numeric AS habia,
                NULL::numeric AS despues, NULL::boolean AS sabido
            FROM par AS p
            UNION ALL
            SELECT p.id_origen, p.capa_origen, NULL, p.costo, NULL, NULL, NULL
            FROM par AS p WHERE p.regla = 'sumar_costo'
            UNION ALL
            SELECT n.id_movimiento, n.capa, NULL, NULL, n.habia, NULL, NULL FROM conteo AS n
            UNION ALL
            SELECT l.id_movimiento, l.capa, NULL, NULL, NULL, l.despues, l.sabido FROM tardio AS l
            UNION ALL
            SELECT u.id_movimiento, u.capa, u.origen, NULL, NULL, NULL, NULL FROM deshecho AS u
        ) AS c
        GROUP BY c.id_movimiento, c.capa
    )
    SELECT
        -- Each row: what there was, plus what entered, less what left, plus the adjustment.
        CASE
            WHEN f.existencias <> f.existencias_previas + f.variacion
                OR f.valor - f.valor_previo <> f.entra + f.ajuste
                THEN 'the ledger does not foot'
            WHEN f.suelta THEN 'the row does not follow the booking that it corrects'
            ELSE 'a replay gives other figures'
        END,
        f.id_producto, f.id_movimiento
    FROM (
        -- Nearly every movement is a sale or a receipt: their rules are written in here by the planner, as
        -- in dw.aplicar_movimiento. OFFSET 0: else each would be worked out for each column compared.
        SELECT
            s.*,
            CASE
                WHEN NOT s.sencillo THEN NULL
                WHEN s.regla = 'al_promedio' THEN dw.actualizar_stock_venta(
                    ROW(s.existencias_previas, s.valor_previo, s.promedio_previo, NULL, NULL)::dw.estado, s.cantidad
                )
                ELSE dw.actualizar_costo_promedio(
                    ROW(s.existencias_previas, s.valor_previo, s.promedio_previo, NULL, NULL)::dw.estado,
                    s.cantidad, s.costo_unitario
                )
            END AS estado,
            CASE WHEN NOT s.sencillo THEN dw.valuar_movimiento(
                ROW(
                    s.existencias_previas, s.valor_previo, s.promedio_previo, NULL, NULL, NULL, NULL, NULL, NULL,
                    NULL, NULL
                )::dw.paso,
                s.regla, s.cantidad, s.costo_unitario, s.importe, s.adicional, s.origen IS NOT NULL, s.origen,
                coalesce(s.habia, s.existencias_previas) - coalesce(s.despues, 0), s.referencia
            ) END AS paso
        FROM (
            SELECT
                k.id_producto, k.id_movimiento, k.tipo, k.orden, k.provisional, k.salto_costo,
                k.cantidad::numeric, k.costo_unitario::numeric, k.costo_total::numeric, k.ajuste::numeric,
                k.existencias::numeric, k.valor::numeric, k.costo_promedio::numeric, k.variacion::numeric,
                k.importe::numeric, k.reverso, k.fecha, k.fecha_documento,
                CASE WHEN c.sabido THEN 'ninguna' ELSE etl.regla_de(k.reverso, t.regla, t.signo, r.inventariable) END
                    AS regla,
                r.inventariable, r.referencia,
                t.orden AS orden_del_tipo, c.despues,
                -- Bookings of one movement take turns: what it was, its reversal, what it is. By the key, and of
                -- the few that have one before them: not by EXISTS, of which there is a plan that reads all.
                CASE WHEN k.capa > 0 OR k.reverso THEN (
                    SELECT x.reverso <> k.reverso AND (NOT k.reverso OR (
                        x.id_producto, x.tipo, x.fecha_documento, x.cantidad, x.precio_unitario, x.costo_unitario,
                        x.importe, x.id_origen, x.de_todo, x.impuesto, x.precio_con_impuesto
                    ) IS NOT DISTINCT FROM (
                        k.id_producto, k.tipo, k.fecha_documento, k.cantidad, k.precio_unitario, k.costo_unitario,
                        k.importe, k.id_origen, k.de_todo, k.impuesto, k.precio_con_impuesto
                    ))
                    FROM dw.kardex AS x
                    WHERE x.id_movimiento = k.id_movimiento AND x.capa = k.capa - 1
                    LIMIT 1
                ) IS NOT TRUE ELSE false END AS suelta,
                CASE t.signo WHEN 1 THEN k.costo_total WHEN -1 THEN -k.costo_total ELSE 0 END AS entra, c.origen, c.adicional, c.habia,
                r.inventariable AND NOT k.reverso AND (
                    t.regla = 'al_promedio'
                    OR t.regla = 'recibir' AND k.costo_unitario IS NOT NULL AND k.importe IS NULL
                    AND c.adicional IS NULL
                ) AS sencillo,
                coalesce(k.existencias_previas, r.existencias)::numeric AS existencias_previas,
                coalesce(k.valor_previo, r.valor)::numeric AS valor_previo,
                coalesce(k.promedio_previo, r.costo_promedio)::numeric AS promedio_previo
            FROM tramo AS r
            CROSS JOIN LATERAL (
                -- A product at a time, in the order of its key: nothing is sorted.
                SELECT
                    f.*, lag(f.existencias) OVER w AS existencias_previas,
                    lag(f.valor) OVER w AS valor_previo, lag(f.costo_promedio) OVER w AS promedio_previo
                FROM dw.kardex AS f
                WHERE f.id_producto = r.id_producto AND f.fecha >= r.desde
                WINDOW w AS (ORDER BY f.fecha, f.fecha_documento, f.orden, f.id_movimiento, f.capa)
                OFFSET 0
            ) AS k
            INNER JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo
            LEFT JOIN circunstancia AS c ON c.id_movimiento = k.id_movimiento AND c.capa = k.capa
        ) AS s
        OFFSET 0
    ) AS f
    WHERE
        -- A rule of the shop's own that yields no value must not pass for one that agrees.
        CASE
            WHEN f.sencillo THEN (f.estado).existencias = f.existencias AND (f.estado).valor = f.valor
                AND (f.estado).costo_promedio = f.costo_promedio
                AND (f.estado).costo_total = f.costo_total AND (f.estado).ajuste = f.ajuste
            ELSE (f.paso).existencias = f.existencias AND (f.paso).valor = f.valor
                AND (f.paso).costo_promedio = f.costo_promedio
                AND (f.paso).costo_total = f.costo_total AND (f.paso).ajuste = f.ajuste
        END IS NOT TRUE
        OR f.existencias <> f.existencias_previas + f.variacion
        OR f.valor - f.valor_previo <> f.entra + f.ajuste
        OR f.orden <> f.orden_del_tipo
        OR f.suelta
        -- What corrects a closed period is booked where it ends.
        OR f.fecha <> CASE WHEN f.reverso THEN v_cerrado ELSE greatest(f.fecha_documento, v_cerrado) END
        OR f.provisional <> (
            CASE WHEN f.sencillo THEN f.regla = 'al_promedio' ELSE (f.paso).al_promedio END
            AND (f.existencias < 0 OR f.costo_promedio = 0)
        )
        OR f.tipo = 'VENTA' AND NOT f.reverso AND f.costo_unitario IS DISTINCT FROM f.costo_promedio
        OR (f.tipo <> 'ENTRADA_MERCANCIA' OR f.reverso OR NOT f.inventariable) AND f.salto_costo IS NOT NULL
        -- Which cost is far from the average is a setting's matter; how far it is, is not.
        OR f.tipo = 'ENTRADA_MERCANCIA' AND NOT f.reverso AND f.inventariable AND (f.salto_costo = 0) IS DISTINCT FROM (
            CASE WHEN f.costo_unitario = 0 THEN true WHEN f.salto_costo IS NOT NULL THEN false END
        )
        OR f.salto_costo <> 0 AND f.salto_costo IS DISTINCT FROM greatest(
            round(f.costo_unitario * 1.00000000000000000000 / nullif(f.promedio_previo, 0), 6), 0.000001
        );
END
$$;
COMMENT ON FUNCTION etl.repetir_libro(p_corta boolean, p_movimientos bigint[], p_parte bigint) IS 'Repite desde su apertura, o desde lo que cambió, los productos de número par (0) o impar (1), y dice en qué filas el kardex difiere o no cuadra con la anterior';
CREATE FUNCTION etl.resumir_ajustes(p_ajustes dw.ajuste_existencias[]) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
SELECT jsonb_build_object(
    'ajustes', count(*), 'productos', count(DISTINCT v.id_producto), 'unidades', coalesce(sum(abs(v.cantidad)), 0),
    'valor', coalesce(sum(abs(v.valor)), 0),
    'unidades_sin_costo', coalesce(sum(abs(v.cantidad)) FILTER (WHERE v.valor = 0), 0),
    'deshechos', count(*) FILTER (WHERE v.deshace IS NOT NULL),
    'iniciales', count(*) FILTER (WHERE v.inicial),
    'mayores', coalesce(jsonb_agg(
        jsonb_build_object(
            'id_producto', v.id_producto, 'clave', v.clave, 'codigo', v.codigo, 'nombre', v.nombre,
            'id_sucursal', v.id_sucursal, 'sucursal', v.sucursal, 'cantidad', v.cantidad, 'valor', v.valor, 'fecha', v.fecha,
            'deshace', v.deshace IS NOT NULL
        ) ORDER BY v.puesto
    ) FILTER (WHERE v.puesto <= 20), '[]')
)
FROM (
    SELECT
        a.*, p.clave, p.codigo, p.nombre, s.nombre AS sucursal, e.valor, etl.es_inicial(a.id_movimiento) AS inicial,
        row_number() OVER (
            ORDER BY abs(e.valor) DESC, abs(a.cantidad) DESC, a.id_producto, a.id_sucursal, a.fecha DESC
        ) AS puesto
    FROM unnest(p_ajustes) AS a
    LEFT JOIN dw.producto AS p ON p.id_producto = a.id_producto
    LEFT JOIN dw.sucursal AS s ON s.id_sucursal = a.id_sucursal
    LEFT JOIN dw.inventario AS i ON i.id_producto = a.id_producto
    CROSS JOIN LATERAL (
        SELECT round(a.cantidad * coalesce(nullif(i.costo_promedio, 0), p.costo_referencia, 0), 6) AS valor
    ) AS e
) AS v
$$;
COMMENT ON FUNCTION etl.resumir_ajustes(p_ajustes dw.ajuste_existencias[]) IS 'Cuántos ajustes son, de cuántos productos, sus unidades y lo que valen, cuántas no tienen costo, cuántos deshacen otros o son saldos iniciales, y los 20 mayores';
CREATE FUNCTION etl.resumir_correcciones(p_de_la_carga boolean) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT jsonb_build_object(
    'tarde', count(DISTINCT c.id_movimiento) FILTER (WHERE c.que = 'llegó tarde'),
    'corregidas', count(DISTINCT c.id_movimiento) FILTER (WHERE c.que = 'corregido'),
    'retiradas', count(DISTINCT c.id_movimiento) FILTER (WHERE c.que = 'retirado'),
    'valor', coalesce(sum(c.efecto_valor), 0),
    'venta_neta', coalesce(sum(c.efecto_venta_neta), 0),
    'costo', coalesce(sum(c.efecto_costo), 0),
    'margen', coalesce(sum(c.efecto_margen), 0)
)
FROM dw.v_correcciones AS c
WHERE c.asentado >= (SELECT etl.cerrado_hasta()) AND (
    NOT p_de_la_carga
    OR c.id_movimiento IN (SELECT e.id_movimiento FROM etl.etapa AS e WHERE e.fecha_documento IS NOT NULL)
)
$$;
COMMENT ON FUNCTION etl.resumir_correcciones(p_de_la_carga boolean) IS 'Cuántos movimientos de lo cerrado están asentados después del último cierre, y con qué efecto: todos, o los que asienta la carga que está en curso';
CREATE FUNCTION etl.resumir_diferencias() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_nestloop TO 'off'
    AS $$
WITH difiere AS MATERIALIZED (
    SELECT * FROM dw.v_diferencias_existencias
), en_espera AS MATERIALIZED (
    SELECT r.id_producto, count(*) AS movimientos
    FROM etl.rechazo AS r
    WHERE r.id_producto IN (SELECT d.id_producto FROM difiere AS d)
    GROUP BY r.id_producto
), mayores AS (
    SELECT d.*, coalesce(e.movimientos, 0) AS en_espera
    FROM difiere AS d
    LEFT JOIN en_espera AS e ON e.id_producto = d.id_producto
    ORDER BY abs(d.valor) DESC, abs(d.diferencia) DESC, d.id_producto, d.id_sucursal
    LIMIT 20
)
SELECT jsonb_build_object(
    'comparadas', EXISTS (SELECT FROM dw.existencias_tienda),
    'productos', (SELECT count(DISTINCT d.id_producto) FROM difiere AS d),
    'valor', (SELECT coalesce(sum(abs(d.valor)), 0) FROM difiere AS d),
    'ajustes', (SELECT to_jsonb(a) FROM etl.v_ajustado AS a),
    'en_espera', (SELECT coalesce(sum(e.movimientos), 0) FROM en_espera AS e),
    'mayores', (
        SELECT coalesce(jsonb_agg(
            to_jsonb(m) ORDER BY abs(m.valor) DESC, abs(m.diferencia) DESC, m.id_producto, m.id_sucursal
        ), '[]')
        FROM mayores AS m
    )
)
$$;
COMMENT ON FUNCTION etl.resumir_diferencias() IS 'Cuántos productos no tienen las existencias que la tienda dice, lo que valen de más y de menos, las 20 mayores, y cuántos movimientos de ellos esperan como rechazos; comparadas: si la tienda da las suyas; y lo que dice etl.v_ajustado de los ajustes';
CREATE FUNCTION etl.resumir_fuera_de_alcance() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT jsonb_build_object(
    'tipos', (
        SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.movimientos DESC, t.tipo), '[]')
        FROM (
            SELECT n.tipo, n.movimientos FROM etl.contar_fuera() AS n WHERE n.fuera = 'tipo'
        ) AS t
    ),
    'fechas', (
        SELECT coalesce(sum(n.movimientos), 0) FROM etl.contar_fuera() AS n WHERE n.fuera = 'fecha'
    ),
    'ejemplos', (
        SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.hasta DESC, e.id_movimiento DESC), '[]')
        FROM (
            SELECT
                f.id_movimiento, f.tipo, f.id_producto, f.fecha, f.desde, f.hasta, d.clave, d.documento,
                p.clave AS clave_producto,
                CASE
                    WHEN f.fecha < c.desde_inicial THEN 'antes de la fecha inicial'
                    ELSE 'antes de la apertura'
                END AS motivo
            FROM etl.fuera_de_alcance AS f
            CROSS JOIN etl.control AS c
            LEFT JOIN dw.apertura AS a ON a.id_producto = f.id_producto
            LEFT JOIN dw.documento_movimiento AS d ON d.id_movimiento = f.id_movimiento
            LEFT JOIN dw.producto AS p ON p.id_producto = f.id_producto
            WHERE f.fuera = 'fecha' AND (f.fecha < c.desde_inicial OR f.fecha < a.fecha)
            ORDER BY f.hasta DESC, f.id_movimiento DESC
            LIMIT 20
        ) AS e
    )
)
$$;
COMMENT ON FUNCTION etl.resumir_fuera_de_alcance() IS 'Lo que está fuera de alcance sin que nadie lo quisiera: tipos con su cuenta, cuántas fechas y las últimas de ellas';
CREATE FUNCTION etl.retirar_productos() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    -- As in an OLAP that never knew it, nothing is left of it but its opening, in no category and
    -- at that policy's price. Its names stay: whoever finds the opening wants to know whose it is.
    INSERT INTO etl.tramo (
        id_producto, desde, categoria_anterior, impuesto_anterior, tasas_anterior, con_impuesto_anterior
    )
    SELECT p.id_producto, '-infinity', p.categoria, p.impuesto, p.tasas, p.precio_con_impuesto
    FROM dw.producto AS p
    INNER JOIN dw.inventario AS i ON i.id_producto = p.id_producto
    WHERE p.vigente
        AND NOT EXISTS (SELECT FROM etl.etapa_producto AS e WHERE e.id_producto = p.id_producto);
    UPDATE dw.producto AS p
    SET vigente = false, categoria = 'Sin categoría', inventariable = true, activo = true, costo_catalogo = NULL,
        proveedor = NULL
    WHERE p.vigente
        AND NOT EXISTS (SELECT FROM etl.etapa_producto AS e WHERE e.id_producto = p.id_producto);
END
$$;
COMMENT ON FUNCTION etl.retirar_productos() IS 'Con el catálogo entero en etl.etapa_producto, lo que falta en él deja de estar vigente: sus movimientos pasan a esperar en etl.rechazo hasta que vuelva';
CREATE FUNCTION etl.reunir_circunstancias() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE etl.tramo AS t
    SET cuenta_sucursales = true, sigue_sucursales = t.sigue_sucursales OR c.en_ninguna
    FROM (
        SELECT k.id_producto, bool_or(k.id_sucursal = 0) AS en_ninguna
        FROM etl.tramo AS s
        CROSS JOIN LATERAL (
            SELECT f.id_producto, f.id_sucursal FROM dw.kardex AS f
            WHERE f.id_producto = s.id_producto AND f.fecha >= s.desde
                AND f.orden = 3 AND f.de_todo IS NULL
            OFFSET 0
        ) AS k
        -- In the order of its index, or statistics may have it read the whole ledger.
        WHERE (
            SELECT h.id_producto FROM dw.kardex AS h
            WHERE h.orden = 3 AND h.de_todo IS NULL
            ORDER BY h.id_producto, h.fecha
            LIMIT 1
        ) IS NOT NULL
        GROUP BY k.id_producto
    ) AS c
    WHERE c.id_producto = t.id_producto;
    IF etl.cerrado_hasta() > '-infinity' THEN
        PERFORM etl.reunir_reversos();
        PERFORM etl.reunir_conteos_cerrados();
    END IF;
    IF EXISTS (SELECT FROM etl.tramo AS t WHERE t.cuenta_sucursales) THEN
        PERFORM etl.reunir_conteos();
    END IF;
    IF NOT etl.hay_origenes() THEN
        RETURN;
    END IF;
    INSERT INTO etl.circunstancia
    WITH enlace AS MATERIALIZED (
        SELECT e.id_producto, e.id_movimiento, e.capa, e.tipo, p.regla, e.fecha,
            coalesce(e.fecha_documento, e.fecha) AS fecha_documento, p.orden, e.id_origen,
            round(round(e.cantidad, 6) * round(e.costo_unitario, 6), 6) AS costo
        FROM etl.etapa AS e
        INNER JOIN dw.tipo_movimiento AS p ON p.tipo = e.tipo
        WHERE e.id_origen IS NOT NULL AND NOT e.reverso
        UNION ALL
        -- Of the returns those of the tail, of the added costs all, but for those that were closed on
        -- their own.
        SELECT r.*
        FROM (
            SELECT k.*
            FROM etl.tramo AS t
            CROSS JOIN LATERAL (
                SELECT f.id_producto, f.id_movimiento, f.capa, f.tipo, p.regla, f.fecha,
                    f.fecha_documento, f.orden,
                    f.id_origen, round(f.cantidad * f.costo_unitario, 6) AS costo
                FROM dw.kardex AS f
                INNER JOIN dw.tipo_movimiento AS p ON p.tipo = f.tipo
                WHERE f.id_producto = t.id_producto AND f.id_origen IS NOT NULL AND NOT f.reverso
                    AND (f.fecha >= t.desde OR p.regla = 'sumar_costo' AND f.costo_total = 0)
                OFFSET 0
            ) AS k
            OFFSET 0
        ) AS r
        WHERE NOT EXISTS (
                SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_movimiento AND b.capa = r.capa
            )
            AND NOT EXISTS (
                SELECT FROM etl.v_reversada AS x WHERE x.id_movimiento = r.id_movimiento AND x.capa = r.capa
            )
    ), par AS MATERIALIZED (
        -- Each with its origin as it will be in the ledger: of its product and of the right type.
        SELECT n.*, o.capa AS capa_origen, o.fecha AS fecha_origen, o.en_tramo, o.costo_total, o.cantidad, o.existencias,
            o.costo_promedio
        FROM (
            SELECT
                n.*, e.capa, e.fecha, true AS en_tramo, NULL::numeric AS costo_total,
                NULL::numeric AS cantidad, NULL::numeric AS existencias,
                NULL::numeric AS costo_promedio, e.tipo AS tipo_origen
            FROM (SELECT n.id_producto, n.id_movimiento, n.id_origen FROM enlace AS n) AS n
            INNER JOIN etl.etapa AS e
                ON e.id_movimiento = n.id_origen AND e.id_producto = n.id_producto AND NOT e.reverso
            UNION ALL
            SELECT r.*
            FROM (
                SELECT n.*, k.capa, k.fecha, k.fecha >= t.desde, k.costo_total, k.cantidad,
                    k.existencias, k.costo_promedio, k.tipo
                FROM (SELECT n.id_producto, n.id_movimiento, n.id_origen FROM enlace AS n) AS n
                INNER JOIN etl.tramo AS t ON t.id_producto = n.id_producto
                CROSS JOIN LATERAL (
                    SELECT * FROM dw.kardex AS f WHERE f.id_movimiento = n.id_origen OFFSET 0
                ) AS k
                WHERE k.id_producto = n.id_producto AND NOT k.reverso
                OFFSET 0
            ) AS r
            WHERE NOT EXISTS (
                    SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_origen AND b.capa = r.capa
                )
                AND NOT EXISTS (
                    SELECT FROM etl.v_reversada AS x WHERE x.id_movimiento = r.id_origen AND x.capa = r.capa
                )
        ) AS o
        INNER JOIN enlace AS n ON n.id_movimiento = o.id_movimiento
        INNER JOIN dw.tipo_movimiento AS p ON p.tipo = n.tipo AND p.tipo_origen = o.tipo_origen
        CROSS JOIN etl.limite_de_costos() AS l (fecha)
        WHERE n.regla <> 'sumar_costo' OR o.fecha >= l.fecha OR n.fecha < l.fecha
    )
    SELECT
        u.id_movimiento, u.capa, sum(u.adicional), bool_or(u.en_su_entrada), bool_or(u.recordar),
        max(u.id_origen), bool_or(u.olvidar), max(u.costo_total), max(u.cantidad),
        max(u.existencias), max(u.costo_promedio), NULL, NULL
    FROM (
        SELECT
            p.id_origen AS id_movimiento, p.capa_origen AS capa, p.costo AS adicional, NULL::boolean AS en_su_entrada,
            NULL::boolean AS recordar, NULL::bigint AS id_origen, NULL::boolean AS olvidar,
            NULL::numeric AS costo_total, NULL::numeric AS cantidad, NULL::numeric AS existencias,
            NULL::numeric AS costo_promedio
        FROM par AS p
        WHERE p.regla = 'sumar_costo'
        UNION ALL
        SELECT p.id_movimiento, p.capa, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM par AS p
        WHERE p.regla = 'sumar_costo'
        UNION ALL
        SELECT p.id_origen, p.capa_origen, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL
        FROM par AS p
        WHERE p.regla <> 'sumar_costo' AND p.en_tramo AND p.fecha_origen <= p.fecha
        UNION ALL
        SELECT
            p.id_movimiento, p.capa, NULL, NULL, NULL,
            CASE WHEN p.en_tramo THEN p.id_origen END,
            row_number() OVER (
                PARTITION BY p.id_origen ORDER BY p.fecha DESC, p.fecha_documento DESC, p.orden DESC, p.id_movimiento DESC, p.capa DESC
            ) = 1,
            CASE WHEN NOT p.en_tramo THEN p.costo_total END,
            CASE WHEN NOT p.en_tramo THEN p.cantidad END,
            CASE WHEN NOT p.en_tramo THEN p.existencias END,
            CASE WHEN NOT p.en_tramo THEN p.costo_promedio END
        FROM par AS p
        WHERE p.regla <> 'sumar_costo' AND p.fecha_origen <= p.fecha
    ) AS u
    GROUP BY u.id_movimiento, u.capa;
END
$$;
COMMENT ON FUNCTION etl.reunir_circunstancias() IS 'Llena etl.circunstancia con lo que los movimientos de los tramos necesitan unos de otros, y marca los productos que se cuentan por sucursal';
CREATE FUNCTION etl.reunir_conteos() RETURNS void
    LANGUAGE sql
    AS $$
-- What anything but a count changes does not hang on the state, and after a count of a branch there is what
-- was counted: so what a count finds is a sum. Branch 0 is the pass's own, since whole counts change it.
INSERT INTO etl.circunstancia (id_movimiento, capa, habia)
WITH movido AS MATERIALIZED (
    SELECT
        r.id_producto, r.id_sucursal, r.id_sucursal_destino, r.cantidad, r.fecha, r.fecha_documento, r.orden,
        r.id_movimiento, r.capa,
        CASE
            WHEN r.id_sucursal_destino IS NOT NULL THEN -r.cantidad
            WHEN r.reverso THEN -x.cantidad
            WHEN r.regla IN ('recibir', 'devolver_venta') THEN r.cantidad
            WHEN r.regla IN ('al_promedio', 'devolver_compra') THEN -r.cantidad
            ELSE 0
        END AS cambio,
        CASE
            WHEN r.regla = 'contar' AND NOT r.reverso AND x.olvidar IS NOT TRUE THEN r.cantidad + coalesce(x.despues, 0)
        END AS contado
    FROM (
        SELECT e.id_producto, coalesce(e.id_sucursal, 0) AS id_sucursal, e.id_sucursal_destino,
            e.fecha, coalesce(e.fecha_documento, e.fecha) AS fecha_documento, p.orden,
            e.id_movimiento, e.capa, p.regla, round(e.cantidad, 6) AS cantidad, e.reverso
        FROM etl.etapa AS e
        INNER JOIN etl.tramo AS t ON t.id_producto = e.id_producto AND t.cuenta_sucursales
        INNER JOIN dw.tipo_movimiento AS p ON p.tipo = e.tipo
        UNION ALL
        SELECT k.id_producto, k.id_sucursal, k.id_sucursal_destino, k.fecha, k.fecha_documento, k.orden,
            k.id_movimiento, k.capa, p.regla, k.cantidad, k.reverso
        FROM (
            SELECT f.*
            FROM etl.tramo AS t
            CROSS JOIN LATERAL (
                SELECT * FROM dw.kardex AS l
                WHERE l.id_producto = t.id_producto AND l.fecha >= t.desde
                OFFSET 0
            ) AS f
            WHERE t.cuenta_sucursales
            OFFSET 0
        ) AS k
        INNER JOIN dw.tipo_movimiento AS p ON p.tipo = k.tipo
        WHERE NOT EXISTS (
            SELECT FROM etl.baja AS b WHERE b.id_movimiento = k.id_movimiento AND b.capa = k.capa
        )
    ) AS r
    LEFT JOIN etl.circunstancia AS x ON x.id_movimiento = r.id_movimiento AND x.capa = r.capa
)
SELECT
    c.id_movimiento, c.capa,
    coalesce(
        lag(c.contado - c.suma) OVER (
            PARTITION BY c.id_producto, c.id_sucursal ORDER BY c.fecha, c.fecha_documento, c.orden, c.id_movimiento, c.capa
        ),
        s.existencias, 0
    ) + c.suma
FROM (
    SELECT
        m.*,
        sum(m.cambio) OVER (
            PARTITION BY m.id_producto, m.id_sucursal ORDER BY m.fecha, m.fecha_documento, m.orden, m.id_movimiento, m.capa
            ROWS UNBOUNDED PRECEDING
        ) AS suma
    FROM (
        SELECT v.id_producto, v.id_sucursal, v.fecha, v.fecha_documento, v.orden, v.id_movimiento, v.capa, v.cambio, v.contado
        FROM movido AS v
        WHERE v.id_sucursal <> 0
        UNION ALL
        SELECT v.id_producto, v.id_sucursal_destino, v.fecha, v.fecha_documento, v.orden, v.id_movimiento, v.capa, v.cantidad, NULL
        FROM movido AS v
        WHERE v.id_sucursal_destino <> 0
    ) AS m
) AS c
LEFT JOIN etl.v_existencias_al_empezar AS s
    ON s.id_producto = c.id_producto AND s.id_sucursal = c.id_sucursal
WHERE c.contado IS NOT NULL
ON CONFLICT (id_movimiento, capa) DO UPDATE SET habia = excluded.habia
$$;
COMMENT ON FUNCTION etl.reunir_conteos() IS 'Deja en etl.circunstancia, de cada conteo de una sucursal en los tramos, lo que había en ella';
CREATE FUNCTION etl.reunir_conteos_cerrados() RETURNS void
    LANGUAGE sql
    AS $$
-- It is compared with the stock of its day: what there is at its place, less what is closed and moved after
-- it by the dates of the documents. A closed count after it, of its branch or of all, found what it would find.
INSERT INTO etl.circunstancia (id_movimiento, capa, despues, olvidar)
SELECT
    c.id_movimiento, c.capa,
    coalesce(sum(m.variacion) FILTER (WHERE c.de_todo OR m.id_sucursal = c.id_sucursal), 0),
    coalesce(bool_or(m.cuenta), false)
FROM (
    SELECT
        e.id_producto, e.id_movimiento, e.capa, e.fecha_documento, coalesce(e.id_sucursal, 0) AS id_sucursal,
        e.id_sucursal IS NULL AS de_todo
    FROM etl.etapa AS e
    INNER JOIN dw.tipo_movimiento AS t ON t.tipo = e.tipo AND t.regla = 'contar'
    WHERE e.fecha_documento < e.fecha AND NOT e.reverso
    UNION ALL
    SELECT k.id_producto, k.id_movimiento, k.capa, k.fecha_documento, k.id_sucursal, k.de_todo IS TRUE
    FROM dw.kardex AS k
    INNER JOIN etl.tramo AS s ON s.id_producto = k.id_producto AND k.fecha >= s.desde
    WHERE k.orden = 3 AND k.fecha_documento < k.fecha AND NOT k.reverso AND NOT EXISTS (
        SELECT FROM etl.baja AS b WHERE b.id_movimiento = k.id_movimiento AND b.capa = k.capa
    )
) AS c
LEFT JOIN LATERAL (
    SELECT
        p.id_sucursal, p.variacion,
        f.orden = 3 AND NOT f.reverso
        AND (f.de_todo IS TRUE OR NOT c.de_todo AND f.id_sucursal = c.id_sucursal) AND NOT EXISTS (
            SELECT FROM etl.v_reversada AS x WHERE x.id_movimiento = f.id_movimiento AND x.capa = f.capa
        ) AS cuenta
    FROM dw.kardex AS f
    CROSS JOIN LATERAL etl.por_sucursal(f.id_sucursal, f.id_sucursal_destino, f.variacion, f.cantidad) AS p
    WHERE f.id_producto = c.id_producto AND f.fecha < (SELECT etl.cerrado_hasta())
        AND (f.fecha_documento, f.orden, f.id_movimiento) > (c.fecha_documento, 3, c.id_movimiento)
    OFFSET 0
) AS m ON true
GROUP BY c.id_movimiento, c.capa
$$;
COMMENT ON FUNCTION etl.reunir_conteos_cerrados() IS 'Deja en etl.circunstancia, de cada conteo de un período cerrado, lo que lo cerrado movió después de él; y si un conteo posterior ya lo sabe';
CREATE FUNCTION etl.reunir_reversos() RETURNS void
    LANGUAGE sql
    AS $$
-- What left comes back at what it took from the value; what entered leaves at its cost, a receipt at no less
-- than nothing; an added cost leaves by what it put in. Of one that was within its receipt that is what the
-- receipt still holds of it: nothing, if it is undone too.
INSERT INTO etl.circunstancia (id_movimiento, capa, costo_total, existencias, cantidad)
SELECT
    c.id_movimiento, r.capa,
    CASE WHEN d.dentro THEN a.costo ELSE c.costo_total END,
    CASE
        WHEN d.dentro THEN a.costo
        WHEN t.regla = 'sumar_costo' THEN c.costo_total + c.ajuste
        WHEN c.variacion < 0 THEN -(t.signo * c.costo_total + c.ajuste)
        WHEN c.tipo = 'ENTRADA_MERCANCIA' THEN greatest(c.costo_total, 0)
        ELSE c.costo_total
    END,
    c.variacion
FROM (
    SELECT e.id_movimiento, e.capa FROM etl.etapa AS e WHERE e.reverso
    UNION ALL
    SELECT k.id_movimiento, k.capa
    FROM dw.kardex AS k
    INNER JOIN etl.tramo AS t ON t.id_producto = k.id_producto AND k.fecha >= t.desde
    WHERE k.reverso AND NOT EXISTS (
        SELECT FROM etl.baja AS b WHERE b.id_movimiento = k.id_movimiento AND b.capa = k.capa
    )
) AS r
CROSS JOIN LATERAL (
    SELECT * FROM dw.kardex AS f
    WHERE f.id_movimiento = r.id_movimiento AND f.capa = r.capa - 1
    OFFSET 0
) AS c
INNER JOIN dw.tipo_movimiento AS t ON t.tipo = c.tipo
CROSS JOIN LATERAL (
    SELECT t.regla = 'sumar_costo' AND c.costo_total = 0 AS dentro
) AS d
CROSS JOIN LATERAL (
    SELECT CASE WHEN EXISTS (
        SELECT FROM dw.kardex AS o
        WHERE d.dentro AND o.id_movimiento = c.id_origen AND o.fecha < (SELECT etl.cerrado_hasta())
            AND o.id_producto = c.id_producto AND o.tipo = t.tipo_origen AND NOT o.reverso
            -- Of what had no stock a receipt took nothing in.
            AND o.variacion <> 0
            AND NOT EXISTS (
                SELECT FROM etl.v_reversada AS x WHERE x.id_movimiento = o.id_movimiento AND x.capa = o.capa
            )
    ) THEN round(c.cantidad * c.costo_unitario, 6) ELSE 0 END AS costo
) AS a
$$;
COMMENT ON FUNCTION etl.reunir_reversos() IS 'Deja en etl.circunstancia, de cada reverso en los tramos, el costo, el valor y la variación de lo que deshace';
CREATE FUNCTION etl.revaluar(p_numero bigint, p_opciones jsonb, p_corte date, p_todos boolean) RETURNS jsonb
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
COMMENT ON FUNCTION etl.revaluar(p_numero bigint, p_opciones jsonb, p_corte date, p_todos boolean) IS 'Repite los productos tocados, lleva las diferencias a kardex, resúmenes e inventario, y las cuenta; el corte es el día del hasta con que se cuentan 90 y 365 días';
CREATE FUNCTION etl.revisar_ajustes(p_control etl.control, p_resumen jsonb, p_opciones jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_primera boolean := p_control.ajusta IS DISTINCT FROM etl.esta_base();
    v_maximo numeric := (p_opciones ->> 'max_retiro')::numeric;
    v_existencias record;
    v_mayor jsonb := p_resumen -> 'mayores' -> 0;
BEGIN
    IF p_control.aceptar_ajustes THEN
        UPDATE etl.control AS c SET ajusta = etl.esta_base();
        RETURN;
    END IF;
    SELECT coalesce(sum(i.valor), 0) AS valor, coalesce(sum(i.existencias), 0) AS unidades INTO v_existencias
    FROM dw.inventario AS i
    WHERE i.existencias > 0;
    IF NOT v_primera AND (
        v_maximo >= 1
        OR (p_resumen ->> 'valor')::numeric <= v_existencias.valor * v_maximo
        -- What has no cost is of no value, however much of it there is.
        AND (p_resumen ->> 'unidades_sin_costo')::numeric <= v_existencias.unidades * v_maximo
    ) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'ETG01',
        MESSAGE = format(
            'the stock would be made the shop''s own by %s adjustments of %s products, %s units worth %s (the stock: %s units worth %s), the dearest %s of product %s worth %s; nothing was written',
            p_resumen ->> 'ajustes', p_resumen ->> 'productos', trim_scale((p_resumen ->> 'unidades')::numeric),
            round((p_resumen ->> 'valor')::numeric, 2),
            trim_scale(v_existencias.unidades), round(v_existencias.valor, 2),
            trim_scale((v_mayor ->> 'cantidad')::numeric),
            coalesce(v_mayor ->> 'nombre', v_mayor ->> 'codigo', v_mayor ->> 'id_producto'),
            round((v_mayor ->> 'valor')::numeric, 2)
        ),
        HINT = CASE WHEN v_primera
            THEN 'this OLAP books none without being told once: look at them with `python -m pipeline plan`; where another OLAP of this shop has booked some, import those first (`python -m pipeline adjustments`); if it is right: luigi --module pipeline RunDue --local-scheduler --accept-adjustments'
            ELSE 'it is more than ETL_MAX_REMOVED_SHARE of the stock: look at them with `python -m pipeline plan`; if it is right: luigi --module pipeline RunDue --local-scheduler --accept-adjustments'
        END;
END
$$;
COMMENT ON FUNCTION etl.revisar_ajustes(p_control etl.control, p_resumen jsonb, p_opciones jsonb) IS 'Detiene la primera ventana de esta base que asienta ajustes, y la que asentaría más de lo que ETL_MAX_REMOVED_SHARE permite del valor de las existencias o, de lo que no tiene costo, de sus unidades, salvo que se haya aceptado';
CREATE FUNCTION etl.revisar_archivadas(p_cerrado timestamp with time zone, p_opciones jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_tardias bigint;
    v_otra_vez bigint;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE a.tipo IS NOT NULL)
    INTO v_tardias, v_otra_vez
    FROM etl.v_etapa AS v
    LEFT JOIN (
        SELECT DISTINCT k.tipo, k.id_producto, k.fecha_documento, k.cantidad
        FROM dw.kardex AS k
        WHERE k.fecha < p_cerrado
            AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = k.id_movimiento)
    ) AS a
        ON a.tipo = v.tipo AND a.id_producto = v.id_producto AND a.fecha_documento = v.fecha
        AND a.cantidad = v.cantidad
    WHERE v.fecha < p_cerrado
        AND NOT EXISTS (SELECT FROM dw.kardex AS k WHERE k.id_movimiento = v.id_movimiento);
    IF v_otra_vez >= 5 AND v_otra_vez >= v_tardias / 2 AND (p_opciones ->> 'max_retiro')::numeric < 1 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETG01',
            MESSAGE = format('%s movements that are closed come again with other ids, and would count twice; nothing was written',
                             v_otra_vez),
            HINT = 'yield the ids that they had in movimientos.sql; or open the closings again, the last one first, and close anew after the run: `python -m pipeline close --reopen`';
    END IF;
END
$$;
COMMENT ON FUNCTION etl.revisar_archivadas(p_cerrado timestamp with time zone, p_opciones jsonb) IS 'Detiene una lectura completa que trae lo cerrado con otros números: quedaría archivado y, además, asentado de nuevo';
CREATE FUNCTION etl.revisar_catalogo(p_control etl.control, p_extracto jsonb, p_opciones jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_productos bigint;
    v_retiros bigint;
    v_total bigint;
    v_abiertas bigint;
    v_cerrado timestamptz := etl.cerrado_hasta();
    v_catalogo bigint;
    v_senal text := etl.senal_fuente(p_extracto -> 'identidad');
BEGIN
    SELECT count(DISTINCT b.id_producto), count(*) INTO v_productos, v_retiros
    FROM etl.v_baja_desconocida AS b;
    IF v_retiros = 0 THEN
        RETURN;
    END IF;
    -- What is closed does not leave.
    SELECT count(*), count(*) FILTER (WHERE k.fecha >= v_cerrado) INTO v_total, v_abiertas FROM dw.kardex AS k;
    SELECT count(*) INTO v_catalogo FROM dw.producto AS p WHERE p.vigente;
    -- A catalogue that is empty was emptied by mistake, however few its lines.
    IF (v_retiros < 20 AND v_catalogo > 0)
        OR v_retiros <= v_abiertas * (p_opciones ->> 'max_retiro')::numeric
        OR p_control.aceptar_fuente = v_senal THEN
        RETURN;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'ETG01',
        MESSAGE = format(
            '%s, and without them %s of the %s movements of the ledger would leave it and wait as rejects; nothing was written',
            CASE v_catalogo
                WHEN 0 THEN 'productos.sql yields no product any more'
                ELSE format('productos.sql yields %s products, and no more %s that have movements',
                            v_catalogo, v_productos)
            END, v_retiros, v_total),
        HINT = format(
            'put the products back, or correct productos.sql; or if it is right: %s --accept-source %s',
            coalesce(p_extracto ->> 'orden', 'luigi --module pipeline RunDue --local-scheduler'), v_senal);
END
$$;
COMMENT ON FUNCTION etl.revisar_catalogo(p_control etl.control, p_extracto jsonb, p_opciones jsonb) IS 'Detiene una ventana en que faltan productos cuyos movimientos son demasiados, o todo el catálogo, salvo que se haya aceptado esa fuente';
CREATE FUNCTION etl.revisar_claves() RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_choque record;
BEGIN
    IF NOT etl.hay_claves() THEN
        RETURN;
    END IF;
    WITH leida AS (
        SELECT c.columna, c.numero, min(c.clave) AS una, max(c.clave) AS otra
        FROM etl.v_clave AS c
        WHERE c.clave IS NOT NULL
        GROUP BY c.columna, c.numero
    )
    SELECT l.columna, l.numero, l.una, v.clave AS otra INTO v_choque
    FROM leida AS l
    CROSS JOIN LATERAL (
        SELECT l.otra AS clave
        UNION ALL
        SELECT d.clave FROM dw.documento_movimiento AS d
        WHERE l.columna = 'id_movimiento' AND d.id_movimiento = l.numero
        UNION ALL
        (
            SELECT d.clave_documento FROM dw.documento_movimiento AS d
            WHERE l.columna = 'id_documento' AND d.id_documento = l.numero
            LIMIT 1
        )
        UNION ALL
        SELECT p.clave FROM dw.producto AS p
        WHERE l.columna = 'id_producto' AND p.id_producto = l.numero
        UNION ALL
        SELECT s.clave FROM dw.sucursal AS s
        WHERE l.columna = 'id_sucursal' AND s.id_sucursal = l.numero
        OFFSET 0
    ) AS v
    WHERE v.clave <> l.una
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01',
            MESSAGE = format('%s %s and %s come to the same number, %s; nothing was written',
                             v_choque.columna, quote_literal(v_choque.una), quote_literal(v_choque.otra),
                             v_choque.numero),
            HINT = 'make another text of one of them in the queries, wherever it stands';
    END IF;
END
$$;
COMMENT ON FUNCTION etl.revisar_claves() IS 'Falla si dos ids de la tienda que no son números dan el mismo número: dos de los que se leyeron, o uno de ellos y uno que ya se conoce';
CREATE FUNCTION etl.revisar_dimensiones() RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_repetido record;
BEGIN
    SELECT * INTO v_repetido
    FROM (
        SELECT
            'productos' AS consulta, 'id_producto' AS columna, coalesce(min(e.clave), e.id_producto::text) AS numero,
            count(*) AS filas
        FROM (
            SELECT DISTINCT
                p.id_producto, p.codigo, p.nombre, p.categoria, p.inventariable, p.activo, p.clave,
                etl.costo_valido(p.costo_referencia), nullif(btrim(p.proveedor), '')
            FROM etl.etapa_producto AS p
        ) AS e
        GROUP BY e.id_producto
        UNION ALL
        SELECT 'sucursales', 'id_sucursal', coalesce(min(e.clave), e.id_sucursal::text), count(*)
        FROM (SELECT DISTINCT s.id_sucursal, s.nombre, s.clave FROM etl.etapa_sucursal AS s) AS e
        GROUP BY e.id_sucursal
    ) AS r
    WHERE r.filas > 1 AND r.numero IS NOT NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01',
            MESSAGE = format('%s.sql yields %s different rows of %s %s in one read',
                             v_repetido.consulta, v_repetido.filas, v_repetido.columna, v_repetido.numero),
            HINT = 'make its ids unique: correct its joins, or how it makes numbers of its keys';
    END IF;
END
$$;
COMMENT ON FUNCTION etl.revisar_dimensiones() IS 'Falla si un producto o una sucursal viene dos veces con otro contenido, pues la consulta está mal';
CREATE FUNCTION etl.revisar_etapa() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_repetido record;
    v_filas bigint;
    v_distintas bigint;
    v_menor bigint;
BEGIN
    SELECT count(*), count(DISTINCT e.id_movimiento), min(e.id_movimiento)
    INTO v_filas, v_distintas, v_menor
    FROM etl.etapa AS e;
    IF etl.es_ajuste(v_menor) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01',
            MESSAGE = format('movimientos.sql yields id_movimiento %s: numbers below -2^60 are those of our own adjustments',
                             v_menor),
            HINT = 'make other numbers of its ids there, then run again';
    END IF;
    IF v_distintas = v_filas THEN
        RETURN v_filas;
    END IF;
    SELECT coalesce(min(e.clave), e.id_movimiento::text) AS id_movimiento, count(*) AS veces INTO v_repetido
    FROM etl.etapa AS e
    GROUP BY e.id_movimiento
    HAVING count(*) > 1 OR e.id_movimiento IS NULL
    LIMIT 1;
    RAISE EXCEPTION USING
        ERRCODE = 'ETD01',
        MESSAGE = CASE WHEN v_repetido.id_movimiento IS NULL
            THEN 'movimientos.sql yields rows without id_movimiento'
            ELSE format('movimientos.sql yields id_movimiento %s %s times in one read',
                        v_repetido.id_movimiento, v_repetido.veces) END,
        HINT = 'correct its joins so that each movement is one row, or make ids unique where tables have the same (year * 1000000000000 + id), then run again';
END
$$;
COMMENT ON FUNCTION etl.revisar_etapa() IS 'Cuenta las filas leídas; falla si un movimiento viene sin número, con uno de los nuestros o dos veces, pues la consulta está mal';
CREATE FUNCTION etl.revisar_kardex() RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_tabla regclass;
BEGIN
    IF 2 > (
        SELECT count(*) FROM pg_index AS i
        WHERE i.indrelid = 'dw.kardex'::regclass AND i.indisunique AND i.indisvalid
    ) AND EXISTS (SELECT FROM dw.kardex) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETS01',
            MESSAGE = 'dw.kardex lacks a key, without which a movement could be in it twice',
            HINT = 'run `python -m pipeline init`, which makes it; if it cannot, a backup was restored over this database: restore it into an empty one';
    END IF;
    SELECT h.inhrelid INTO v_tabla
    FROM pg_inherits AS h
    WHERE h.inhparent = 'dw.kardex'::regclass
    LIMIT 1;
    IF v_tabla IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETS01',
            MESSAGE = format('%s inherits from dw.kardex, and its rows would count as movements', v_tabla),
            HINT = format('if a backup was restored over this database, restore it into an empty one, and run init; else ALTER TABLE %s NO INHERIT dw.kardex', v_tabla);
    END IF;
END
$$;
COMMENT ON FUNCTION etl.revisar_kardex() IS 'Se niega si al kardex le falta una llave, o si una tabla hereda de él';
CREATE FUNCTION etl.revisar_rechazos(p_filas bigint, p_opciones jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_rechazos bigint;
BEGIN
    SELECT count(*) INTO v_rechazos
    FROM etl.descarte AS d
    WHERE d.motivo IS NOT NULL
        AND NOT EXISTS (SELECT FROM etl.rechazo AS r WHERE r.id_movimiento = d.id_movimiento)
        -- What leaves the ledger with its product is etl.revisar_catalogo()'s, or etl.revisar_salidas()'s.
        AND NOT EXISTS (SELECT FROM etl.v_baja_desconocida AS b WHERE b.id_movimiento = d.id_movimiento)
        AND NOT (d.motivo = 'producto desconocido' AND EXISTS (
            SELECT FROM etl.baja AS b
            INNER JOIN etl.etapa AS e ON e.id_movimiento = b.id_movimiento
            WHERE b.id_movimiento = d.id_movimiento AND e.id_producto IS NULL
        ));
    IF v_rechazos >= 20 AND v_rechazos > p_filas * (p_opciones ->> 'max_rechazo')::numeric THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETG01',
            MESSAGE = format('%s of %s movements read would be rejected (%s); nothing was written',
                             v_rechazos, p_filas, etl.motivos_frecuentes()),
            HINT = 'the query is wrong rather than the data: correct sql/oltp, or raise ETL_MAX_REJECT_SHARE';
    END IF;
END
$$;
COMMENT ON FUNCTION etl.revisar_rechazos(p_filas bigint, p_opciones jsonb) IS 'Detiene la ventana si se rechazaría demasiado: entonces la consulta está mal, no los datos';
CREATE FUNCTION etl.revisar_salidas(p_control etl.control, p_extracto jsonb, p_opciones jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_zona text := p_opciones ->> 'zona';
    v_maximo numeric := (p_opciones ->> 'max_retiro')::numeric;
    v_cerrado timestamptz := etl.cerrado_hasta();
    -- Two databases that agree on dates and products are no less two.
    v_otra boolean := etl.es_otra_base(p_control.identidad, p_extracto -> 'identidad');
    v_salen record;
    v_serie record;
    v_maximas bigint;
    v_quitables bigint;
    v_antes bigint := 0;
    v_corregidas bigint := 0;
BEGIN
    IF p_control.ajenas = 0
        AND NOT EXISTS (SELECT FROM etl.baja AS b WHERE NOT b.igual)
        AND NOT EXISTS (SELECT FROM etl.cerrada) THEN
        RETURN;
    END IF;
    SELECT
        count(*) AS filas, count(*) FILTER (WHERE s.motivo = 'quitada') AS quitadas,
        count(*) FILTER (WHERE NOT v_otra AND s.motivo IN ('anulada', 'perdida')) AS anuladas,
        count(*) FILTER (WHERE NOT v_otra AND s.motivo = 'corregida') AS corregidas,
        count(*) FILTER (WHERE s.motivo = 'reemplazada' OR v_otra AND s.motivo <> 'quitada') AS reemplazadas,
        count(*) FILTER (WHERE s.ajena) AS ajenas,
        (min(s.fecha) AT TIME ZONE v_zona)::date AS primera,
        (max(s.fecha) AT TIME ZONE v_zona)::date AS ultima
    INTO v_salen
    FROM etl.salidas() AS s
    -- A full read is of an OLTP or of queries that were changed on purpose; between two ordinary
    -- windows it is day by day that documents are voided and corrected.
    WHERE s.motivo IN ('quitada', 'reemplazada', 'perdida') OR v_otra
        OR s.motivo <> 'otra' AND (p_extracto ->> 'imagen_completa')::boolean IS FALSE;
    IF v_maximo >= 1 OR p_control.aceptar_fuente = etl.senal_fuente(p_extracto -> 'identidad') THEN
        UPDATE etl.control AS c SET ajenas = 0 WHERE c.ajenas <> 0;
        RETURN;
    END IF;
    IF v_salen.filas + p_control.ajenas = 0 THEN
        RETURN;
    END IF;
    SELECT * INTO v_serie FROM etl.contar_series();
    -- Of what is closed nothing is removed: it does not make the share of the rest smaller.
    SELECT
        greatest(floor(count(*) * v_maximo), 19),
        greatest(floor(count(*) FILTER (WHERE k.fecha >= v_cerrado) * v_maximo), 19)
    INTO v_maximas, v_quitables
    FROM dw.kardex AS k;
    IF v_salen.quitadas > 0 THEN
        SELECT coalesce(sum(c.borradas - c.reescritas), 0) INTO v_antes FROM etl.corrida AS c;
        v_corregidas := etl.contar_reescritas();
    END IF;
    -- Of a long history a day's documents are a small share, and of a day ten minutes' are few: where
    -- more of them take the place of others than come with new numbers, ids begin anew. And what is
    -- removed a little at a time is asked for each time that it has added up to the share.
    IF (v_serie.ajenas + p_control.ajenas < 20 OR v_serie.ajenas <= v_serie.nuevas)
        AND v_salen.filas <= v_maximas AND v_salen.quitadas <= v_quitables
        AND v_antes / (v_maximas + 1) = (v_antes + v_salen.quitadas - v_corregidas) / (v_maximas + 1) THEN
        UPDATE etl.control AS c
        SET ajenas = greatest(v_serie.ajenas + p_control.ajenas - v_serie.nuevas, 0)
        WHERE v_serie.ajenas + p_control.ajenas > 0;
        RETURN;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'ETG01',
        MESSAGE = format(
            'of the %s movements of the ledger, %s would be removed%s and %s replaced by other documents with their ids%s%s, dated %s to %s; %s; nothing was written',
            (SELECT count(*) FROM dw.kardex), v_salen.quitadas,
            CASE WHEN v_antes > 0 THEN format(' (%s by the runs before)', v_antes) END, v_salen.reemplazadas,
            CASE WHEN p_control.ajenas > 0 THEN format(' (%s in the windows before)', p_control.ajenas) END,
            CASE WHEN v_salen.anuladas + v_salen.corregidas > 0
                THEN format('; %s are void or valid no more, and %s have another quantity, cost or date',
                            v_salen.anuladas, v_salen.corregidas)
            END,
            v_salen.primera, v_salen.ultima,
            etl.comparar_fuentes(p_control.identidad, p_extracto -> 'identidad')
        ),
        HINT = format(
            '%s; or if it is right: %s --accept-source %s',
            etl.aconsejar_salidas(
                p_control, p_extracto, v_salen.quitadas, v_salen.reemplazadas, v_salen.ajenas,
                v_salen.anuladas, v_salen.corregidas
            ),
            coalesce(p_extracto ->> 'orden', 'luigi --module pipeline RunDue --local-scheduler'),
            etl.senal_fuente(p_extracto -> 'identidad')
        );
END
$$;
COMMENT ON FUNCTION etl.revisar_salidas(p_control etl.control, p_extracto jsonb, p_opciones jsonb) IS 'Detiene una carga que quitaría del kardex, o reemplazaría por otros documentos, demasiado, sola o con las corridas anteriores, salvo que se haya aceptado esa fuente; lleva la cuenta de las ajenas en etl.control.ajenas';
CREATE FUNCTION etl.revisar_silencio(p_conteo jsonb, p_hasta timestamp with time zone, p_opciones jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_zona text := p_opciones ->> 'zona';
    v_ultima date;
    v_callados bigint;
BEGIN
    -- What was only read again, near the horizon, breaks no silence.
    IF (p_conteo ->> 'retiradas')::bigint > 0 OR EXISTS (SELECT FROM etl.etapa) THEN
        RETURN;
    END IF;
    SELECT (max(c.hasta) AT TIME ZONE v_zona)::date INTO v_ultima
    FROM etl.corrida AS c
    WHERE c.nuevas + c.cambiadas + c.retiradas > 0;
    -- A weekday is of trade if the shop sold on it in half of the last eight weeks it sold in.
    SELECT count(*) INTO v_callados
    -- Of dates a series is one of moments, and loses its last day where clocks go forward at midnight.
    FROM generate_series(
        (v_ultima + 1)::timestamp, ((p_hasta AT TIME ZONE v_zona)::date - 1)::timestamp, interval '1 day'
    ) AS d (dia)
    WHERE extract(isodow FROM d.dia) IN (
        SELECT extract(isodow FROM r.dia)
        FROM (
            SELECT DISTINCT r.dia
            FROM dw.resumen_diario AS r
            WHERE r.unidades_vendidas > 0
                AND r.dia > (SELECT max(u.dia) FROM dw.resumen_diario AS u) - 56
        ) AS r
        GROUP BY extract(isodow FROM r.dia)
        HAVING count(*) >= 4
    );
    IF v_callados > (p_opciones ->> 'max_silencio')::bigint THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETG01',
            MESSAGE = format('the OLTP shows no movement since %s: %s days on which this shop sells; nothing was written',
                             v_ultima, v_callados),
            HINT = 'see that OLTP_DB_* is where the till writes; if the shop was closed, raise ETL_MAX_SILENT_DAYS';
    END IF;
END
$$;
COMMENT ON FUNCTION etl.revisar_silencio(p_conteo jsonb, p_hasta timestamp with time zone, p_opciones jsonb) IS 'Detiene una ventana sin novedad si la tienda lleva demasiados días de venta sin movimientos';
CREATE FUNCTION etl.salidas() RETURNS TABLE(id_movimiento bigint, fecha timestamp with time zone, motivo text, ajena boolean)
    LANGUAGE sql STABLE
    AS $$
SELECT
    b.id_movimiento, b.fecha_documento,
    CASE
        WHEN e.id_movimiento IS NULL THEN 'quitada'
        WHEN o.de_otra_fecha OR o.de_otra_cosa THEN 'reemplazada'
        -- What goes with a product that the catalogue has no more is etl.revisar_catalogo()'s.
        WHEN d.motivo = 'producto desconocido' THEN CASE WHEN e.id_producto IS NULL THEN 'perdida' ELSE 'otra' END
        WHEN d.id_movimiento IS NOT NULL THEN 'anulada'
        WHEN o.de_otra_cantidad OR e.fecha <> b.fecha_documento THEN 'corregida'
        ELSE 'otra'
    END,
    -- A shop may have one product, and sell it by the unit.
    coalesce(o.de_otra_fecha AND (o.de_otra_cosa OR o.de_otro_monto), false)
FROM (
    SELECT * FROM etl.baja AS f WHERE NOT f.igual AND NOT f.reverso
    UNION ALL
    -- A closed row stays, but is undone.
    SELECT * FROM etl.v_por_reversar
) AS b
LEFT JOIN etl.etapa AS e ON e.id_movimiento = b.id_movimiento
LEFT JOIN etl.descarte AS d ON d.id_movimiento = b.id_movimiento
LEFT JOIN dw.tipo_movimiento AS n ON n.tipo = e.tipo
LEFT JOIN etl.v_etapa AS v ON v.id_movimiento = b.id_movimiento
LEFT JOIN dw.tipo_movimiento AS t ON t.tipo = b.tipo
CROSS JOIN LATERAL (
    SELECT
        e.fecha NOT BETWEEN b.fecha_documento - interval '1 day' AND b.fecha_documento + interval '1 day'
            AS de_otra_fecha,
        -- A negative sale is in the ledger as what it means.
        b.tipo NOT IN (e.tipo, coalesce(n.tipo_si_negativa, e.tipo)) OR e.id_producto <> b.id_producto
            AS de_otra_cosa,
        v.cantidad <> b.cantidad OR NOT t.precio AND v.costo_unitario IS DISTINCT FROM b.costo_unitario
            AS de_otra_cantidad,
        (
            v.cantidad, coalesce(v.id_sucursal, 0),
            CASE WHEN t.precio THEN v.precio_unitario ELSE v.costo_unitario END
        ) IS DISTINCT FROM (
            b.cantidad, b.id_sucursal, CASE WHEN t.precio THEN b.precio_unitario ELSE b.costo_unitario END
        ) AS de_otro_monto
) AS o
$$;
COMMENT ON FUNCTION etl.salidas() IS 'Las filas del kardex que esta carga quita o cambia: quitada (ya no viene), reemplazada (su número trae la fecha, el tipo o el producto de otro documento; ajena si la fecha y además lo otro, la sucursal, la cantidad o el monto), perdida (sin su producto), anulada (o ya no válida), corregida (otra cantidad, costo o fecha) u otra';
CREATE FUNCTION etl.salto_costo(anterior numeric, costo numeric, factor numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE
    WHEN costo = 0 THEN 0
    WHEN anterior > 0 AND (costo > anterior * factor OR anterior > costo * factor)
        -- 0 is what tells that it was free.
        THEN greatest(round(costo * 1.00000000000000000000 / anterior, 6), 0.000001)
END
$$;
COMMENT ON FUNCTION etl.salto_costo(anterior numeric, costo numeric, factor numeric) IS 'Costo de una entrada sobre el promedio anterior, si se aleja más que el factor, al menos 0.000001; 0 si es gratis; si no, nulo';
CREATE FUNCTION etl.senal_fuente(p_identidad jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT left(md5(p_identidad::text), 12)
$$;
COMMENT ON FUNCTION etl.senal_fuente(p_identidad jsonb) IS 'Señal corta de un OLTP, para que el operador la acepte por su nombre';
CREATE FUNCTION etl.solo_se_anade() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'ETI01',
        MESSAGE = 'dw.ajuste_existencias is only added to; nothing was changed',
        HINT = 'what an adjustment was wrong by, the next window books';
END
$$;
COMMENT ON FUNCTION etl.solo_se_anade() IS 'Rechaza cambiar o borrar lo asentado en dw.ajuste_existencias';
CREATE FUNCTION etl.sucursales_producto(p_id_producto bigint, p_hasta date, p_zona text) RETURNS TABLE(id_sucursal bigint, sucursal text, existencias numeric)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- What there is now, less what came after that day; an opening of after it is not there yet.
SELECT e.id_sucursal, coalesce(s.nombre, 'Sucursal ' || e.id_sucursal), e.existencias
FROM (
    SELECT c.id_sucursal, sum(c.existencias) AS existencias
    FROM (
        SELECT r.id_sucursal, r.variacion AS existencias
        FROM dw.resumen_sucursal AS r
        WHERE r.id_producto = p_id_producto
        UNION ALL
        SELECT a.id_sucursal, a.existencias
        FROM dw.apertura_sucursal AS a
        INNER JOIN etl.v_apertura AS t ON t.id_producto = a.id_producto
        WHERE a.id_producto = p_id_producto AND (
            t.fecha IS NULL
            OR t.fecha < coalesce(etl.inicio_del_dia(p_hasta + 1, p_zona), 'infinity')
        )
        UNION ALL
        SELECT m.id_sucursal, -m.variacion
        FROM dw.kardex AS k
        CROSS JOIN LATERAL etl.por_sucursal(k.id_sucursal, k.id_sucursal_destino, k.variacion, k.cantidad) AS m
        WHERE k.id_producto = p_id_producto
            AND k.fecha >= coalesce(etl.inicio_del_dia(p_hasta + 1, p_zona), 'infinity')
    ) AS c
    GROUP BY c.id_sucursal
    HAVING sum(c.existencias) <> 0
) AS e
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = e.id_sucursal
ORDER BY e.id_sucursal
$$;
COMMENT ON FUNCTION etl.sucursales_producto(p_id_producto bigint, p_hasta date, p_zona text) IS 'Dónde estaban las existencias de un producto al terminar un día de la zona; sin día, ahora';
CREATE FUNCTION etl.sumar(p_zona text, p_corte date, p_todo boolean) RETURNS SETOF etl.delta
    LANGUAGE plpgsql STABLE
    SET enable_mergejoin TO 'off'
    AS $$
BEGIN
    -- What a row brings to its class is what it changes, with the sign of the class: a sale lowers
    -- the value by what it sells, and a return takes that off again. A FILTER that knows of
    -- nulls and zeros spares most groups most of their sums, and their memory.
    RETURN QUERY
    SELECT
        (CASE WHEN grouping(c.categoria) = 0 THEN 1 ELSE 2 END)::smallint,
        c.dia, c.mes, c.franja, c.id_sucursal, c.categoria, c.id_producto,
        sum(c.movimientos),
        coalesce(-sum(c.variacion) FILTER (WHERE c.vendido), 0)
        + coalesce(sum(c.sin_existencias) FILTER (WHERE c.sin_existencias IS NOT NULL), 0),
        coalesce(sum(c.bruta) FILTER (WHERE c.vendido), 0),
        coalesce(sum(c.neta) FILTER (WHERE c.vendido), 0),
        coalesce(-sum(c.entra) FILTER (WHERE c.ventas), 0),
        coalesce(sum(c.ajuste) FILTER (WHERE c.ajuste <> 0), 0),
        coalesce(sum(c.variacion) FILTER (WHERE c.compras), 0),
        coalesce(sum(c.entra) FILTER (WHERE c.compras), 0),
        0::numeric,
        coalesce(-sum(c.neta) FILTER (WHERE c.resta), 0),
        coalesce(sum(c.variacion) FILTER (WHERE c.resta AND c.vendido), 0)
        - coalesce(sum(c.sin_existencias) FILTER (WHERE c.resta AND c.sin_existencias IS NOT NULL), 0),
        coalesce(-sum(c.entra) FILTER (WHERE c.merma), 0),
        coalesce(-sum(c.variacion) FILTER (WHERE c.merma), 0),
        -- What is of no class moves nothing, but for what a product begins with.
        coalesce(sum(c.variacion) FILTER (WHERE c.vendido), 0)
        + coalesce(sum(c.variacion) FILTER (WHERE c.ventas AND NOT c.vendido), 0)
        + coalesce(sum(c.variacion) FILTER (WHERE c.compras), 0)
        + coalesce(sum(c.variacion) FILTER (WHERE c.merma), 0)
        + coalesce(sum(c.variacion) FILTER (WHERE c.inicial), 0)
    FROM (
        SELECT
            s.*,
            date_trunc('month', s.dia::timestamp)::date AS mes,
            etl.franja(s.dia, p_corte) AS franja,
            CASE WHEN s.vendido THEN round(s.unidades * s.precio, 6) END AS bruta,
            CASE WHEN s.vendido THEN dw.venta_neta(s.unidades, s.precio, s.tasa) END AS neta
        FROM (
            -- OFFSET 0: else the day, which costs more than a sum, is worked out for each expression
            -- that names it, and dw.venta_neta() is not written into what asks for a rate that is one.
            SELECT
                m.id_sucursal, m.categoria, m.id_producto, m.movimientos, m.variacion, m.ajuste,
                t.ventas, t.compras, t.merma, t.resta, t.inicial,
                (m.fecha AT TIME ZONE p_zona)::date AS dia,
                CASE WHEN m.reverso
                    THEN etl.tasa_asentada(
                        m.id_producto, m.fecha, m.id_movimiento, m.capa, true,
                        (m.fecha_documento AT TIME ZONE p_zona)::date, m.impuesto_linea, m.con_impuesto_linea
                    )
                    ELSE etl.tasa_de_venta(
                        m.impuesto_linea, m.con_impuesto_linea, m.precio_con_impuesto, m.impuesto, m.tasas,
                        (m.fecha_documento AT TIME ZONE p_zona)::date
                    )
                END AS tasa,
                t.ventas AND m.movimientos <> 0 AS vendido,
                CASE t.signo WHEN 1 THEN m.costo_total WHEN -1 THEN -m.costo_total ELSE 0 END AS entra,
                -- An amount of the line stands in the place of both.
                CASE WHEN t.resta <> m.reverso THEN -u.unidades ELSE u.unidades END AS unidades,
                coalesce(m.importe, m.precio_unitario) AS precio,
                -- The units of what is sold and changes no stock; a discount has none.
                CASE
                    WHEN m.variacion <> 0 OR t.signo = 0 OR NOT t.ventas THEN NULL
                    WHEN t.resta <> m.reverso THEN -m.cantidad
                    ELSE m.cantidad
                END AS sin_existencias
            FROM (
                SELECT
                    k.fecha, k.fecha_documento, k.id_movimiento, k.capa, k.reverso, k.id_sucursal, p.categoria, k.id_producto, k.tipo,
                    k.costo_unitario IS NOT NULL AS con_costo, 1 AS movimientos, k.cantidad,
                    k.precio_unitario, k.importe, k.impuesto AS impuesto_linea,
                    k.precio_con_impuesto AS con_impuesto_linea, p.impuesto, p.tasas, p.precio_con_impuesto,
                    k.variacion, k.costo_total, k.ajuste
                FROM dw.kardex AS k
                INNER JOIN etl.v_producto_en_su_fecha AS p
                    ON p.id_producto = k.id_producto AND k.fecha >= p.desde AND k.fecha < p.hasta
                WHERE p_todo
                UNION ALL
                -- Of a product that only grew, what the ledger has from its first new date is new.
                -- This OFFSET 0 keeps the planner from joining with a scan of the whole ledger.
                SELECT
                    k.fecha, k.fecha_documento, k.id_movimiento, k.capa, k.reverso, k.id_sucursal, p.categoria, t.id_producto, k.tipo,
                    k.costo_unitario IS NOT NULL, 1, k.cantidad, k.precio_unitario, k.importe,
                    k.impuesto, k.precio_con_impuesto, p.impuesto, p.tasas, p.precio_con_impuesto, k.variacion, k.costo_total, k.ajuste
                FROM etl.tramo AS t
                INNER JOIN dw.producto AS p ON p.id_producto = t.id_producto
                CROSS JOIN LATERAL (
                    SELECT * FROM dw.kardex AS f
                    WHERE f.id_producto = t.id_producto AND f.fecha >= t.desde
                    OFFSET 0
                ) AS k
                WHERE NOT p_todo AND NOT t.cola
                UNION ALL
                SELECT * FROM etl.v_diferencia AS v WHERE NOT p_todo
            ) AS m
            INNER JOIN etl.v_clase AS t
                ON t.tipo = m.tipo AND t.con_costo = m.con_costo AND t.inicial = etl.es_inicial(m.id_movimiento)
            CROSS JOIN LATERAL (
                SELECT CASE WHEN m.importe IS NULL THEN m.cantidad ELSE 1.000000 END AS unidades
            ) AS u
            OFFSET 0
        ) AS s
    ) AS c
    GROUP BY GROUPING SETS (
        (c.dia, c.id_sucursal, c.categoria),
        (c.mes, c.franja, c.id_sucursal, c.id_producto)
    );
END
$$;
COMMENT ON FUNCTION etl.sumar(p_zona text, p_corte date, p_todo boolean) IS 'Lo que la carga que está en el kardex suma a los resúmenes por día y por mes; con p_todo, las sumas de todo el kardex';
CREATE FUNCTION etl.sumar_movil() RETURNS void
    LANGUAGE sql
    AS $$
INSERT INTO etl.delta
SELECT
    3, NULL, NULL, NULL, NULL, NULL, d.id_producto, 0, sum(d.unidades_vendidas), 0,
    sum(d.venta_neta), sum(d.costo_ventas), 0, 0, 0,
    coalesce(sum(d.unidades_vendidas) FILTER (WHERE d.franja = 2), 0)
FROM etl.delta AS d
WHERE d.nivel = 2 AND d.franja > 0
GROUP BY d.id_producto
$$;
COMMENT ON FUNCTION etl.sumar_movil() IS 'Saca de los meses de etl.delta, partidos en franjas, lo que gana o pierde dw.resumen_movil';
CREATE FUNCTION etl.sumar_periodos(p_limites timestamp with time zone[]) RETURNS TABLE(periodo integer, suma bytea)
    LANGUAGE plpgsql STABLE
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    AS $$
BEGIN
    RETURN QUERY
    -- A product at a time, so that none of the strings has to hold all of it, and all periods in one read.
    SELECT p.periodo, string_agg(p.suma, ''::bytea ORDER BY p.id_producto)
    FROM (
        SELECT
            k.id_producto,
            width_bucket(k.fecha, p_limites) AS periodo,
            sha256(convert_to(
                k.id_producto || ' ' || string_agg(
                    -- What is null is left out, so each column that can be has its letter; the only text
                    -- has its length: no row can be read as two, nor as another.
                    concat_ws(
                        ' ', length(k.tipo), k.tipo, k.fecha, k.id_movimiento, k.capa, k.reverso, k.id_sucursal,
                        k.version, k.orden, k.provisional, k.cantidad, k.costo_total, k.ajuste, k.existencias,
                        k.valor, k.costo_promedio, k.variacion, 'd' || nullif(k.fecha_documento, k.fecha),
                        'p' || k.precio_unitario, 'c' || k.costo_unitario, 's' || k.salto_costo,
                        'i' || k.importe, 'o' || k.id_origen, 'a' || k.id_sucursal_destino, 't' || k.de_todo,
                        'r' || k.impuesto, 'w' || k.precio_con_impuesto
                    ), E'\n' ORDER BY k.fecha, k.fecha_documento, k.orden, k.id_movimiento, k.capa
                ),
                -- Whose bytes need not be UTF-8.
                CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END
            )) AS suma
        FROM dw.kardex AS k
        WHERE k.fecha >= p_limites[1] AND k.fecha < p_limites[cardinality(p_limites)]
        GROUP BY 1, 2
    ) AS p
    GROUP BY p.periodo;
END
$$;
COMMENT ON FUNCTION etl.sumar_periodos(p_limites timestamp with time zone[]) IS 'De los períodos entre cada límite y el siguiente que tienen filas en el kardex, los sha256 de todas las columnas de ellas, producto por producto en su orden';
CREATE FUNCTION etl.sumar_sucursales() RETURNS void
    LANGUAGE sql
    AS $$
INSERT INTO etl.delta (
    nivel, id_sucursal, id_producto, movimientos, unidades_vendidas, venta_bruta, venta_neta,
    costo_ventas, ajuste, unidades_recibidas, costo_recibido, variacion
)
SELECT
    4, s.id_sucursal, s.id_producto, sum(s.movimientos), 0, 0, 0, 0, 0, 0, 0, sum(s.variacion)
FROM (
    SELECT d.id_sucursal, d.id_producto, d.movimientos, d.variacion
    FROM etl.delta AS d
    WHERE d.nivel = 2
    UNION ALL
    SELECT m.id_sucursal, t.id_producto, m.movimientos, m.variacion
    FROM (
        SELECT
            e.id_producto, coalesce(e.id_sucursal, 0) AS origen, e.id_sucursal_destino AS destino,
            1 AS veces, round(e.cantidad, 6) AS cantidad
        FROM etl.etapa AS e
        WHERE e.id_sucursal_destino IS NOT NULL
        UNION ALL
        SELECT b.id_producto, b.id_sucursal, b.id_sucursal_destino, -1, -b.cantidad
        FROM etl.baja AS b
        WHERE b.id_sucursal_destino IS NOT NULL
    ) AS t
    CROSS JOIN LATERAL (
        VALUES (t.origen, 0, -t.cantidad), (t.destino, t.veces, t.cantidad)
    ) AS m (id_sucursal, movimientos, variacion)
) AS s
GROUP BY s.id_sucursal, s.id_producto
HAVING sum(s.movimientos) <> 0 OR sum(s.variacion) <> 0
$$;
COMMENT ON FUNCTION etl.sumar_sucursales() IS 'Saca de los meses de etl.delta, y de los traslados que entran o salen, lo que gana o pierde dw.resumen_sucursal';
CREATE FUNCTION etl.tasa_asentada(p_producto bigint, p_fecha timestamp with time zone, p_movimiento bigint, p_capa smallint, p_reverso boolean, p_dia date, p_linea numeric, p_con_impuesto boolean) RETURNS numeric
    LANGUAGE sql STABLE
    AS $$
SELECT etl.tasa_de_venta(p_linea, p_con_impuesto, v.precio_con_impuesto, v.impuesto, v.tasas, p_dia)
FROM (
    SELECT CASE WHEN p_reverso
        THEN (SELECT k.fecha FROM dw.kardex AS k WHERE k.id_movimiento = p_movimiento AND k.capa = p_capa - 1)
        ELSE p_fecha
    END AS fecha
) AS f
INNER JOIN etl.producto_cerrado AS v
    ON v.id_producto = p_producto AND f.fecha >= v.desde AND f.fecha < v.hasta
$$;
COMMENT ON FUNCTION etl.tasa_asentada(p_producto bigint, p_fecha timestamp with time zone, p_movimiento bigint, p_capa smallint, p_reverso boolean, p_dia date, p_linea numeric, p_con_impuesto boolean) IS 'Con qué tasa está neteada una fila cerrada o, si es un reverso, la que deshace';
CREATE FUNCTION etl.tasa_de_venta(p_linea numeric, p_con_impuesto boolean, p_incluye boolean, p_impuesto numeric, p_tasas dw.tasa[], p_dia date) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
-- Written into what asks, so that a shop without dated rates looks nothing up.
SELECT CASE
    WHEN NOT coalesce(p_con_impuesto, p_incluye) THEN 0
    WHEN p_linea IS NOT NULL THEN p_linea
    WHEN p_tasas IS NULL THEN p_impuesto
    ELSE etl.buscar_tasa(p_impuesto, p_tasas, p_dia)
END
$$;
COMMENT ON FUNCTION etl.tasa_de_venta(p_linea numeric, p_con_impuesto boolean, p_incluye boolean, p_impuesto numeric, p_tasas dw.tasa[], p_dia date) IS 'La tasa que se le quita al precio de una venta de ese día: 0 si no la incluye; la de su línea o, si no la da, la del producto';
CREATE FUNCTION etl.tasa_en_su_fecha(p_producto bigint, p_asentado timestamp with time zone, p_documento timestamp with time zone, p_linea numeric, p_con_impuesto boolean) RETURNS numeric
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT etl.tasa_de_venta(
    p_linea, p_con_impuesto, v.precio_con_impuesto, v.impuesto, v.tasas, (p_documento AT TIME ZONE c.zona)::date
)
FROM etl.v_producto_en_su_fecha AS v
CROSS JOIN etl.control AS c
WHERE v.id_producto = p_producto AND p_asentado >= v.desde AND p_asentado < v.hasta
$$;
COMMENT ON FUNCTION etl.tasa_en_su_fecha(p_producto bigint, p_asentado timestamp with time zone, p_documento timestamp with time zone, p_linea numeric, p_con_impuesto boolean) IS 'Con qué tasa está neteado lo asentado en una fecha, de un documento de otra: la de la línea, si la da';
CREATE FUNCTION etl.tasas() RETURNS TABLE(id_producto bigint, impuesto numeric, tasas dw.tasa[])
    LANGUAGE sql STABLE
    AS $$
SELECT s.id_producto, s.impuesto, c.tasas
FROM etl.politica_al('-infinity') AS s
LEFT JOIN (
    SELECT a.id_producto, array_agg(ROW(d.desde, a.impuesto)::dw.tasa ORDER BY d.desde) AS tasas
    FROM (SELECT DISTINCT r.desde FROM dw.politica_precio AS r WHERE r.desde IS NOT NULL AND r.impuesto IS NOT NULL) AS d
    CROSS JOIN LATERAL etl.politica_al(d.desde) AS a
    GROUP BY a.id_producto
) AS c ON c.id_producto = s.id_producto AND EXISTS (
    SELECT FROM unnest(c.tasas) AS t WHERE t.impuesto <> s.impuesto
)
$$;
COMMENT ON FUNCTION etl.tasas() IS 'La tasa de cada producto antes de toda fecha de dw.politica_precio, y las que valen desde cada una; nulo si no cambia';
CREATE FUNCTION etl.tramos(p_cola boolean) RETURNS TABLE(id_producto bigint, fecha timestamp with time zone, id_movimiento bigint, id_sucursal bigint, orden smallint, tipo text, regla text, cantidad numeric, precio_unitario numeric, costo_unitario numeric, importe numeric, id_origen bigint, id_sucursal_destino bigint, de_todo boolean, circunstancia dw.circunstancia, reclasificado boolean, anterior dw.estado, variacion_anterior numeric, provisional_anterior boolean, salto_anterior numeric, ctid_kardex tid, fecha_documento timestamp with time zone, capa smallint, reverso boolean, impuesto numeric, precio_con_impuesto boolean)
    LANGUAGE sql STABLE
    AS $$
-- Where the replay of each product starts: its state before the first date that changes.
SELECT
    t.id_producto, '-infinity'::timestamptz, 0::bigint, 0::bigint, (-1)::smallint, 'SALDO'::text,
    'saldo'::text, coalesce(u.existencias, a.existencias, 0)::numeric, NULL::numeric,
    coalesce(u.costo_promedio, a.costo_promedio, 0)::numeric,
    NULL::numeric, NULL::bigint, NULL::bigint, NULL::boolean,
    ROW(
        coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0),
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, s.sucursales, s.por_sucursal,
        NULL, NULL, NULL
    )::dw.circunstancia,
    false, NULL::dw.estado, NULL::numeric, NULL::boolean, NULL::numeric, NULL::tid,
    '-infinity', 0::smallint, false, NULL::numeric, NULL::boolean
FROM etl.tramo AS t
LEFT JOIN etl.v_apertura AS a ON a.id_producto = t.id_producto
LEFT JOIN LATERAL (
    SELECT k.existencias, k.valor, k.costo_promedio
    FROM dw.kardex AS k
    WHERE k.id_producto = t.id_producto AND k.fecha < t.desde
    ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
    LIMIT 1
) AS u ON true
LEFT JOIN etl.v_sucursales_al_empezar AS s ON s.id_producto = t.id_producto
WHERE t.cola = p_cola
UNION ALL
SELECT
    m.id_producto, m.fecha, m.id_movimiento, m.id_sucursal, m.orden, m.tipo,
    CASE WHEN m.regla = 'contar' AND x.olvidar THEN 'ninguna' ELSE m.regla END, m.cantidad,
    m.precio_unitario, m.costo_unitario, m.importe, m.id_origen, m.id_sucursal_destino, m.de_todo,
    CASE WHEN x.id_movimiento IS NOT NULL OR m.importe IS NOT NULL OR m.sigue_sucursales OR m.referencia IS NOT NULL
        THEN ROW(
            m.importe, x.adicional, x.en_su_entrada,
            CASE WHEN x.recordar THEN m.id_movimiento END, x.id_origen, x.olvidar,
            CASE WHEN x.cantidad IS NOT NULL
                THEN ROW(m.id_origen, x.costo_total, x.cantidad, x.existencias, x.costo_promedio)::dw.origen
            END,
            CASE WHEN m.sigue_sucursales THEN m.id_sucursal END,
            CASE WHEN m.sigue_sucursales THEN m.id_sucursal_destino END,
            m.de_todo, NULL, NULL, x.habia, x.despues, m.referencia
        )::dw.circunstancia
    END,
    m.reclasificado, m.anterior, m.variacion_anterior, m.provisional_anterior, m.salto_anterior,
    m.ctid_kardex, m.fecha_documento, m.capa, m.reverso, m.impuesto, m.precio_con_impuesto
FROM (
    SELECT
        e.id_producto, e.fecha, e.id_movimiento, coalesce(e.id_sucursal, 0) AS id_sucursal, p.orden,
        e.tipo, etl.regla_de(e.reverso, p.regla, p.signo, t.inventariable) AS regla, round(e.cantidad, 6) AS cantidad,
        etl.precio_informado(p.precio, e.precio_unitario) AS precio_unitario,
        CASE WHEN p.costo <> 'no' OR e.reverso THEN round(e.costo_unitario, 6) END AS costo_unitario,
        e.importe, e.id_origen, e.id_sucursal_destino,
        -- A reversal has what the closed row has, whatever its type looks at today.
        CASE WHEN (p.regla = 'contar' OR e.reverso) AND e.id_sucursal IS NULL THEN true END AS de_todo,
        t.sigue_sucursales, false AS reclasificado, NULL::dw.estado AS anterior,
        NULL::numeric AS variacion_anterior, NULL::boolean AS provisional_anterior,
        NULL::numeric AS salto_anterior, NULL::tid AS ctid_kardex,
        coalesce(e.fecha_documento, e.fecha) AS fecha_documento, e.capa, e.reverso,
        CASE WHEN p.precio OR e.reverso THEN round(e.impuesto, 6) END AS impuesto,
        CASE WHEN p.precio OR e.reverso THEN e.precio_con_impuesto END AS precio_con_impuesto,
        -- Only for what may enter without a cost: any other row needs no circumstances for it.
        CASE
            WHEN t.referencia IS NULL THEN NULL
            WHEN e.costo_unitario IS NULL AND NOT e.reverso AND p.regla IN ('recibir', 'contar', 'devolver_venta')
                THEN t.referencia
        END AS referencia
    FROM etl.etapa AS e
    INNER JOIN etl.tramo AS t ON t.id_producto = e.id_producto
    INNER JOIN dw.tipo_movimiento AS p ON p.tipo = e.tipo
    WHERE t.cola = p_cola
    UNION ALL
    -- The inner OFFSET 0 keeps the planner from joining with a scan of the whole ledger, the outer
    -- one from looking through all of etl.baja again for each product.
    SELECT
        r.id_producto, r.fecha, r.id_movimiento, r.id_sucursal, r.orden, r.tipo,
        etl.regla_de(r.reverso, p.regla, p.signo, r.inventariable), r.cantidad, r.precio_unitario,
        CASE WHEN r.tipo <> 'VENTA' OR r.reverso THEN r.costo_unitario END, r.importe,
        r.id_origen, r.id_sucursal_destino, r.de_todo, r.sigue_sucursales, r.reclasificado,
        ROW(r.existencias, r.valor, r.costo_promedio, r.costo_total, r.ajuste)::dw.estado,
        r.variacion, r.provisional, r.salto_costo, r.ctid_kardex, r.fecha_documento, r.capa, r.reverso,
        r.impuesto, r.precio_con_impuesto,
        CASE
            WHEN r.referencia IS NULL THEN NULL
            WHEN r.costo_unitario IS NULL AND NOT r.reverso AND p.regla IN ('recibir', 'contar', 'devolver_venta')
                THEN r.referencia
        END
    FROM (
        SELECT t.categoria_anterior IS NOT NULL AS reclasificado, t.sigue_sucursales, t.inventariable, t.referencia, k.*
        FROM etl.tramo AS t
        CROSS JOIN LATERAL (
            SELECT f.*, f.ctid AS ctid_kardex FROM dw.kardex AS f
            WHERE f.id_producto = t.id_producto AND f.fecha >= t.desde
            OFFSET 0
        ) AS k
        WHERE p_cola AND t.cola
        OFFSET 0
    ) AS r
    INNER JOIN dw.tipo_movimiento AS p ON p.tipo = r.tipo
    WHERE NOT EXISTS (
        SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_movimiento AND b.capa = r.capa
    )
) AS m
LEFT JOIN etl.circunstancia AS x ON x.id_movimiento = m.id_movimiento AND x.capa = m.capa
$$;
COMMENT ON FUNCTION etl.tramos(p_cola boolean) IS 'De los productos tocados, con cola o sin ella: su saldo previo, como movimiento de tipo SALDO, las altas y, con lo que dicen de su estado, las filas que siguen en el kardex';
CREATE FUNCTION etl.tramos_de_prueba(p_corta boolean, p_movimientos bigint[], p_parte bigint) RETURNS TABLE(id_producto bigint, desde timestamp with time zone)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- What is closed is proved by its chain.
SELECT s.id_producto, greatest(min(s.desde), (SELECT etl.cerrado_hasta()))
FROM (
    SELECT i.id_producto, '-infinity'::timestamptz AS desde FROM dw.inventario AS i WHERE NOT p_corta
    UNION ALL
    SELECT q.id_producto, q.desde FROM etl.por_probar AS q WHERE p_corta
    UNION ALL
    SELECT k.id_producto, k.fecha
    FROM dw.kardex AS k
    WHERE p_corta AND k.id_movimiento = ANY (p_movimientos)
) AS s
WHERE p_parte IS NULL OR s.id_producto & 1 = p_parte
GROUP BY s.id_producto
$$;
COMMENT ON FUNCTION etl.tramos_de_prueba(p_corta boolean, p_movimientos bigint[], p_parte bigint) IS 'Qué se repite para comprobarlo: todo, o lo tocado desde la última comprobación, y desde esos movimientos; de los productos de número par (0), impar (1) o de todos (nulo)';
CREATE FUNCTION etl.ultima_lectura() RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT max(c.leida) FROM etl.corrida AS c
$$;
COMMENT ON FUNCTION etl.ultima_lectura() IS 'Cuándo se leyó el OLTP por última vez: de ahí se cuenta el día que hace futura una fecha';
CREATE FUNCTION etl.ultima_venta(p_producto bigint) RETURNS TABLE(id_movimiento bigint, fecha timestamp with time zone, fecha_documento timestamp with time zone, precio_unitario numeric, impuesto numeric, precio_con_impuesto boolean)
    LANGUAGE sql STABLE
    AS $$
SELECT k.id_movimiento, k.fecha, k.fecha_documento, k.precio_unitario, k.impuesto, k.precio_con_impuesto
FROM (
    -- In this order, and no further than to the first that is one: of a new ledger the planner expects
    -- so few sales that it would read and sort all of the product's.
    SELECT * FROM dw.kardex AS f
    WHERE f.id_producto = p_producto
    ORDER BY f.fecha DESC, f.fecha_documento DESC, f.orden DESC, f.id_movimiento DESC, f.capa DESC
    OFFSET 0
) AS k
WHERE k.tipo = 'VENTA' AND NOT k.reverso
    -- What was taken back was no sale.
    AND (
        SELECT true FROM dw.kardex AS x
        WHERE x.reverso AND x.id_movimiento = k.id_movimiento AND x.capa = k.capa + 1
        LIMIT 1
    ) IS NOT TRUE
LIMIT 1
$$;
COMMENT ON FUNCTION etl.ultima_venta(p_producto bigint) IS 'La última venta de un producto en el kardex que no fue reversada; ninguna fila si no la hay';
CREATE FUNCTION etl.ultimo_cierre() RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
SELECT to_jsonb(c) || jsonb_build_object('correcciones', etl.resumir_correcciones(false))
FROM dw.cierre AS c
ORDER BY c.hasta DESC
LIMIT 1
$$;
COMMENT ON FUNCTION etl.ultimo_cierre() IS 'El último cierre, con lo que desde entonces se asentó de lo cerrado; nulo si no hay ninguno';
CREATE FUNCTION etl.vaciar_trabajo() RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_tabla text;
BEGIN
    FOREACH v_tabla IN ARRAY ARRAY[
        'etapa', 'etapa_producto', 'etapa_sucursal', 'etapa_existencia', 'descarte', 'baja', 'cerrada', 'tramo', 'circunstancia',
        'repeticion', 'delta'
    ] LOOP
        -- To truncate makes new files of each, its TOAST and its indexes: that took a load of few rows as
        -- long as all the rest. Rows that are deleted stay in theirs until they are many.
        IF pg_table_size(format('etl.%I', v_tabla)) > 256 * 1024 THEN
            BEGIN
                EXECUTE format('LOCK TABLE etl.%I IN ACCESS EXCLUSIVE MODE NOWAIT', v_tabla);
                EXECUTE format('TRUNCATE etl.%I', v_tabla);
                CONTINUE;
            EXCEPTION WHEN lock_not_available THEN
                -- A backup that is running reads every table: it need not hold up the load.
                NULL;
            END;
        END IF;
        EXECUTE format('DELETE FROM etl.%I', v_tabla);
    END LOOP;
END
$$;
COMMENT ON FUNCTION etl.vaciar_trabajo() IS 'Vacía las tablas de trabajo, bajo el bloqueo de etl.control';
CREATE FUNCTION etl.valor_promedio(p_producto bigint, p_fines timestamp with time zone[]) RETURNS TABLE(valor_promedio numeric)
    LANGUAGE sql STABLE
    AS $$
-- Before its first movement and its opening a product has no value that would count.
SELECT avg(greatest(f.valor, 0))
FROM (
    SELECT coalesce(
        (
            SELECT k.valor
            FROM dw.kardex AS k
            WHERE k.id_producto = p_producto AND k.fecha < n.fin
            ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
            LIMIT 1
        ),
        (
            SELECT round(a.existencias * a.costo_promedio, 6)
            FROM etl.v_apertura AS a
            WHERE a.id_producto = p_producto AND a.fecha < n.fin
        )
    ) AS valor
    FROM unnest(p_fines) AS n (fin)
    -- Each is sought once: what asks whether there is one would be put in its place, too.
    OFFSET 0
) AS f
WHERE f.valor IS NOT NULL
$$;
COMMENT ON FUNCTION etl.valor_promedio(p_producto bigint, p_fines timestamp with time zone[]) IS 'Promedio de lo que valía un producto en esos instantes (lo negativo cuenta 0); nulo si en ninguno existía aún';
CREATE TABLE dw.kardex (
    id_producto bigint NOT NULL,
    fecha timestamp with time zone NOT NULL,
    id_movimiento bigint NOT NULL,
    id_sucursal bigint NOT NULL,
    version bigint NOT NULL,
    orden smallint NOT NULL,
    provisional boolean NOT NULL,
    tipo text NOT NULL,
    cantidad numeric(38,6) NOT NULL,
    precio_unitario numeric(38,6),
    costo_unitario numeric(38,6),
    costo_total numeric(38,6) NOT NULL,
    ajuste numeric(38,6) NOT NULL,
    existencias numeric(38,6) NOT NULL,
    valor numeric(38,6) NOT NULL,
    costo_promedio numeric(38,6) NOT NULL,
    salto_costo numeric,
    variacion numeric(38,6) NOT NULL,
    importe numeric(38,6),
    id_origen bigint,
    id_sucursal_destino bigint,
    de_todo boolean,
    fecha_documento timestamp with time zone NOT NULL,
    capa smallint NOT NULL,
    reverso boolean NOT NULL,
    impuesto numeric(38,6),
    precio_con_impuesto boolean
)
WITH (fillfactor='50');
COMMENT ON TABLE dw.kardex IS 'Libro de movimientos valorizados; la clave es el orden en que se valorizan';
COMMENT ON COLUMN dw.kardex.fecha IS 'Donde está asentado: la del documento o, si llegó o cambió cerrado su período, el fin del último cierre';
COMMENT ON COLUMN dw.kardex.id_sucursal IS '0 si el documento no tiene sucursal';
COMMENT ON COLUMN dw.kardex.version IS 'Número de la corrida que escribió la fila por última vez';
COMMENT ON COLUMN dw.kardex.orden IS 'En la misma fecha: el de su tipo en dw.tipo_movimiento';
COMMENT ON COLUMN dw.kardex.provisional IS 'Valorizado al promedio, y dejó existencias negativas o el promedio era 0';
COMMENT ON COLUMN dw.kardex.costo_unitario IS 'El del documento; de una venta, el promedio aplicado; nulo donde no lo hay';
COMMENT ON COLUMN dw.kardex.costo_total IS 'Costo que entra o que sale, según el signo de su tipo; de un conteo, negativo si falta';
COMMENT ON COLUMN dw.kardex.ajuste IS 'Lo que cambió el valor sin ser costo_total, como la corrección de lo vendido antes de recibirse';
COMMENT ON COLUMN dw.kardex.existencias IS 'Después del movimiento, como valor y costo_promedio';
COMMENT ON COLUMN dw.kardex.salto_costo IS 'De una entrada cuyo costo se aleja del promedio anterior más que ETL_COST_JUMP_FACTOR: costo / promedio, al menos 0.000001; 0 si entró gratis; si no, nulo';
COMMENT ON COLUMN dw.kardex.variacion IS 'Con signo, cuánto cambió las existencias';
COMMENT ON COLUMN dw.kardex.importe IS 'El de la línea, si lo da: vale en lugar de cantidad por precio o costo';
COMMENT ON COLUMN dw.kardex.id_origen IS 'El movimiento que devuelve, o al que añade costo';
COMMENT ON COLUMN dw.kardex.id_sucursal_destino IS 'De un traslado, adónde va';
COMMENT ON COLUMN dw.kardex.de_todo IS 'De un conteo, si lo es de todas las sucursales; si no, nulo';
COMMENT ON COLUMN dw.kardex.fecha_documento IS 'La del OLTP';
COMMENT ON COLUMN dw.kardex.capa IS '0, como se asentó primero; lo que lo corrige después de un cierre tiene las que siguen';
COMMENT ON COLUMN dw.kardex.reverso IS 'Deshace la capa anterior, que ya estaba cerrada: variacion y costo_total son los contrarios';
COMMENT ON COLUMN dw.kardex.impuesto IS 'Tasa de la línea, si la da; si no, vale la de dw.politica_precio';
COMMENT ON COLUMN dw.kardex.precio_con_impuesto IS 'Si el precio de la línea incluye su impuesto, si lo dice; si no, vale ETL_PRICES_INCLUDE_TAX';
CREATE FUNCTION etl.valorizar(p_cola boolean, p_numero bigint, p_factor numeric) RETURNS TABLE(fila dw.kardex, es_alta boolean, reclasificado boolean, difiere boolean, costo_total_anterior numeric, ajuste_anterior numeric, variacion_anterior numeric, ctid_kardex tid)
    LANGUAGE sql STABLE
    AS $$
-- In the order of the ledger's columns. As one expression the row is taken apart by the planner where
-- (fila).* is inserted, and costs nothing.
SELECT
    ROW(
        v.id_producto, v.fecha, v.id_movimiento, v.id_sucursal, p_numero, v.orden, v.provisional,
        v.tipo, v.cantidad, v.precio_unitario,
        CASE WHEN v.tipo = 'VENTA' AND NOT v.reverso THEN (v.paso).costo_promedio ELSE v.costo_unitario END,
        (v.paso).costo_total, (v.paso).ajuste, (v.paso).existencias, (v.paso).valor,
        (v.paso).costo_promedio, v.salto, (v.paso).variacion, v.importe, v.id_origen,
        v.id_sucursal_destino, v.de_todo, v.fecha_documento, v.capa, v.reverso, v.impuesto,
        v.precio_con_impuesto
    )::dw.kardex,
    v.ctid_kardex IS NULL,
    v.reclasificado,
    -- A rule of the shop's own that yields no value must not pass for one that changes nothing.
    v.ctid_kardex IS NULL OR v.salto IS DISTINCT FROM v.salto_anterior
    OR v.provisional IS DISTINCT FROM v.provisional_anterior OR (
        (v.paso).existencias, (v.paso).valor, (v.paso).costo_promedio, (v.paso).costo_total,
        (v.paso).ajuste, (v.paso).variacion
    ) IS DISTINCT FROM (
        (v.anterior).existencias, (v.anterior).valor, (v.anterior).costo_promedio,
        (v.anterior).costo_total, (v.anterior).ajuste, v.variacion_anterior
    ),
    (v.anterior).costo_total, (v.anterior).ajuste, v.variacion_anterior, v.ctid_kardex
FROM (
    SELECT
        s.*,
        (s.paso).al_promedio AND ((s.paso).existencias < 0 OR (s.paso).costo_promedio = 0)
            AS provisional,
        CASE WHEN s.tipo = 'ENTRADA_MERCANCIA' AND NOT s.reverso AND s.regla <> 'ninguna'
            THEN etl.salto_costo((s.paso).promedio_previo, s.costo_unitario, p_factor)
        END AS salto
    FROM (
        SELECT
            m.*,
            dw.valuar(m.regla, m.cantidad, m.costo_unitario, m.circunstancia) OVER (
                PARTITION BY m.id_producto ORDER BY m.fecha, m.fecha_documento, m.orden, m.id_movimiento, m.capa
                ROWS UNBOUNDED PRECEDING
            ) AS paso
        FROM etl.tramos(p_cola) AS m
    ) AS s
) AS v
WHERE v.tipo <> 'SALDO'
$$;
COMMENT ON FUNCTION etl.valorizar(p_cola boolean, p_numero bigint, p_factor numeric) IS 'Lo que da etl.tramos(), valorizado: cada fila como ha de quedar en el kardex, si es alta, y si lo que dice su estado es otra cosa que antes; el factor es el de etl.salto_costo';
CREATE FUNCTION etl.vendidos_sin_entradas() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT jsonb_build_object(
    'vendidos', count(*),
    'sin_entradas', count(*) FILTER (WHERE v.nada),
    'ejemplo', min(v.id_producto) FILTER (WHERE v.nada)
)
FROM (
    SELECT
        m.id_producto,
        NOT m.recibido
        AND NOT EXISTS (
            SELECT FROM dw.apertura AS a WHERE a.id_producto = m.id_producto AND a.existencias > 0
        )
        AND NOT EXISTS (
            SELECT FROM dw.kardex AS k
            INNER JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo
            WHERE k.id_producto = m.id_producto AND t.clase IS DISTINCT FROM 'ventas' AND k.variacion > 0
        ) AS nada
    FROM (
        SELECT r.id_producto, bool_or(r.unidades_recibidas > 0) AS recibido
        FROM dw.resumen_mensual AS r
        INNER JOIN dw.producto AS p ON p.id_producto = r.id_producto AND p.inventariable
        GROUP BY r.id_producto
        HAVING bool_or(r.unidades_vendidas > 0)
    ) AS m
) AS v
$$;
COMMENT ON FUNCTION etl.vendidos_sin_entradas() IS 'Cuántos productos se venden, y cuántos de ellos no tienen apertura ni nada que los haya hecho entrar: sin costo y bajo cero';
CREATE FUNCTION etl.ventanas_cargadas(p_desde timestamp with time zone[], p_hasta timestamp with time zone[]) RETURNS TABLE(desde timestamp with time zone, hasta timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT c.desde, c.hasta
FROM unnest(p_desde, p_hasta) AS v (desde, hasta)
INNER JOIN etl.corrida AS c ON c.desde = v.desde AND c.hasta = v.hasta
$$;
COMMENT ON FUNCTION etl.ventanas_cargadas(p_desde timestamp with time zone[], p_hasta timestamp with time zone[]) IS 'De las ventanas dadas, las que la base de verdad cargó';
CREATE FUNCTION etl.verificar_ajustes() RETURNS TABLE(falla text, id_producto bigint, id_movimiento bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT 'an adjustment is not in the ledger as it was booked', coalesce(v.id_producto, k.id_producto),
    coalesce(v.id_movimiento, k.id_movimiento)
FROM etl.v_ajuste AS v
FULL JOIN (
    SELECT DISTINCT ON (f.id_movimiento) f.*, min(f.fecha) OVER (PARTITION BY f.id_movimiento) AS primera
    FROM dw.kardex AS f
    WHERE etl.es_ajuste(f.id_movimiento)
    ORDER BY f.id_movimiento, f.capa DESC
) AS k ON k.id_movimiento = v.id_movimiento
CROSS JOIN etl.control AS c
WHERE (
    CASE WHEN v.cuenta THEN
        NOT k.reverso AND k.tipo = v.tipo AND k.id_producto = v.id_producto AND k.cantidad = abs(v.cantidad)
        AND k.id_sucursal = coalesce(v.id_sucursal, 0) AND k.fecha_documento = v.fecha
        AND num_nonnulls(
            k.precio_unitario, k.costo_unitario, k.importe, k.id_origen, k.id_sucursal_destino, k.de_todo, k.impuesto,
            k.precio_con_impuesto
        ) = 0
    ELSE k.id_movimiento IS NULL OR k.reverso OR NOT v.vigente AND k.primera < (SELECT etl.cerrado_hasta())
    END
) IS NOT TRUE
-- What an opening has changed comes with the next load.
AND NOT (v.cuenta AND k.id_movimiento IS NULL AND c.horizonte IS NULL)
$$;
COMMENT ON FUNCTION etl.verificar_ajustes() IS 'Los ajustes que el kardex no tiene como quedan según dw.ajuste_existencias, y los que tiene de más';
CREATE FUNCTION etl.verificar_bloques(p_desde timestamp with time zone, p_limites bigint[], p_zona text, p_rapida boolean) RETURNS TABLE(bloque integer, filas bigint, huella numeric)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT
    width_bucket(c.id_movimiento, p_limites), count(*),
    sum(c.signo * etl.huella(c.contenido, c.fecha AT TIME ZONE p_zona, p_rapida))
FROM etl.v_contenido AS c
WHERE c.fecha IS NULL OR c.fecha >= p_desde
GROUP BY 1
$$;
COMMENT ON FUNCTION etl.verificar_bloques(p_desde timestamp with time zone, p_limites bigint[], p_zona text, p_rapida boolean) IS 'Conteo y suma de huellas por bloque de números de movimiento, que empiezan donde dice etl.bloques(); rápidas o de md5; la zona, como en etl.huella()';
CREATE FUNCTION etl.verificar_cierres() RETURNS TABLE(dia date)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT c.dia
FROM (
    SELECT c AS cierre, c.dia, c.huella, row_number() OVER w AS periodo, lag(c.huella) OVER w AS anterior
    FROM dw.cierre AS c
    WINDOW w AS (ORDER BY c.hasta)
) AS c
LEFT JOIN etl.sumar_periodos(
    ARRAY(SELECT '-infinity'::timestamptz UNION ALL SELECT d.hasta FROM dw.cierre AS d ORDER BY 1)
) AS s ON s.periodo = c.periodo
WHERE c.huella IS DISTINCT FROM etl.huella_del_periodo(c.cierre, s.suma, c.anterior)
ORDER BY c.dia
$$;
COMMENT ON FUNCTION etl.verificar_cierres() IS 'Los días de cierre cuyas filas ya no son las que se cerraron';
CREATE FUNCTION etl.verificar_filas(p_desde timestamp with time zone, p_bloques integer[], p_limites bigint[], p_zona text, p_rapida boolean) RETURNS TABLE(id_movimiento bigint, huella bigint, archivable bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT c.id_movimiento, c.signo * etl.huella(c.contenido, c.fecha AT TIME ZONE p_zona, p_rapida), c.archivable
FROM etl.v_contenido AS c
WHERE (c.fecha IS NULL OR c.fecha >= p_desde) AND width_bucket(c.id_movimiento, p_limites) = ANY (p_bloques)
$$;
COMMENT ON FUNCTION etl.verificar_filas(p_desde timestamp with time zone, p_bloques integer[], p_limites bigint[], p_zona text, p_rapida boolean) IS 'La huella de cada movimiento de los bloques que no coinciden; la zona, como en etl.huella()';
CREATE FUNCTION etl.verificar_inventario(p_corta boolean, p_movimientos bigint[], p_parte bigint) RETURNS TABLE(falla text, id_producto bigint, id_movimiento bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT
    CASE
        WHEN (i.existencias, i.valor, i.costo_promedio) IS DISTINCT FROM (
            coalesce(u.existencias, a.existencias, 0),
            coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0),
            coalesce(u.costo_promedio, a.costo_promedio, 0)
        ) THEN 'the stock is not its ledger''s last row'
        ELSE 'the suggested price is not that of its cost'
    END,
    t.id_producto, u.id_movimiento
FROM etl.tramos_de_prueba(p_corta, p_movimientos, p_parte) AS t
INNER JOIN dw.inventario AS i ON i.id_producto = t.id_producto
LEFT JOIN dw.producto AS p ON p.id_producto = i.id_producto
LEFT JOIN etl.v_apertura AS a ON a.id_producto = i.id_producto
LEFT JOIN dw.v_politica_producto AS v ON v.id_producto = i.id_producto
LEFT JOIN LATERAL (
    SELECT k.id_movimiento, k.existencias, k.valor, k.costo_promedio
    FROM dw.kardex AS k
    WHERE k.id_producto = i.id_producto
    ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
    LIMIT 1
) AS u ON true
WHERE (i.existencias, i.valor, i.costo_promedio) IS DISTINCT FROM (
    coalesce(u.existencias, a.existencias, 0),
    coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0),
    coalesce(u.costo_promedio, a.costo_promedio, 0)
)
-- A policy that was edited since comes with the next load.
OR i.precio_sugerido IS DISTINCT FROM dw.calcular_precio_sugerido(
    CASE WHEN p.inventariable IS NOT FALSE THEN i.costo_promedio ELSE 0 END, v.margen, v.impuesto, v.redondeo
)
AND etl.misma_politica()
UNION ALL
SELECT
    'the last sale or average value of the stock is not its ledger''s', i.id_producto,
    w.id_movimiento
FROM dw.v_corte AS c
CROSS JOIN LATERAL etl.fines_de_mes(c.dia, c.zona) AS f (fines)
CROSS JOIN etl.tramos_de_prueba(p_corta, p_movimientos, p_parte) AS t
INNER JOIN dw.inventario AS i ON i.id_producto = t.id_producto
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
INNER JOIN dw.v_politica_producto AS v ON v.id_producto = i.id_producto
CROSS JOIN etl.misma_politica() AS n (misma)
CROSS JOIN LATERAL etl.valor_promedio(i.id_producto, f.fines) AS m
LEFT JOIN LATERAL etl.ultima_venta(i.id_producto) AS w ON true
-- A price that gets its tax has that of the pricing policy of its load, which may be another by now.
WHERE (i.ultima_venta, i.ultimo_precio, i.ultimo_neto, i.valor_promedio, i.primera) IS DISTINCT FROM (
    w.fecha,
    CASE
        WHEN coalesce(w.precio_con_impuesto, p.precio_con_impuesto) THEN w.precio_unitario
        WHEN w.impuesto IS NOT NULL OR n.misma
            THEN round(w.precio_unitario * (1 + coalesce(w.impuesto, v.impuesto)), 6)
        ELSE i.ultimo_precio
    END,
    dw.venta_neta(1, w.precio_unitario, etl.tasa_de_venta(
        w.impuesto, w.precio_con_impuesto, p.precio_con_impuesto, p.impuesto, p.tasas,
        (w.fecha_documento AT TIME ZONE c.zona)::date
    )),
    m.valor_promedio,
    (SELECT min(k.fecha) FROM dw.kardex AS k WHERE k.id_producto = i.id_producto)
)
UNION ALL
SELECT DISTINCT 'the product has a ledger but no stock row', k.id_producto, NULL::bigint
FROM dw.kardex AS k
WHERE NOT p_corta AND k.id_producto & 1 = p_parte
    AND NOT EXISTS (SELECT FROM dw.inventario AS i WHERE i.id_producto = k.id_producto)
UNION ALL
SELECT 'the product has a ledger but no stock row', t.id_producto, NULL::bigint
FROM etl.tramos_de_prueba(p_corta, p_movimientos, p_parte) AS t
WHERE p_corta AND NOT EXISTS (SELECT FROM dw.inventario AS i WHERE i.id_producto = t.id_producto)
    AND EXISTS (SELECT FROM dw.kardex AS k WHERE k.id_producto = t.id_producto)
UNION ALL
SELECT 'the stock of the branches is not that of the product', i.id_producto, NULL::bigint
FROM dw.inventario AS i
LEFT JOIN (
    SELECT e.id_producto, sum(e.existencias) AS existencias
    FROM dw.existencias_sucursal AS e
    GROUP BY e.id_producto
) AS s ON s.id_producto = i.id_producto
WHERE i.id_producto & 1 = p_parte AND i.existencias <> coalesce(s.existencias, 0)
$$;
COMMENT ON FUNCTION etl.verificar_inventario(p_corta boolean, p_movimientos bigint[], p_parte bigint) IS 'Productos cuyo inventario falta, no es el del final de su kardex o tiene un precio que no es el de su costo';
CREATE FUNCTION etl.verificar_libros(p_parte bigint, p_corta boolean, p_movimientos bigint[]) RETURNS TABLE(falla text, id_producto bigint, id_movimiento bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_nestloop TO 'off'
    SET work_mem TO '128MB'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
#variable_conflict use_column
BEGIN
    IF p_parte < 2 THEN
        RETURN QUERY SELECT * FROM etl.repetir_libro(p_corta, p_movimientos, p_parte);
        RETURN QUERY SELECT * FROM etl.verificar_inventario(p_corta, p_movimientos, p_parte);
        RETURN;
    END IF;
    RETURN QUERY
    SELECT 'what was closed up to ' || c.dia || ' is not what it was', NULL::bigint, NULL::bigint
    FROM etl.verificar_cierres() AS c;
    RETURN QUERY SELECT * FROM etl.verificar_ajustes();
    IF p_corta THEN
        RETURN QUERY
        SELECT s.falla, s.id_producto, NULL::bigint
        FROM dw.v_corte AS c
        CROSS JOIN LATERAL etl.verificar_sumas_tocadas(c.zona, c.dia, p_movimientos) AS s;
    ELSE
        RETURN QUERY
        SELECT s.falla, s.id_producto, NULL::bigint
        FROM dw.v_corte AS c
        CROSS JOIN LATERAL etl.verificar_sumas(c.zona, c.dia) AS s;
    END IF;
END
$$;
COMMENT ON FUNCTION etl.verificar_libros(p_parte bigint, p_corta boolean, p_movimientos bigint[]) IS 'Lo que el OLAP puede comprobar solo, en tres partes que se preguntan a la vez: los productos de número par (0) e impar (1) se repiten igual y cuadran, con su inventario; los resúmenes son sus sumas (2). De todo, o de lo tocado desde la última comprobación';
CREATE FUNCTION etl.verificar_movimientos(p_movimientos bigint[], p_zona text, p_rapida boolean) RETURNS TABLE(id_movimiento bigint, huella bigint, archivable bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT c.id_movimiento, c.signo * etl.huella(c.contenido, c.fecha AT TIME ZONE p_zona, p_rapida), c.archivable
FROM etl.v_contenido AS c
WHERE c.id_movimiento = ANY (p_movimientos)
$$;
COMMENT ON FUNCTION etl.verificar_movimientos(p_movimientos bigint[], p_zona text, p_rapida boolean) IS 'La huella de cada uno de esos movimientos que el OLAP tenga; la zona, como en etl.huella()';
CREATE FUNCTION etl.verificar_sumas(p_zona text, p_corte date) RETURNS TABLE(falla text, id_producto bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT
    CASE s.nivel WHEN 1 THEN 'dw.resumen_diario' WHEN 2 THEN 'dw.resumen_mensual'
        WHEN 3 THEN 'dw.resumen_movil' ELSE 'dw.resumen_sucursal' END
    || ' is not the sum of the ledger' || coalesce(', ' || coalesce(s.dia, s.mes)::text, ''),
    s.id_producto
FROM etl.diferencias_de_resumen(p_zona, p_corte) AS s
$$;
COMMENT ON FUNCTION etl.verificar_sumas(p_zona text, p_corte date) IS 'Los resúmenes que no son las sumas de todo el kardex';
CREATE FUNCTION etl.verificar_sumas_tocadas(p_zona text, p_corte date, p_movimientos bigint[]) RETURNS TABLE(falla text, id_producto bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- The months of what was touched, product by product, from the ledger.
SELECT 'dw.resumen_mensual is not the sum of the ledger, ' || coalesce(l.mes, r.mes), coalesce(l.id_producto, r.id_producto)
FROM (
    SELECT
        date_trunc('month', k.dia::timestamp)::date AS mes, k.id_sucursal, k.id_producto,
        count(*) AS movimientos,
        coalesce(sum(k.vendidas) FILTER (WHERE k.ventas), 0) AS unidades_vendidas,
        coalesce(sum(round(k.unidades * k.precio, 6)) FILTER (WHERE k.ventas), 0) AS venta_bruta,
        coalesce(sum(k.neta) FILTER (WHERE k.ventas), 0) AS venta_neta,
        coalesce(-sum(k.entra) FILTER (WHERE k.ventas), 0) AS costo_ventas,
        coalesce(sum(k.ajuste), 0) AS ajuste,
        coalesce(sum(k.variacion) FILTER (WHERE k.compras), 0) AS unidades_recibidas,
        coalesce(sum(k.entra) FILTER (WHERE k.compras), 0) AS costo_recibido,
        coalesce(-sum(k.neta) FILTER (WHERE k.resta), 0) AS devoluciones,
        coalesce(-sum(k.vendidas) FILTER (WHERE k.resta), 0) AS unidades_devueltas,
        coalesce(-sum(k.entra) FILTER (WHERE k.merma), 0) AS mermas,
        coalesce(-sum(k.variacion) FILTER (WHERE k.merma), 0) AS unidades_merma
    FROM (
        SELECT
            m.*, c.ventas, c.compras, c.merma, c.resta, c.signo * m.costo_total AS entra, n.unidades, n.precio,
            CASE WHEN c.signo = 0 THEN 0 WHEN c.resta <> m.reverso THEN -m.cantidad ELSE m.cantidad END
                AS vendidas,
            dw.venta_neta(n.unidades, n.precio, m.tasa) AS neta
        FROM (
            SELECT f.*, t.desde, (f.fecha AT TIME ZONE p_zona)::date AS dia,
                CASE WHEN f.reverso OR f.fecha < (SELECT etl.cerrado_hasta())
                    THEN etl.tasa_asentada(
                        f.id_producto, f.fecha, f.id_movimiento, f.capa, f.reverso,
                        (f.fecha_documento AT TIME ZONE p_zona)::date, f.impuesto, f.precio_con_impuesto
                    )
                    ELSE etl.tasa_de_venta(
                        f.impuesto, f.precio_con_impuesto, p.precio_con_impuesto, p.impuesto, p.tasas,
                        (f.fecha_documento AT TIME ZONE p_zona)::date
                    )
                END AS tasa
            FROM etl.tramos_de_prueba(true, p_movimientos, NULL) AS t
            INNER JOIN dw.producto AS p ON p.id_producto = t.id_producto
            CROSS JOIN LATERAL (
                SELECT * FROM dw.kardex AS k
                WHERE k.id_producto = t.id_producto
                    -- Two days more than the month: a clock's midnight is not UTC's.
                    AND k.fecha >= date_trunc('month', t.desde) - interval '2 days'
                OFFSET 0
            ) AS f
            OFFSET 0
        ) AS m
        INNER JOIN etl.v_clase AS c
            ON c.tipo = m.tipo AND c.con_costo = (m.costo_unitario IS NOT NULL)
            AND c.inicial = etl.es_inicial(m.id_movimiento)
        CROSS JOIN LATERAL (
            SELECT
                CASE WHEN m.importe IS NOT NULL THEN 1.000000 ELSE m.cantidad END
                * CASE WHEN c.resta <> m.reverso THEN -1 ELSE 1 END AS unidades,
                coalesce(m.importe, m.precio_unitario) AS precio
        ) AS n
    ) AS k
    WHERE k.dia >= date_trunc('month', k.desde AT TIME ZONE p_zona)
    GROUP BY 1, 2, 3
) AS l
FULL JOIN (
    SELECT r.*
    FROM dw.resumen_mensual AS r
    INNER JOIN etl.tramos_de_prueba(true, p_movimientos, NULL) AS t ON t.id_producto = r.id_producto
    WHERE r.mes >= date_trunc('month', t.desde AT TIME ZONE p_zona)
) AS r ON r.mes = l.mes AND r.id_sucursal = l.id_sucursal AND r.id_producto = l.id_producto
WHERE (
    l.movimientos, l.unidades_vendidas, l.venta_bruta, l.venta_neta, l.costo_ventas, l.ajuste,
    l.unidades_recibidas, l.costo_recibido, l.devoluciones, l.unidades_devueltas, l.mermas,
    l.unidades_merma
) IS DISTINCT FROM (
    r.movimientos, r.unidades_vendidas, r.venta_bruta, r.venta_neta, r.costo_ventas, r.ajuste,
    r.unidades_recibidas, r.costo_recibido, r.devoluciones, r.unidades_devueltas, r.mermas,
    r.unidades_merma
)
UNION ALL
-- Each branch of what was touched: what its months say, and the transfers.
SELECT 'dw.resumen_sucursal is not the sum of dw.resumen_mensual', s.id_producto
FROM (
    SELECT
        m.id_producto, m.id_sucursal, m.movimientos,
        m.unidades_recibidas - m.unidades_vendidas - m.unidades_merma AS variacion
    FROM dw.resumen_mensual AS m
    UNION ALL
    SELECT r.id_producto, r.id_sucursal, -r.movimientos, -r.variacion
    FROM dw.resumen_sucursal AS r
    UNION ALL
    SELECT k.id_producto, d.id_sucursal, d.movimientos, d.variacion
    FROM etl.tramos_de_prueba(true, p_movimientos, NULL) AS t
    CROSS JOIN LATERAL (
        SELECT f.id_producto, f.id_sucursal, f.id_sucursal_destino, f.cantidad
        FROM dw.kardex AS f
        WHERE f.id_producto = t.id_producto AND f.id_sucursal_destino IS NOT NULL
        OFFSET 0
    ) AS k
    CROSS JOIN LATERAL (
        VALUES (k.id_sucursal, 0, -k.cantidad), (k.id_sucursal_destino, 1, k.cantidad)
    ) AS d (id_sucursal, movimientos, variacion)
) AS s
INNER JOIN etl.tramos_de_prueba(true, p_movimientos, NULL) AS t ON t.id_producto = s.id_producto
GROUP BY s.id_producto, s.id_sucursal
HAVING sum(s.movimientos) <> 0
    -- What was sold without a stock is in the months alone: then the ledger itself is asked.
    OR sum(s.variacion) <> 0 AND (
        SELECT coalesce(sum(d.variacion), 0)
        FROM dw.kardex AS k
        CROSS JOIN LATERAL etl.por_sucursal(k.id_sucursal, k.id_sucursal_destino, k.variacion, k.cantidad) AS d
        WHERE k.id_producto = s.id_producto AND d.id_sucursal = s.id_sucursal
    ) IS DISTINCT FROM (
        SELECT r.variacion FROM dw.resumen_sucursal AS r
        WHERE r.id_producto = s.id_producto AND r.id_sucursal = s.id_sucursal
    )
UNION ALL
-- The summaries against each other: the days of a month, and the days of 90 and of 365.
SELECT
    CASE WHEN s.mes IS NULL THEN 'dw.resumen_movil is not the sum of dw.resumen_diario'
        ELSE 'dw.resumen_diario is not the sum of dw.resumen_mensual, ' || s.mes END, NULL
FROM (
    SELECT
        date_trunc('month', d.dia::timestamp)::date AS mes, d.id_sucursal, d.categoria,
        d.movimientos AS a, d.unidades_vendidas AS b, d.venta_bruta AS c, d.venta_neta AS d,
        d.costo_ventas AS e, d.ajuste AS f, d.unidades_recibidas AS g, d.costo_recibido AS h,
        d.devoluciones AS i, d.unidades_devueltas AS j, d.mermas AS k, d.unidades_merma AS l
    FROM dw.resumen_diario AS d
    UNION ALL
    SELECT
        m.mes, m.id_sucursal, p.categoria, -m.movimientos, -m.unidades_vendidas, -m.venta_bruta,
        -m.venta_neta, -m.costo_ventas, -m.ajuste, -m.unidades_recibidas, -m.costo_recibido,
        -m.devoluciones, -m.unidades_devueltas, -m.mermas, -m.unidades_merma
    FROM dw.resumen_mensual AS m
    INNER JOIN dw.producto AS p ON p.id_producto = m.id_producto
    UNION ALL
    SELECT
        -- In total, since what is closed stays in the category that it had.
        NULL, NULL, NULL, 0, d.unidades_vendidas,
        CASE WHEN d.dia > p_corte - 90 THEN d.unidades_vendidas ELSE 0 END, d.venta_neta,
        d.costo_ventas, 0, 0, 0, 0, 0, 0, 0
    FROM dw.resumen_diario AS d
    WHERE d.dia > p_corte - 365 AND d.dia <= p_corte
    UNION ALL
    SELECT
        NULL, NULL, NULL, 0, -m.unidades_365, -m.unidades_90, -m.venta_neta_365,
        -m.costo_ventas_365, 0, 0, 0, 0, 0, 0, 0
    FROM dw.resumen_movil AS m
) AS s
-- Of the months that were touched, of which the shop has few, and are open from their first day on.
WHERE s.mes IS NULL OR s.mes >= ((SELECT etl.cerrado_hasta()) AT TIME ZONE p_zona)::date AND s.mes >= (
    SELECT date_trunc('month', min(greatest(t.desde, '1900-01-01')) AT TIME ZONE p_zona)
    FROM etl.tramos_de_prueba(true, p_movimientos, NULL) AS t
)
GROUP BY s.mes, s.id_sucursal, s.categoria
HAVING (
    sum(s.a), sum(s.b), sum(s.c), sum(s.d), sum(s.e), sum(s.f), sum(s.g), sum(s.h), sum(s.i), sum(s.j),
    sum(s.k), sum(s.l)
) IS DISTINCT FROM (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
$$;
COMMENT ON FUNCTION etl.verificar_sumas_tocadas(p_zona text, p_corte date, p_movimientos bigint[]) IS 'Los meses de lo tocado contra el kardex, y los resúmenes entre sí: los días con los meses, los 90 y 365 días con los días';
CREATE FUNCTION etl.vistas_por_refrescar() RETURNS TABLE(vista oid, nombre text, concurrente boolean, razon text, turno bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
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
COMMENT ON FUNCTION etl.vistas_por_refrescar() IS 'Las de etl.v_vista en el orden de sus dependencias; las de un mismo turno no dependen entre sí';
CREATE AGGREGATE dw.valuar(text, numeric, numeric, dw.circunstancia) (
    SFUNC = dw.aplicar_movimiento,
    STYPE = dw.paso
);
COMMENT ON AGGREGATE dw.valuar(text, numeric, numeric, dw.circunstancia) IS 'Valoriza en orden los movimientos de un producto, al cargar y al comprobar; empieza con una fila de regla saldo';
CREATE TABLE dw.apertura (
    id_producto bigint NOT NULL,
    existencias numeric(38,6) NOT NULL,
    costo_promedio numeric(38,6) NOT NULL,
    fecha timestamp with time zone,
    CONSTRAINT apertura_check CHECK (((existencias >= (0)::numeric) AND (existencias < '100000000000'::numeric) AND (costo_promedio >= (0)::numeric) AND (costo_promedio < '100000000000'::numeric)))
);
COMMENT ON TABLE dw.apertura IS 'Saldo con que se empieza a valorizar un producto; lo anterior a su fecha no cuenta';
COMMENT ON COLUMN dw.apertura.fecha IS 'Nula mientras no haya primera carga: entonces es la fecha inicial';
CREATE TABLE dw.apertura_sucursal (
    id_producto bigint NOT NULL,
    id_sucursal bigint NOT NULL,
    existencias numeric(38,6) NOT NULL,
    CONSTRAINT apertura_sucursal_existencias_check CHECK ((existencias >= (0)::numeric))
);
COMMENT ON TABLE dw.apertura_sucursal IS 'Dónde estaba lo que dice dw.apertura, que es su suma; sin sucursal es la 0';
CREATE TABLE dw.documento_movimiento (
    id_movimiento bigint NOT NULL,
    id_documento bigint,
    documento text,
    clave text,
    clave_documento text
);
COMMENT ON TABLE dw.documento_movimiento IS 'De cada movimiento, el documento de la tienda del que es renglón, como se leyó la última vez: no es parte de su contenido. Sin filas, si movimientos.sql no lo da y sus ids son números';
COMMENT ON COLUMN dw.documento_movimiento.id_documento IS 'La cabecera: por ella se sabe qué renglones ya no tiene';
COMMENT ON COLUMN dw.documento_movimiento.documento IS 'Como lo llaman en la tienda, por ejemplo F001-123';
COMMENT ON COLUMN dw.documento_movimiento.clave IS 'El id que le da la tienda, si no es un número: id_movimiento son los primeros 60 bits de su md5';
CREATE TABLE dw.inventario (
    id_producto bigint NOT NULL,
    existencias numeric(38,6) NOT NULL,
    valor numeric(38,6) NOT NULL,
    costo_promedio numeric(38,6) NOT NULL,
    precio_sugerido numeric,
    version bigint NOT NULL,
    ultima_venta timestamp with time zone,
    ultimo_precio numeric(38,6),
    ultimo_neto numeric(38,6),
    valor_promedio numeric,
    primera timestamp with time zone
);
COMMENT ON TABLE dw.inventario IS 'Estado actual de cada producto: la última fila de su kardex o su apertura';
COMMENT ON COLUMN dw.inventario.ultimo_precio IS 'El de la última venta, con impuesto, como el sugerido';
COMMENT ON COLUMN dw.inventario.ultimo_neto IS 'El de la última venta, sin impuesto';
COMMENT ON COLUMN dw.inventario.valor_promedio IS 'Promedio del valor a fin de mes en los 365 días hasta el corte (lo negativo cuenta 0); nulo si aún no había ninguno';
COMMENT ON COLUMN dw.inventario.primera IS 'La fecha del primer movimiento de su kardex';
CREATE TABLE dw.producto (
    id_producto bigint NOT NULL,
    codigo text,
    nombre text,
    categoria text DEFAULT 'Sin categoría'::text NOT NULL,
    impuesto numeric DEFAULT 0 NOT NULL,
    vigente boolean DEFAULT true NOT NULL,
    tasas dw.tasa[],
    precio_con_impuesto boolean DEFAULT true NOT NULL,
    inventariable boolean DEFAULT true NOT NULL,
    activo boolean DEFAULT true NOT NULL,
    clave text,
    costo_referencia numeric,
    costo_catalogo numeric,
    proveedor text
);
COMMENT ON TABLE dw.producto IS 'Productos que el OLTP ha nombrado, y los que solo tienen apertura';
COMMENT ON COLUMN dw.producto.impuesto IS 'Tasa de sus ventas según la política, antes de las de tasas: para las líneas que no dicen la suya';
COMMENT ON COLUMN dw.producto.vigente IS 'Si productos.sql lo daba en la última ventana; si no, sus movimientos esperan en etl.rechazo, pierde su categoría y solo le queda su apertura';
COMMENT ON COLUMN dw.producto.tasas IS 'Las tasas que valen desde un día, por orden; nulo si siempre vale la misma';
COMMENT ON COLUMN dw.producto.precio_con_impuesto IS 'Si los resúmenes le quitaron el impuesto al precio de sus ventas, donde la línea no dice si lo incluye (ETL_PRICES_INCLUDE_TAX)';
COMMENT ON COLUMN dw.producto.inventariable IS 'Si tiene existencias; si no (un servicio, un envío), sus ventas son venta neta sin costo y nada mueve existencias';
COMMENT ON COLUMN dw.producto.activo IS 'Si la tienda lo tiene aún; lo que borró conserva sus existencias';
COMMENT ON COLUMN dw.producto.clave IS 'El id que le da la tienda, si no es un número: id_producto son los primeros 60 bits de su md5';
COMMENT ON COLUMN dw.producto.costo_referencia IS 'A lo que entra lo que no dice su costo mientras no hay promedio: el de existencias.sql (el mayor de sus sucursales) o, si no lo da, costo_catalogo; nulo si ninguno';
COMMENT ON COLUMN dw.producto.costo_catalogo IS 'El costo_referencia de productos.sql';
COMMENT ON COLUMN dw.producto.proveedor IS 'A quién se le pide, si productos.sql lo dice';
CREATE TABLE dw.resumen_sucursal (
    id_producto bigint NOT NULL,
    id_sucursal bigint NOT NULL,
    movimientos bigint NOT NULL,
    variacion numeric(38,6) NOT NULL
);
COMMENT ON TABLE dw.resumen_sucursal IS 'Lo que los movimientos han cambiado las existencias de cada producto en cada sucursal; un traslado cuenta en las dos';
CREATE TABLE etl.producto_cerrado (
    id_producto bigint NOT NULL,
    desde timestamp with time zone NOT NULL,
    hasta timestamp with time zone NOT NULL,
    categoria text NOT NULL,
    impuesto numeric NOT NULL,
    tasas dw.tasa[],
    precio_con_impuesto boolean NOT NULL,
    inventariable boolean NOT NULL
);
COMMENT ON TABLE etl.producto_cerrado IS 'De cada producto, la categoría y el impuesto con que está sumado lo cerrado; una fila mientras no cambian';
CREATE VIEW etl.v_apertura AS
 SELECT id_producto,
    existencias,
    costo_promedio,
    fecha
   FROM dw.apertura a
  WHERE ((NOT (EXISTS ( SELECT
           FROM etl.producto_cerrado c
          WHERE ((NOT c.inventariable) AND (c.id_producto = a.id_producto) AND (a.fecha >= c.desde) AND (a.fecha < c.hasta))))) AND (NOT (EXISTS ( SELECT
           FROM dw.producto p
          WHERE ((NOT p.inventariable) AND (p.id_producto = a.id_producto) AND (a.fecha >= ( SELECT etl.cerrado_hasta() AS cerrado_hasta)))))));
COMMENT ON VIEW etl.v_apertura IS 'Las aperturas que cuentan: no las de lo que no tiene existencias, o no las tenía cuando se cerró su período';
CREATE VIEW dw.existencias_sucursal AS
 SELECT id_producto,
    id_sucursal,
    (sum(existencias))::numeric(38,6) AS existencias
   FROM ( SELECT r.id_producto,
            r.id_sucursal,
            r.variacion AS existencias
           FROM dw.resumen_sucursal r
        UNION ALL
         SELECT a.id_producto,
            a.id_sucursal,
            a.existencias
           FROM (dw.apertura_sucursal a
             JOIN etl.v_apertura v ON ((v.id_producto = a.id_producto)))) s
  WHERE (NOT (EXISTS ( SELECT
           FROM (dw.producto p
             JOIN dw.inventario i ON ((i.id_producto = p.id_producto)))
          WHERE ((NOT p.inventariable) AND (p.id_producto = s.id_producto) AND (i.existencias = (0)::numeric)))))
  GROUP BY id_producto, id_sucursal;
COMMENT ON VIEW dw.existencias_sucursal IS 'Existencias de cada producto en cada sucursal en que se ha movido; su suma son las del producto';
CREATE TABLE dw.existencias_tienda (
    id_producto bigint NOT NULL,
    id_sucursal bigint,
    existencias numeric NOT NULL,
    costo_referencia numeric,
    clave text
);
COMMENT ON TABLE dw.existencias_tienda IS 'Las existencias según la propia tienda, en la instantánea de la última ventana; sin existencias.sql está vacía';
COMMENT ON COLUMN dw.existencias_tienda.id_sucursal IS 'Nulo si son las de todas';
COMMENT ON COLUMN dw.existencias_tienda.costo_referencia IS 'El costo que la tienda conoce, si conoce uno';
COMMENT ON COLUMN dw.existencias_tienda.clave IS 'El id que le da la tienda al producto, si no es un número';
CREATE TABLE dw.resumen_movil (
    id_producto bigint NOT NULL,
    unidades_90 numeric(38,6) NOT NULL,
    unidades_365 numeric(38,6) NOT NULL,
    venta_neta_365 numeric(38,6) NOT NULL,
    costo_ventas_365 numeric(38,6) NOT NULL
);
COMMENT ON TABLE dw.resumen_movil IS 'Ventas de cada producto en los últimos 90 y 365 días, contados desde el día del último hasta; sin ventas no hay fila';
CREATE VIEW dw.mv_abc AS
 WITH venta AS (
         SELECT v.id_producto,
            v.venta_neta_365 AS venta_neta,
            v.unidades_365 AS unidades
           FROM (dw.resumen_movil v
             JOIN dw.producto p_1 ON (((p_1.id_producto = v.id_producto) AND p_1.inventariable)))
          WHERE (v.venta_neta_365 > (0)::numeric)
        ), acumulada AS (
         SELECT v.id_producto,
            v.venta_neta,
            v.unidades,
            sum(v.venta_neta) OVER (ORDER BY v.venta_neta DESC, v.id_producto) AS acumulado,
            sum(v.venta_neta) OVER () AS total
           FROM venta v
        )
 SELECT a.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    a.unidades AS unidades_365_dias,
    a.venta_neta AS venta_neta_365_dias,
    round(((a.venta_neta * 1.00000000000000000000) / a.total), 6) AS participacion,
    round(((a.acumulado * 1.00000000000000000000) / a.total), 6) AS participacion_acumulada,
        CASE
            WHEN ((a.acumulado - a.venta_neta) < (0.80 * a.total)) THEN 'A'::text
            WHEN ((a.acumulado - a.venta_neta) < (0.95 * a.total)) THEN 'B'::text
            ELSE 'C'::text
        END AS clase
   FROM (acumulada a
     JOIN dw.producto p ON ((p.id_producto = a.id_producto)));
COMMENT ON VIEW dw.mv_abc IS 'Clase ABC por venta de 365 días, neta de devoluciones y descuentos, cortada en 80 y 95 % de lo acumulado antes del producto';
CREATE VIEW dw.v_corte AS
 SELECT hasta AS datos_al,
    zona,
    ((hasta AT TIME ZONE zona))::date AS dia
   FROM etl.control c
  WHERE (hasta IS NOT NULL);
COMMENT ON VIEW dw.v_corte IS 'Hasta cuándo llegan los datos cargados, y qué día era en la zona de la tienda';
CREATE VIEW etl.v_ajustado AS
 SELECT count(*) AS ajustes,
    count(DISTINCT a.id_producto) AS productos,
    min(a.hasta) AS desde,
    max(a.hasta) AS hasta,
    COALESCE(sum(k.valor), (0)::numeric) AS valor
   FROM (dw.ajuste_existencias a
     LEFT JOIN ( SELECT f.id_movimiento,
            sum(((t.signo)::numeric * f.costo_total)) AS valor
           FROM (dw.kardex f
             JOIN dw.tipo_movimiento t ON ((t.tipo = f.tipo)))
          WHERE (f.id_movimiento < '-1152921504606846976'::bigint)
          GROUP BY f.id_movimiento) k ON ((k.id_movimiento = a.id_movimiento)));
COMMENT ON VIEW etl.v_ajustado IS 'Cuántos ajustes se han asentado, de cuántos productos, lo que en el kardex queda de ellos, con su signo, y las ventanas que asentaron el primero y el último';
CREATE VIEW dw.mv_datos_al AS
 SELECT c.datos_al,
    c.dia,
    c.zona,
    etl.impuesto_dicho() AS impuesto_dicho,
    a.ajustes,
    a.productos AS ajustes_productos,
    a.valor AS ajustes_valor,
    a.desde AS ajustes_desde,
    a.hasta AS ajustes_hasta
   FROM (dw.v_corte c
     LEFT JOIN etl.v_ajustado a ON (true));
COMMENT ON VIEW dw.mv_datos_al IS 'Hasta cuándo llegan los datos que muestran las vistas, y en qué descansan además de los documentos de la tienda';
COMMENT ON COLUMN dw.mv_datos_al.impuesto_dicho IS 'Si se sabe qué impuesto llevan los precios; si no, la venta neta y el margen lo cuentan como 0';
COMMENT ON COLUMN dw.mv_datos_al.ajustes IS 'Cuántos ajustes de existencias se asentaron para que sean las de la tienda (ETL_STOCK_DIFFERENCES=adjust); no están en ningún OLTP';
COMMENT ON COLUMN dw.mv_datos_al.ajustes_valor IS 'Lo que valen en el kardex, con su signo: lo que sale resta';
COMMENT ON COLUMN dw.mv_datos_al.ajustes_desde IS 'El fin de la ventana que asentó el primero';
COMMENT ON COLUMN dw.mv_datos_al.ajustes_hasta IS 'El fin de la que asentó el último';
CREATE VIEW dw.mv_inventario_valorizado AS
 SELECT i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.existencias,
    i.costo_promedio,
        CASE
            WHEN (i.existencias > (0)::numeric) THEN i.valor
            ELSE (0)::numeric
        END AS valor,
        CASE
            WHEN (i.existencias < (0)::numeric) THEN i.existencias
            ELSE (0)::numeric
        END AS existencias_negativas,
        CASE
            WHEN (i.existencias < (0)::numeric) THEN i.valor
            ELSE (0)::numeric
        END AS valor_negativo,
    i.precio_sugerido,
    p.inventariable,
    p.activo
   FROM (dw.inventario i
     JOIN dw.producto p ON ((p.id_producto = i.id_producto)));
COMMENT ON VIEW dw.mv_inventario_valorizado IS 'Existencias valorizadas; lo que está por debajo de cero va en columnas propias y no resta del total';
COMMENT ON COLUMN dw.mv_inventario_valorizado.inventariable IS 'Si tiene existencias; si no, es un servicio';
COMMENT ON COLUMN dw.mv_inventario_valorizado.activo IS 'Si la tienda lo tiene aún';
CREATE TABLE dw.resumen_mensual (
    mes date NOT NULL,
    id_sucursal bigint NOT NULL,
    id_producto bigint NOT NULL,
    movimientos bigint NOT NULL,
    unidades_vendidas numeric(38,6) NOT NULL,
    venta_bruta numeric(38,6) NOT NULL,
    venta_neta numeric(38,6) NOT NULL,
    costo_ventas numeric(38,6) NOT NULL,
    ajuste numeric(38,6) NOT NULL,
    unidades_recibidas numeric(38,6) NOT NULL,
    costo_recibido numeric(38,6) NOT NULL,
    devoluciones numeric(38,6) DEFAULT 0 NOT NULL,
    unidades_devueltas numeric(38,6) DEFAULT 0 NOT NULL,
    mermas numeric(38,6) DEFAULT 0 NOT NULL,
    unidades_merma numeric(38,6) DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');
COMMENT ON TABLE dw.resumen_mensual IS 'Sumas del kardex por mes, sucursal y producto';
CREATE VIEW dw.mv_margen_producto_mes AS
 SELECT r.mes,
    r.id_producto,
    p.codigo,
    p.nombre,
    COALESCE(c.categoria, p.categoria) AS categoria,
    r.unidades,
    r.venta_bruta,
    r.venta_neta,
    r.costo,
    r.ajuste,
    ((r.venta_neta - r.costo) + r.ajuste) AS margen,
    round(((((r.venta_neta - r.costo) + r.ajuste) * 1.00000000000000000000) / NULLIF(r.venta_neta, (0)::numeric)), 6) AS margen_relativo,
    r.devoluciones,
    r.unidades_devueltas,
    r.mermas,
    r.unidades_merma,
    p.inventariable
   FROM ((( SELECT s.mes,
            ((s.mes + '1 mon'::interval))::date AS hasta,
            s.id_producto,
            sum(s.unidades_vendidas) AS unidades,
            sum(s.venta_bruta) AS venta_bruta,
            sum(s.venta_neta) AS venta_neta,
            sum(s.costo_ventas) AS costo,
            sum(s.ajuste) AS ajuste,
            sum(s.devoluciones) AS devoluciones,
            sum(s.unidades_devueltas) AS unidades_devueltas,
            sum(s.mermas) AS mermas,
            sum(s.unidades_merma) AS unidades_merma
           FROM dw.resumen_mensual s
          GROUP BY s.mes, s.id_producto) r
     JOIN dw.producto p ON ((p.id_producto = r.id_producto)))
     LEFT JOIN ( SELECT f.id_producto,
            ((f.desde AT TIME ZONE v.zona))::date AS desde,
            ((f.hasta AT TIME ZONE v.zona))::date AS hasta,
            f.categoria
           FROM (etl.producto_cerrado f
             CROSS JOIN dw.v_corte v)) c ON (((c.id_producto = r.id_producto) AND (r.hasta > c.desde) AND (r.hasta <= c.hasta))));
COMMENT ON VIEW dw.mv_margen_producto_mes IS 'Ventas, netas de devoluciones y descuentos, y margen por producto y mes; margen = venta neta - costo + ajuste; las mermas, menos lo que se halló de más, van aparte';
COMMENT ON COLUMN dw.mv_margen_producto_mes.inventariable IS 'Si tiene existencias; si no, es un servicio: su venta no tiene costo';
CREATE VIEW dw.mv_precios AS
 SELECT i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.costo_promedio,
    ((i.ultima_venta AT TIME ZONE c.zona))::date AS ultima_venta,
    i.ultimo_precio AS precio,
    i.precio_sugerido,
    (i.ultimo_precio - i.precio_sugerido) AS diferencia,
    round((((i.ultimo_precio - i.precio_sugerido) * 1.00000000000000000000) / NULLIF(i.precio_sugerido, (0)::numeric)), 6) AS diferencia_relativa,
    i.ultimo_neto AS precio_neto,
    (i.ultimo_neto < i.costo_promedio) AS bajo_costo
   FROM ((dw.v_corte c
     CROSS JOIN dw.inventario i)
     JOIN dw.producto p ON ((p.id_producto = i.id_producto)))
  WHERE (i.ultima_venta IS NOT NULL);
COMMENT ON VIEW dw.mv_precios IS 'El último precio cobrado por cada producto, con impuesto, al lado del sugerido; bajo_costo: sin impuesto no cubre el costo promedio';
CREATE TABLE dw.politica_reposicion (
    id_producto bigint,
    categoria text,
    dias numeric NOT NULL,
    CONSTRAINT politica_reposicion_de CHECK (((id_producto IS NULL) OR (categoria IS NULL))),
    CONSTRAINT politica_reposicion_dias CHECK (((dias > (0)::numeric) AND (dias <= (3650)::numeric)))
);
COMMENT ON TABLE dw.politica_reposicion IS 'Para cuántos días se pide: lo del producto, si no lo de su categoría, si no la fila sin ambos (30)';
CREATE VIEW dw.mv_reposicion AS
 SELECT i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.existencias,
    COALESCE(v.unidades_90, (0)::numeric) AS unidades_90_dias,
    round(((COALESCE(v.unidades_90, (0)::numeric) * 1.00000000000000000000) / (d.dias)::numeric), 6) AS venta_diaria,
    round((((i.existencias * (d.dias)::numeric) * 1.00000000000000000000) / NULLIF(GREATEST(v.unidades_90, (0)::numeric), (0)::numeric)), 6) AS dias_cobertura,
    (p.activo AND (i.existencias <= (0)::numeric) AND (COALESCE(v.unidades_90, (0)::numeric) > (0)::numeric)) AS agotado,
    (p.activo AND (i.existencias > (0)::numeric) AND ((i.existencias * (d.dias)::numeric) <= ((15)::numeric * COALESCE(v.unidades_90, (0)::numeric)))) AS reponer,
    d.dias AS dias_medidos,
    d.deseados AS dias_deseados,
        CASE
            WHEN p.activo THEN GREATEST(ceil(round(((((COALESCE(v.unidades_90, (0)::numeric) * d.deseados) * 1.00000000000000000000) / (d.dias)::numeric) - i.existencias), 6)), (0)::numeric)
            ELSE (0)::numeric
        END AS por_pedir,
    p.proveedor
   FROM ((((((((( SELECT h.dia,
            h.zona,
            etl.inicio_del_dia((h.dia - 89), h.zona) AS desde
           FROM dw.v_corte h
         OFFSET 0) c
     CROSS JOIN dw.inventario i)
     JOIN dw.producto p ON (((p.id_producto = i.id_producto) AND p.inventariable)))
     LEFT JOIN dw.resumen_movil v ON ((v.id_producto = i.id_producto)))
     LEFT JOIN etl.v_apertura a ON ((a.id_producto = i.id_producto)))
     LEFT JOIN dw.politica_reposicion del_producto ON ((del_producto.id_producto = i.id_producto)))
     LEFT JOIN dw.politica_reposicion de_categoria ON ((de_categoria.categoria = p.categoria)))
     LEFT JOIN dw.politica_reposicion de_todo ON (((de_todo.id_producto IS NULL) AND (de_todo.categoria IS NULL))))
     CROSS JOIN LATERAL ( SELECT LEAST(90, GREATEST(1, COALESCE((c.dia - ((
                CASE
                    WHEN ((v.unidades_90 <> (0)::numeric) AND (LEAST(i.primera, a.fecha) < c.desde) AND ((0)::numeric = COALESCE(( SELECT k.existencias
                       FROM dw.kardex k
                      WHERE ((k.id_producto = i.id_producto) AND (k.fecha < c.desde))
                      ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
                     LIMIT 1), a.existencias, (0)::numeric))) THEN ( SELECT min(k.fecha) AS min
                       FROM dw.kardex k
                      WHERE ((k.id_producto = i.id_producto) AND (k.fecha >= c.desde)))
                    ELSE LEAST(i.primera, a.fecha)
                END AT TIME ZONE c.zona))::date), 90))) AS dias,
            COALESCE(del_producto.dias, de_categoria.dias, de_todo.dias, (30)::numeric) AS deseados
         OFFSET 0) d);
COMMENT ON VIEW dw.mv_reposicion IS 'Días de cobertura al ritmo de los últimos 90 días, neto de devoluciones, o de los que van desde que entró, si no había nada al empezar esos 90; agotado: se vende y no hay; reponer: cubre 15 días o menos; ninguno de los dos en lo que la tienda borró';
COMMENT ON COLUMN dw.mv_reposicion.dias_medidos IS 'Entre cuántos días se dividen sus unidades: 90 si al empezar esos días lo había; si no, los que van desde su primer movimiento o apertura en ellos, al menos 1';
COMMENT ON COLUMN dw.mv_reposicion.dias_deseados IS 'Para cuántos días se pide, según dw.politica_reposicion';
COMMENT ON COLUMN dw.mv_reposicion.por_pedir IS 'Unidades enteras que faltan para vender esos días a este ritmo; 0 de lo que la tienda borró';
COMMENT ON COLUMN dw.mv_reposicion.proveedor IS 'A quién se le pide, si productos.sql lo dice';
CREATE VIEW dw.mv_rotacion AS
 SELECT i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    COALESCE(v.costo_ventas_365, (0)::numeric) AS costo_ventas_365_dias,
    round(COALESCE(i.valor_promedio, GREATEST(i.valor, (0)::numeric)), 6) AS valor_promedio,
    round(((COALESCE(v.costo_ventas_365, (0)::numeric) * 1.00000000000000000000) / NULLIF(COALESCE(i.valor_promedio, GREATEST(i.valor, (0)::numeric)), (0)::numeric)), 6) AS rotacion
   FROM (((dw.v_corte c
     CROSS JOIN dw.inventario i)
     JOIN dw.producto p ON (((p.id_producto = i.id_producto) AND p.inventariable)))
     LEFT JOIN dw.resumen_movil v ON ((v.id_producto = i.id_producto)));
COMMENT ON VIEW dw.mv_rotacion IS 'Costo de ventas de 365 días, neto de devoluciones, sobre el valor promedio a fin de mes (lo negativo cuenta 0)';
COMMENT ON COLUMN dw.mv_rotacion.valor_promedio IS 'El de los fines de mes de esos 365 días; si aún no hubo ninguno, el de ahora';
CREATE TABLE dw.resumen_diario (
    dia date NOT NULL,
    id_sucursal bigint NOT NULL,
    categoria text NOT NULL,
    movimientos bigint NOT NULL,
    unidades_vendidas numeric(38,6) NOT NULL,
    venta_bruta numeric(38,6) NOT NULL,
    venta_neta numeric(38,6) NOT NULL,
    costo_ventas numeric(38,6) NOT NULL,
    ajuste numeric(38,6) NOT NULL,
    unidades_recibidas numeric(38,6) NOT NULL,
    costo_recibido numeric(38,6) NOT NULL,
    devoluciones numeric(38,6) DEFAULT 0 NOT NULL,
    unidades_devueltas numeric(38,6) DEFAULT 0 NOT NULL,
    mermas numeric(38,6) DEFAULT 0 NOT NULL,
    unidades_merma numeric(38,6) DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');
COMMENT ON TABLE dw.resumen_diario IS 'Sumas del kardex por día, sucursal y categoría: ventas netas de devoluciones y descuentos, compras de lo devuelto al proveedor';
COMMENT ON COLUMN dw.resumen_diario.devoluciones IS 'Lo que devoluciones y descuentos restaron de la venta neta';
COMMENT ON COLUMN dw.resumen_diario.mermas IS 'Costo de lo que se perdió o faltó, menos lo que se halló de más';
CREATE VIEW dw.mv_valor_diario AS
 WITH flujo AS (
         SELECT r.dia,
            0 AS apertura,
            r.costo_recibido AS entradas,
            r.costo_ventas AS salidas,
            r.ajuste,
            r.mermas
           FROM dw.resumen_diario r
        UNION ALL
         SELECT ((a.fecha AT TIME ZONE c.zona))::date AS timezone,
            round((a.existencias * a.costo_promedio), 6) AS round,
            0,
            0,
            0,
            0
           FROM (etl.v_apertura a
             CROSS JOIN dw.v_corte c)
          WHERE (a.fecha IS NOT NULL)
        UNION ALL
         SELECT ((k.fecha AT TIME ZONE c.zona))::date AS timezone,
            ((t.signo)::numeric * k.costo_total),
            0,
            0,
            0,
            0
           FROM ((dw.kardex k
             JOIN dw.tipo_movimiento t ON ((t.tipo = k.tipo)))
             CROSS JOIN dw.v_corte c)
          WHERE (k.id_movimiento < '-2305843009213693952'::bigint)
        ), dia AS (
         SELECT f.dia,
            sum(f.apertura) AS apertura,
            sum(f.entradas) AS entradas,
            sum(f.salidas) AS salidas,
            sum(f.ajuste) AS ajuste,
            sum(f.mermas) AS mermas
           FROM flujo f
          GROUP BY f.dia
        )
 SELECT dia,
    apertura,
    entradas,
    salidas,
    ajuste,
    sum(((((apertura + entradas) - salidas) + ajuste) - mermas)) OVER (ORDER BY dia) AS valor,
    mermas,
    (dia - min(dia) OVER ()) AS dias_desde_el_primero
   FROM dia d;
COMMENT ON VIEW dw.mv_valor_diario IS 'Valor del inventario al final de cada día con movimiento, con lo que está por debajo de cero restado: el de la víspera + apertura + entradas - salidas - mermas + ajuste; entradas son las compras, salidas el costo de ventas, ambas netas de lo devuelto';
COMMENT ON COLUMN dw.mv_valor_diario.dias_desde_el_primero IS '0 el primer día, que trae el inventario inicial';
CREATE TABLE dw.sucursal (
    id_sucursal bigint NOT NULL,
    nombre text NOT NULL,
    clave text
);
COMMENT ON TABLE dw.sucursal IS 'Sucursales; la 0 es la de los documentos sin sucursal, con el nombre de la 0 del OLTP si la hay';
COMMENT ON COLUMN dw.sucursal.clave IS 'El id que le da la tienda, si no es un número: id_sucursal son los primeros 60 bits de su md5';
CREATE VIEW dw.mv_ventas_diarias AS
 SELECT r.dia,
    r.id_sucursal,
    COALESCE(s.nombre, ('Sucursal '::text || r.id_sucursal)) AS sucursal,
    r.categoria,
    r.unidades_vendidas AS unidades,
    r.venta_bruta,
    r.venta_neta,
    r.costo_ventas AS costo,
    r.ajuste,
    ((r.venta_neta - r.costo_ventas) + r.ajuste) AS margen,
    round(((((r.venta_neta - r.costo_ventas) + r.ajuste) * 1.00000000000000000000) / NULLIF(r.venta_neta, (0)::numeric)), 6) AS margen_relativo,
    r.unidades_recibidas,
    r.costo_recibido,
    r.devoluciones,
    r.unidades_devueltas,
    r.mermas,
    r.unidades_merma
   FROM (dw.resumen_diario r
     LEFT JOIN dw.sucursal s ON ((s.id_sucursal = r.id_sucursal)));
COMMENT ON VIEW dw.mv_ventas_diarias IS 'Ventas, netas de devoluciones y descuentos, y margen por día, sucursal y categoría; margen = venta neta - costo + ajuste; las mermas, menos lo que se halló de más, van aparte';
CREATE TABLE dw.politica_precio (
    id_producto bigint,
    categoria text,
    margen numeric,
    impuesto numeric,
    redondeo numeric,
    desde date,
    CONSTRAINT politica_precio_check CHECK (((id_producto IS NULL) OR (categoria IS NULL))),
    CONSTRAINT politica_precio_general CHECK (((id_producto IS NOT NULL) OR (categoria IS NOT NULL) OR (desde IS NOT NULL) OR ((margen IS NOT NULL) AND (redondeo IS NOT NULL)))),
    CONSTRAINT politica_precio_margen_check CHECK (((margen >= (0)::numeric) AND (margen < (1)::numeric))),
    CONSTRAINT politica_precio_redondeo_check CHECK ((redondeo > (0)::numeric)),
    CONSTRAINT politica_precio_tasa CHECK (((impuesto >= (0)::numeric) AND (impuesto < (1)::numeric)))
);
COMMENT ON TABLE dw.politica_precio IS 'Margen, impuesto y paso de redondeo: del producto, si no de su categoría, si no la fila sin ambos';
COMMENT ON COLUMN dw.politica_precio.impuesto IS 'Una fracción: 0.18 es 18 %; 0, si la tienda no cobra impuesto. Mientras ninguna fila lo dice, nadie dijo qué tasa vale: se cuenta 0, y se avisa';
COMMENT ON COLUMN dw.politica_precio.desde IS 'Desde qué día vale lo que dice la fila, hasta la siguiente; nulo: antes de todas. La venta neta lleva la tasa del día de la venta, el precio sugerido la de hoy';
CREATE TABLE dw.reapertura (
    reabierto timestamp with time zone DEFAULT now() NOT NULL,
    motivo text NOT NULL,
    hasta timestamp with time zone CONSTRAINT cierre_hasta_not_null NOT NULL,
    dia date CONSTRAINT cierre_dia_not_null NOT NULL,
    cerrado timestamp with time zone CONSTRAINT cierre_cerrado_not_null NOT NULL,
    movimientos bigint,
    existencias numeric,
    valor numeric,
    huella text
);
COMMENT ON TABLE dw.reapertura IS 'Los cierres que se deshicieron, y por qué';
CREATE VIEW dw.v_antiguedad AS
 SELECT i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.existencias,
    i.valor,
    ((i.ultima_venta AT TIME ZONE c.zona))::date AS ultima_venta,
    d.dias AS dias_sin_venta,
        CASE
            WHEN (d.dias >= 365) THEN '4: 365 o más'::text
            WHEN (d.dias >= 180) THEN '3: 180 a 364'::text
            WHEN (d.dias >= 90) THEN '2: 90 a 179'::text
            ELSE '1: menos de 90'::text
        END AS tramo,
    (e.id_producto IS NOT NULL) AS recibido_hace_poco
   FROM (((((dw.v_corte c
     CROSS JOIN dw.inventario i)
     JOIN dw.producto p ON (((p.id_producto = i.id_producto) AND p.inventariable)))
     LEFT JOIN etl.v_apertura a ON ((a.id_producto = i.id_producto)))
     CROSS JOIN LATERAL ( SELECT GREATEST(0, (c.dia - ((COALESCE(i.ultima_venta, LEAST(i.primera, a.fecha)) AT TIME ZONE c.zona))::date)) AS dias) d)
     LEFT JOIN ( SELECT DISTINCT m.id_producto
           FROM dw.resumen_mensual m
          WHERE ((m.mes >= ( SELECT (date_trunc('month'::text, ((h.dia - 30))::timestamp without time zone))::date AS date_trunc
                   FROM dw.v_corte h)) AND (m.unidades_recibidas > (0)::numeric))) e ON ((e.id_producto = i.id_producto)))
  WHERE (i.existencias > (0)::numeric);
COMMENT ON VIEW dw.v_antiguedad IS 'Lo que hay, por los días que van desde su última venta o, de lo que nunca se vendió, desde que entró, y el dinero que guarda';
COMMENT ON COLUMN dw.v_antiguedad.recibido_hace_poco IS 'Si entró en este mes, o en el del día 30 antes: no es lo que casi no se mueve';
CREATE VIEW dw.v_conteos AS
 SELECT k.fecha,
    k.id_movimiento,
    k.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    k.id_sucursal,
        CASE
            WHEN k.de_todo THEN 'Todas'::text
            ELSE COALESCE(s.nombre, ('Sucursal '::text || k.id_sucursal))
        END AS sucursal,
    k.cantidad AS contado,
    (k.cantidad - k.variacion) AS esperado,
    k.variacion AS diferencia,
    k.costo_total AS valor,
    k.ajuste,
    COALESCE(k.de_todo, false) AS de_todo,
    p.inventariable,
    COALESCE(d.documento, d.clave) AS documento
   FROM ((((dw.kardex k
     JOIN dw.tipo_movimiento t ON (((t.tipo = k.tipo) AND (t.regla = 'contar'::text))))
     JOIN dw.producto p ON ((p.id_producto = k.id_producto)))
     LEFT JOIN dw.sucursal s ON ((s.id_sucursal = k.id_sucursal)))
     LEFT JOIN dw.documento_movimiento d ON ((d.id_movimiento = k.id_movimiento)))
  WHERE ((k.orden = 3) AND (NOT k.reverso) AND (NOT (EXISTS ( SELECT
           FROM dw.kardex x
          WHERE (x.reverso AND (x.id_movimiento = k.id_movimiento) AND (x.capa = (k.capa + 1)))))));
COMMENT ON VIEW dw.v_conteos IS 'Los conteos: lo contado, lo que debía haber y la diferencia, en unidades y en dinero; negativo es lo que falta';
COMMENT ON COLUMN dw.v_conteos.de_todo IS 'Si lo es de todas las sucursales';
COMMENT ON COLUMN dw.v_conteos.inventariable IS 'Si el producto tiene existencias; si no, contarlo no cambia nada';
CREATE VIEW etl.v_clase AS
 SELECT t.tipo,
    c.con_costo,
    c.inicial,
    t.signo,
    t.resta,
    (NOT (d.clase IS DISTINCT FROM 'ventas'::text)) AS ventas,
    (NOT (d.clase IS DISTINCT FROM 'compras'::text)) AS compras,
    (NOT (d.clase IS DISTINCT FROM 'merma'::text)) AS merma
   FROM ((dw.tipo_movimiento t
     CROSS JOIN ( VALUES (true,false), (false,false), (false,true)) c(con_costo, inicial))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN c.inicial THEN NULL::text
                    WHEN c.con_costo THEN COALESCE(t.clase_con_costo, t.clase)
                    ELSE t.clase
                END AS clase) d)
 OFFSET 0;
COMMENT ON VIEW etl.v_clase IS 'En qué clase se informa cada tipo, con costo propio y sin él; en ninguna, si es el saldo con que un producto empieza';
CREATE VIEW dw.v_correcciones AS
 SELECT e.asentado,
    e.id_movimiento,
        CASE
            WHEN (e.capa_antes IS NULL) THEN 'llegó tarde'::text
            WHEN (e.capa_ahora IS NULL) THEN 'retirado'::text
            ELSE 'corregido'::text
        END AS que,
        CASE
            WHEN ((e.capa_antes IS NOT NULL) AND (e.capa_ahora IS NOT NULL)) THEN concat_ws(', '::text,
            CASE
                WHEN (n.fecha_documento <> a.fecha_documento) THEN 'fecha'::text
                ELSE NULL::text
            END,
            CASE
                WHEN (n.tipo <> a.tipo) THEN 'tipo'::text
                ELSE NULL::text
            END,
            CASE
                WHEN (n.id_producto <> a.id_producto) THEN 'producto'::text
                ELSE NULL::text
            END,
            CASE
                WHEN (((n.id_sucursal IS DISTINCT FROM a.id_sucursal) OR (n.id_sucursal_destino IS DISTINCT FROM a.id_sucursal_destino)) OR (n.de_todo IS DISTINCT FROM a.de_todo)) THEN 'sucursal'::text
                ELSE NULL::text
            END,
            CASE
                WHEN (n.cantidad <> a.cantidad) THEN 'cantidad'::text
                ELSE NULL::text
            END,
            CASE
                WHEN (((n.importe IS DISTINCT FROM a.importe) OR (n.precio_unitario IS DISTINCT FROM a.precio_unitario)) OR (n.costo_documento IS DISTINCT FROM a.costo_documento)) THEN 'importe'::text
                ELSE NULL::text
            END,
            CASE
                WHEN ((n.impuesto IS DISTINCT FROM a.impuesto) OR (n.precio_con_impuesto IS DISTINCT FROM a.precio_con_impuesto)) THEN 'impuesto'::text
                ELSE NULL::text
            END,
            CASE
                WHEN (n.id_origen IS DISTINCT FROM a.id_origen) THEN 'origen'::text
                ELSE NULL::text
            END)
            ELSE NULL::text
        END AS cambio,
    e.id_producto,
    p.codigo,
    p.nombre,
    a.tipo AS tipo_antes,
    n.tipo AS tipo_ahora,
    a.fecha_documento AS fecha_antes,
    n.fecha_documento AS fecha_ahora,
    a.id_producto AS id_producto_antes,
    n.id_producto AS id_producto_ahora,
    a.cantidad AS cantidad_antes,
    n.cantidad AS cantidad_ahora,
    a.monto AS importe_antes,
    n.monto AS importe_ahora,
    e.existencias AS efecto_existencias,
    e.valor AS efecto_valor,
    e.venta_neta AS efecto_venta_neta,
    e.costo AS efecto_costo,
    ((e.venta_neta - e.costo) + e.ajuste) AS efecto_margen,
    COALESCE(d.documento, d.clave) AS documento
   FROM ((((( SELECT k.id_movimiento,
            k.capa_antes,
            k.capa_ahora,
            k.asentado,
            k.id_producto,
            sum(k.variacion) AS existencias,
            sum((((t.signo)::numeric * k.costo_total) + k.ajuste)) AS valor,
            sum(k.ajuste) AS ajuste,
            COALESCE(sum((((- t.signo))::numeric * k.costo_total)) FILTER (WHERE t.ventas), (0)::numeric) AS costo,
            COALESCE(sum(((
                CASE
                    WHEN (t.resta <> k.reverso) THEN '-1'::integer
                    ELSE 1
                END)::numeric * dw.venta_neta(
                CASE
                    WHEN (k.importe IS NULL) THEN k.cantidad
                    ELSE 1.000000
                END, COALESCE(k.importe, k.precio_unitario), etl.tasa_en_su_fecha(k.id_producto, COALESCE(r.fecha, k.asentado), k.fecha_documento, k.impuesto, k.precio_con_impuesto)))) FILTER (WHERE t.ventas), (0)::numeric) AS venta_neta
           FROM ((( SELECT f.id_producto,
                    f.fecha,
                    f.id_movimiento,
                    f.id_sucursal,
                    f.version,
                    f.orden,
                    f.provisional,
                    f.tipo,
                    f.cantidad,
                    f.precio_unitario,
                    f.costo_unitario,
                    f.costo_total,
                    f.ajuste,
                    f.existencias,
                    f.valor,
                    f.costo_promedio,
                    f.salto_costo,
                    f.variacion,
                    f.importe,
                    f.id_origen,
                    f.id_sucursal_destino,
                    f.de_todo,
                    f.fecha_documento,
                    f.capa,
                    f.reverso,
                    f.impuesto,
                    f.precio_con_impuesto,
                    f.correccion,
                    f.fecha AS asentado,
                    (min(f.capa) FILTER (WHERE f.reverso) OVER w - 1) AS capa_antes,
                    max(f.capa) FILTER (WHERE (NOT f.reverso)) OVER w AS capa_ahora
                   FROM ( SELECT g.id_producto,
                            g.fecha,
                            g.id_movimiento,
                            g.id_sucursal,
                            g.version,
                            g.orden,
                            g.provisional,
                            g.tipo,
                            g.cantidad,
                            g.precio_unitario,
                            g.costo_unitario,
                            g.costo_total,
                            g.ajuste,
                            g.existencias,
                            g.valor,
                            g.costo_promedio,
                            g.salto_costo,
                            g.variacion,
                            g.importe,
                            g.id_origen,
                            g.id_sucursal_destino,
                            g.de_todo,
                            g.fecha_documento,
                            g.capa,
                            g.reverso,
                            g.impuesto,
                            g.precio_con_impuesto,
                                CASE
                                    WHEN ((NOT g.reverso) AND lag(g.reverso) OVER v AND ((lag(g.fecha) OVER v = g.fecha) OR (g.fecha_documento = g.fecha))) THEN (g.capa - 1)
                                    ELSE (g.capa)::integer
                                END AS correccion
                           FROM ( SELECT h.id_producto,
                                    h.fecha,
                                    h.id_movimiento,
                                    h.id_sucursal,
                                    h.version,
                                    h.orden,
                                    h.provisional,
                                    h.tipo,
                                    h.cantidad,
                                    h.precio_unitario,
                                    h.costo_unitario,
                                    h.costo_total,
                                    h.ajuste,
                                    h.existencias,
                                    h.valor,
                                    h.costo_promedio,
                                    h.salto_costo,
                                    h.variacion,
                                    h.importe,
                                    h.id_origen,
                                    h.id_sucursal_destino,
                                    h.de_todo,
                                    h.fecha_documento,
                                    h.capa,
                                    h.reverso,
                                    h.impuesto,
                                    h.precio_con_impuesto
                                   FROM dw.kardex h
                                  WHERE ((h.capa > 0) OR (h.fecha_documento < h.fecha))
                                 OFFSET 0) g
                          WINDOW v AS (PARTITION BY g.id_movimiento ORDER BY g.capa)) f
                  WINDOW w AS (PARTITION BY f.id_movimiento, f.correccion)) k
             JOIN etl.v_clase t ON (((t.tipo = k.tipo) AND (t.con_costo = (k.costo_unitario IS NOT NULL)) AND (t.inicial = (k.id_movimiento < '-2305843009213693952'::bigint)))))
             LEFT JOIN LATERAL ( SELECT o.fecha
                   FROM dw.kardex o
                  WHERE (k.reverso AND (o.id_movimiento = k.id_movimiento) AND (o.capa = (k.capa - 1)))
                 OFFSET 0) r ON (true))
          GROUP BY k.id_movimiento, k.capa_antes, k.capa_ahora, k.asentado, k.id_producto) e
     JOIN dw.producto p ON ((p.id_producto = e.id_producto)))
     LEFT JOIN LATERAL ( SELECT k.id_producto,
            k.fecha,
            k.id_movimiento,
            k.id_sucursal,
            k.version,
            k.orden,
            k.provisional,
            k.tipo,
            k.cantidad,
            k.precio_unitario,
            k.costo_unitario,
            k.costo_total,
            k.ajuste,
            k.existencias,
            k.valor,
            k.costo_promedio,
            k.salto_costo,
            k.variacion,
            k.importe,
            k.id_origen,
            k.id_sucursal_destino,
            k.de_todo,
            k.fecha_documento,
            k.capa,
            k.reverso,
            k.impuesto,
            k.precio_con_impuesto,
                CASE
                    WHEN (k.tipo <> 'VENTA'::text) THEN k.costo_unitario
                    ELSE NULL::numeric
                END AS costo_documento,
            COALESCE(k.importe, round((k.cantidad * COALESCE(k.precio_unitario, k.costo_unitario)), 6)) AS monto
           FROM dw.kardex k
          WHERE ((k.id_movimiento = e.id_movimiento) AND (k.capa = e.capa_antes))
         OFFSET 0) a ON (true))
     LEFT JOIN LATERAL ( SELECT k.id_producto,
            k.fecha,
            k.id_movimiento,
            k.id_sucursal,
            k.version,
            k.orden,
            k.provisional,
            k.tipo,
            k.cantidad,
            k.precio_unitario,
            k.costo_unitario,
            k.costo_total,
            k.ajuste,
            k.existencias,
            k.valor,
            k.costo_promedio,
            k.salto_costo,
            k.variacion,
            k.importe,
            k.id_origen,
            k.id_sucursal_destino,
            k.de_todo,
            k.fecha_documento,
            k.capa,
            k.reverso,
            k.impuesto,
            k.precio_con_impuesto,
                CASE
                    WHEN (k.tipo <> 'VENTA'::text) THEN k.costo_unitario
                    ELSE NULL::numeric
                END AS costo_documento,
            COALESCE(k.importe, round((k.cantidad * COALESCE(k.precio_unitario, k.costo_unitario)), 6)) AS monto
           FROM dw.kardex k
          WHERE ((k.id_movimiento = e.id_movimiento) AND (k.capa = e.capa_ahora))
         OFFSET 0) n ON (true))
     LEFT JOIN dw.documento_movimiento d ON ((d.id_movimiento = e.id_movimiento)));
COMMENT ON VIEW dw.v_correcciones IS 'Lo que llegó, se corrigió o se retiró con su período cerrado: qué era, qué es, y qué cambia donde está asentado; si cambió de producto o pasó a lo abierto, una línea por cada producto y cada fecha de asiento';
COMMENT ON COLUMN dw.v_correcciones.asentado IS 'Dónde: el fin del último cierre o, de lo que pasó a lo abierto, su fecha';
COMMENT ON COLUMN dw.v_correcciones.que IS 'llegó tarde, corregido o retirado (anulado, borrado, fuera de alcance o rechazado)';
COMMENT ON COLUMN dw.v_correcciones.cambio IS 'De lo corregido, qué ya no es lo mismo';
COMMENT ON COLUMN dw.v_correcciones.id_producto IS 'De cuyo kardex es la línea, como codigo, nombre y los efectos';
COMMENT ON COLUMN dw.v_correcciones.efecto_existencias IS 'Cuánto cambian por los asientos de la línea, como valor, venta neta, costo y margen';
COMMENT ON COLUMN dw.v_correcciones.efecto_margen IS 'Venta neta - costo + ajuste';
CREATE TABLE etl.corrida (
    desde timestamp with time zone NOT NULL,
    hasta timestamp with time zone NOT NULL,
    numero bigint NOT NULL,
    version uuid NOT NULL,
    id_corrida text,
    leida timestamp with time zone NOT NULL,
    cargada timestamp with time zone DEFAULT now() NOT NULL,
    horizonte xid8,
    lsn pg_lsn,
    identidad jsonb,
    imagen_completa boolean NOT NULL,
    motivo_completa text,
    sha256 text,
    filas_leidas bigint NOT NULL,
    nuevas bigint NOT NULL,
    cambiadas bigint NOT NULL,
    retiradas bigint NOT NULL,
    iguales bigint NOT NULL,
    fuera_de_alcance bigint NOT NULL,
    rechazadas bigint NOT NULL,
    ventas bigint NOT NULL,
    entradas bigint NOT NULL,
    productos_tocados bigint NOT NULL,
    revaluadas bigint NOT NULL,
    segundos_extraccion numeric(12,3),
    segundos_carga numeric(12,3),
    segundos_vistas numeric(12,3),
    borradas bigint DEFAULT 0 NOT NULL,
    reescritas bigint DEFAULT 0 NOT NULL
);
COMMENT ON TABLE etl.corrida IS 'Una fila por ventana cargada, escrita en la misma transacción que sus datos';
COMMENT ON COLUMN etl.corrida.nuevas IS 'Movimientos que el kardex no tenía';
COMMENT ON COLUMN etl.corrida.cambiadas IS 'Movimientos cuyo contenido cambió en el OLTP';
COMMENT ON COLUMN etl.corrida.retiradas IS 'Movimientos que dejaron el alcance (anulados, borrados, con otra fecha o tipo)';
COMMENT ON COLUMN etl.corrida.iguales IS 'Leídos de nuevo sin cambio: los que están cerca del horizonte';
COMMENT ON COLUMN etl.corrida.ventas IS 'De las nuevas y cambiadas, cuántas son VENTA';
COMMENT ON COLUMN etl.corrida.entradas IS 'De las nuevas y cambiadas, cuántas son ENTRADA_MERCANCIA';
COMMENT ON COLUMN etl.corrida.revaluadas IS 'Movimientos anteriores cuyo valor cambió al repetir su producto';
COMMENT ON COLUMN etl.corrida.borradas IS 'De las retiradas, las que el OLTP ya no tiene; juntas se cuentan contra ETL_MAX_REMOVED_SHARE';
COMMENT ON COLUMN etl.corrida.reescritas IS 'De las borradas, aquellas en cuyo lugar su documento trae otras: con las demás no se cuentan, una corrida tras otra';
CREATE VIEW dw.v_corridas AS
 SELECT desde,
    hasta,
    numero,
    version,
    id_corrida,
    leida,
    cargada,
    horizonte,
    lsn,
    identidad,
    imagen_completa,
    motivo_completa,
    sha256,
    filas_leidas,
    nuevas,
    cambiadas,
    retiradas,
    iguales,
    fuera_de_alcance,
    rechazadas,
    ventas,
    entradas,
    productos_tocados,
    revaluadas,
    segundos_extraccion,
    segundos_carga,
    segundos_vistas,
    borradas,
    reescritas
   FROM etl.corrida;
COMMENT ON VIEW dw.v_corridas IS 'Las corridas del ETL, para el tablero de salud';
CREATE VIEW dw.v_costo_dudoso AS
 SELECT v.dia,
    v.id_sucursal,
    COALESCE(s.nombre, ('Sucursal '::text || v.id_sucursal)) AS sucursal,
    v.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    v.motivo,
    v.unidades,
    v.venta_bruta,
    t.venta_bruta AS venta_total
   FROM (((( SELECT ((k.fecha AT TIME ZONE h.zona))::date AS dia,
            k.id_sucursal,
            r.id_producto,
            k.motivo,
            sum(k.cantidad) AS unidades,
            sum(k.importe) AS venta_bruta
           FROM (((( SELECT h_1.dia,
                    h_1.zona,
                    etl.inicio_del_dia((h_1.dia - 90), h_1.zona) AS desde,
                    etl.inicio_del_dia((h_1.dia + 1), h_1.zona) AS hasta
                   FROM dw.v_corte h_1
                 OFFSET 0) h
             CROSS JOIN LATERAL ( SELECT DISTINCT m.id_producto
                   FROM dw.resumen_mensual m
                  WHERE (m.mes >= (date_trunc('month'::text, ((h.dia - 90))::timestamp without time zone))::date)) r)
             JOIN dw.inventario i ON ((i.id_producto = r.id_producto)))
             CROSS JOIN LATERAL ( SELECT f.fecha,
                    f.id_sucursal,
                    f.cantidad,
                    round(
                        CASE
                            WHEN (f.importe IS NULL) THEN (f.cantidad * f.precio_unitario)
                            ELSE f.importe
                        END, 6) AS importe,
                        CASE
                            WHEN (f.provisional AND (i.existencias < (0)::numeric) AND (f.existencias < (0)::numeric)) THEN 'sin recibir'::text
                            WHEN ((f.costo_total = (0)::numeric) AND (f.existencias >= (0)::numeric)) THEN 'sin costo'::text
                            ELSE NULL::text
                        END AS motivo
                   FROM dw.kardex f
                  WHERE ((f.id_producto = r.id_producto) AND (f.fecha >= h.desde) AND (f.fecha < h.hasta) AND (f.tipo = 'VENTA'::text) AND (NOT f.reverso))
                 OFFSET 0) k)
          WHERE (k.motivo IS NOT NULL)
          GROUP BY (((k.fecha AT TIME ZONE h.zona))::date), k.id_sucursal, r.id_producto, k.motivo) v
     JOIN dw.producto p ON (((p.id_producto = v.id_producto) AND p.inventariable)))
     LEFT JOIN dw.sucursal s ON ((s.id_sucursal = v.id_sucursal)))
     CROSS JOIN ( SELECT sum(r.venta_bruta) AS venta_bruta
           FROM (dw.resumen_diario r
             CROSS JOIN dw.v_corte c)
          WHERE ((r.dia >= (c.dia - 90)) AND (r.dia <= c.dia))) t);
COMMENT ON VIEW dw.v_costo_dudoso IS 'Las ventas de los últimos 91 días cuyo margen aún no es firme: sin recibir, las de un producto que está bajo cero, hechas bajo cero; sin costo, las que salieron a costo 0';
COMMENT ON COLUMN dw.v_costo_dudoso.venta_bruta IS 'Lo cobrado, como el precio lo dice';
COMMENT ON COLUMN dw.v_costo_dudoso.venta_total IS 'Todo lo cobrado en esos 91 días, en cada fila: de qué son parte las demás';
CREATE TABLE etl.diferencia_existencias (
    id_producto bigint NOT NULL,
    id_sucursal bigint,
    nuestras numeric NOT NULL,
    tienda numeric,
    desde timestamp with time zone NOT NULL,
    atrasada numeric DEFAULT 0 NOT NULL,
    atrasada_desde timestamp with time zone,
    atrasada_menor numeric
);
COMMENT ON TABLE etl.diferencia_existencias IS 'Dónde nuestras existencias no son las de la tienda, al terminar la última ventana, y desde cuál';
COMMENT ON COLUMN etl.diferencia_existencias.atrasada IS 'De los productos con ajustes: lo que nos cambió algo que la tienda ya sabía (un rechazo que entró, un borrado que se quitó, historia anterior); y, en atrasada_desde, la primera fecha de ello';
COMMENT ON COLUMN etl.diferencia_existencias.atrasada_menor IS 'De lo que lo movió, lo menor; 0 si la tienda lo sabía sin duda. Una diferencia más cerca de nada que de ello no se le debe';
CREATE VIEW dw.v_diferencias_existencias AS
 SELECT d.id_producto,
        CASE
            WHEN (p.id_producto IS NULL) THEN ( SELECT min(t.clave) AS min
               FROM dw.existencias_tienda t
              WHERE (t.id_producto = d.id_producto))
            ELSE p.codigo
        END AS codigo,
    p.nombre,
    d.id_sucursal,
    d.nuestras,
    d.tienda,
    (COALESCE(d.tienda, (0)::numeric) - d.nuestras) AS diferencia,
    round(((COALESCE(d.tienda, (0)::numeric) - d.nuestras) * COALESCE(i.costo_promedio, (0)::numeric)), 6) AS valor,
    d.desde,
    s.nombre AS sucursal
   FROM (((etl.diferencia_existencias d
     LEFT JOIN dw.producto p ON ((p.id_producto = d.id_producto)))
     LEFT JOIN dw.inventario i ON ((i.id_producto = d.id_producto)))
     LEFT JOIN dw.sucursal s ON ((s.id_sucursal = d.id_sucursal)));
COMMENT ON VIEW dw.v_diferencias_existencias IS 'Los productos cuyas existencias no son las que la tienda dice tener: tienda menos nuestras, y lo que vale a nuestro costo';
COMMENT ON COLUMN dw.v_diferencias_existencias.id_sucursal IS 'Nulo si la tienda las da por producto';
COMMENT ON COLUMN dw.v_diferencias_existencias.tienda IS 'Nulo si la tienda no da ninguna de ese producto';
COMMENT ON COLUMN dw.v_diferencias_existencias.desde IS 'El fin de la ventana en que apareció';
CREATE TABLE etl.fuera_de_alcance (
    id_movimiento bigint NOT NULL,
    fuera text NOT NULL,
    tipo text,
    id_producto bigint,
    fecha timestamp with time zone,
    desde timestamp with time zone NOT NULL,
    hasta timestamp with time zone NOT NULL
);
COMMENT ON TABLE etl.fuera_de_alcance IS 'Movimientos que nadie quiso dejar fuera: de un tipo que no se conoce, o con una fecha anterior al alcance y escritos después de empezar; a lo más mil por tipo';
COMMENT ON COLUMN etl.fuera_de_alcance.fuera IS 'tipo o fecha, como en etl.descarte';
COMMENT ON COLUMN etl.fuera_de_alcance.desde IS 'Ventana que lo vio por primera vez';
CREATE TABLE etl.fuera_sin_lista (
    fuera text NOT NULL,
    tipo text,
    movimientos bigint NOT NULL
);
COMMENT ON TABLE etl.fuera_sin_lista IS 'Cuántos más hay de cada tipo que los de etl.fuera_de_alcance; los que se corrigen salen de la cuenta con la siguiente lectura completa';
CREATE VIEW dw.v_fuera_de_alcance AS
 SELECT
        CASE fuera
            WHEN 'tipo'::text THEN 'tipo desconocido'::text
            ELSE 'fecha anterior'::text
        END AS motivo,
    tipo,
    (sum(movimientos))::bigint AS movimientos,
    max(hasta) AS ultima_hasta
   FROM ( SELECT f.fuera,
            f.tipo,
            (1)::bigint AS movimientos,
            f.hasta
           FROM ((etl.fuera_de_alcance f
             CROSS JOIN etl.control c)
             LEFT JOIN dw.apertura a ON ((a.id_producto = f.id_producto)))
          WHERE ((f.fuera = 'tipo'::text) OR (f.fecha < c.desde_inicial) OR (f.fecha < a.fecha))
        UNION ALL
         SELECT s.fuera,
            s.tipo,
            s.movimientos,
            NULL::timestamp with time zone
           FROM etl.fuera_sin_lista s) u
  GROUP BY fuera, tipo;
COMMENT ON VIEW dw.v_fuera_de_alcance IS 'Lo que está fuera de alcance sin que nadie lo quisiera, por tipo: de un tipo que no se conoce, o con una fecha anterior a la inicial o a la apertura';
CREATE VIEW dw.v_kardex AS
 SELECT k.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    k.fecha,
    k.id_movimiento,
    k.tipo,
    k.id_sucursal,
    COALESCE(s.nombre, ('Sucursal '::text || k.id_sucursal)) AS sucursal,
    k.cantidad,
    k.precio_unitario,
    k.costo_unitario,
    k.costo_total,
    k.ajuste,
    k.existencias,
    k.valor,
    k.costo_promedio,
    k.provisional,
    NULLIF(k.salto_costo, (0)::numeric) AS salto_costo,
    k.orden,
    k.version,
    k.variacion,
    k.importe,
    k.id_origen,
    k.id_sucursal_destino,
        CASE
            WHEN (k.id_sucursal_destino IS NOT NULL) THEN COALESCE(d.nombre, ('Sucursal '::text || k.id_sucursal_destino))
            ELSE NULL::text
        END AS sucursal_destino,
    t.nombre AS nombre_tipo,
    k.fecha_documento,
    k.capa,
    k.reverso,
    k.impuesto,
    k.precio_con_impuesto,
    p.inventariable,
    o.id_documento,
    COALESCE(o.documento, o.clave) AS documento
   FROM (((((dw.kardex k
     JOIN dw.producto p ON ((p.id_producto = k.id_producto)))
     LEFT JOIN dw.sucursal s ON ((s.id_sucursal = k.id_sucursal)))
     LEFT JOIN dw.sucursal d ON ((d.id_sucursal = k.id_sucursal_destino)))
     LEFT JOIN dw.tipo_movimiento t ON ((t.tipo = k.tipo)))
     LEFT JOIN dw.documento_movimiento o ON ((o.id_movimiento = k.id_movimiento)));
COMMENT ON VIEW dw.v_kardex IS 'El kardex con los nombres de producto, sucursal y tipo';
COMMENT ON COLUMN dw.v_kardex.nombre IS 'Del producto';
COMMENT ON COLUMN dw.v_kardex.tipo IS 'Con el que se valorizó: de una cantidad negativa, el contrario del que da movimientos.sql';
COMMENT ON COLUMN dw.v_kardex.inventariable IS 'Si el producto tiene existencias; si no, la fila no movió nada';
COMMENT ON COLUMN dw.v_kardex.documento IS 'Como lo llaman en la tienda, si movimientos.sql lo da; si no, su id cuando no es un número';
CREATE VIEW dw.v_politica_producto AS
 SELECT id_producto,
    margen,
    impuesto,
    redondeo
   FROM etl.politica_al(COALESCE(( SELECT ((c.hasta AT TIME ZONE c.zona))::date AS timezone
           FROM etl.control c), CURRENT_DATE)) v(id_producto, margen, impuesto, redondeo);
COMMENT ON VIEW dw.v_politica_producto IS 'La política de precios que vale para cada producto el día hasta el que llegan los datos';
CREATE VIEW dw.v_rechazos AS
 SELECT r.id_movimiento,
    r.tipo,
    r.id_producto,
    r.id_sucursal,
    r.cantidad,
    r.precio_unitario,
    r.costo_unitario,
        CASE
            WHEN (r.fecha > '9999-12-31 00:00:00+00'::timestamp with time zone) THEN '9999-12-31 00:00:00+00'::timestamp with time zone
            ELSE r.fecha
        END AS fecha,
        CASE
            WHEN (r.valorizado AND (r.id_producto IS NULL)) THEN 'perdió su producto'::text
            ELSE r.motivo
        END AS motivo,
    r.primera_desde,
    r.primera_hasta,
    r.ultima_desde,
    r.ultima_hasta,
    r.id_origen,
    r.id_sucursal_destino,
    r.importe,
    r.impuesto,
    r.precio_con_impuesto,
    d.id_documento,
    COALESCE(d.documento, d.clave) AS documento,
    COALESCE(r.clave_producto, (r.id_producto)::text) AS producto
   FROM (etl.rechazo r
     LEFT JOIN dw.documento_movimiento d ON ((d.id_movimiento = r.id_movimiento)));
COMMENT ON VIEW dw.v_rechazos IS 'Los movimientos que no se pueden valorizar, para el tablero de salud';
CREATE VIEW dw.v_reposicion_sucursal AS
 SELECT e.id_sucursal,
    COALESCE(s.nombre, ('Sucursal '::text || e.id_sucursal)) AS sucursal,
    e.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    e.existencias,
    round((e.existencias * i.costo_promedio), 6) AS valor,
    COALESCE(v.unidades, (0)::numeric) AS unidades_90_dias,
    round(((COALESCE(v.unidades, (0)::numeric) * 1.00000000000000000000) / (d.dias)::numeric), 6) AS venta_diaria,
    round((((e.existencias * (d.dias)::numeric) * 1.00000000000000000000) / NULLIF(GREATEST(v.unidades, (0)::numeric), (0)::numeric)), 6) AS dias_cobertura,
    (p.activo AND (e.existencias <= (0)::numeric) AND (COALESCE(v.unidades, (0)::numeric) > (0)::numeric)) AS agotado,
    (p.activo AND (e.existencias > (0)::numeric) AND ((e.existencias * (d.dias)::numeric) <= ((15)::numeric * COALESCE(v.unidades, (0)::numeric)))) AS reponer,
    i.existencias AS existencias_producto,
        CASE
            WHEN (v.unidades <> (0)::numeric) THEN d.dias
            ELSE NULL::integer
        END AS dias_medidos,
    d.deseados AS dias_deseados,
        CASE
            WHEN p.activo THEN GREATEST(ceil(round(((((COALESCE(v.unidades, (0)::numeric) * d.deseados) * 1.00000000000000000000) / (d.dias)::numeric) - e.existencias), 6)), (0)::numeric)
            ELSE (0)::numeric
        END AS por_pedir,
    p.proveedor
   FROM ((((((((((dw.v_corte c
     CROSS JOIN dw.existencias_sucursal e)
     JOIN dw.producto p ON (((p.id_producto = e.id_producto) AND p.inventariable)))
     JOIN dw.inventario i ON ((i.id_producto = e.id_producto)))
     LEFT JOIN dw.sucursal s ON ((s.id_sucursal = e.id_sucursal)))
     LEFT JOIN ( SELECT r.id_producto,
            k.id_sucursal,
            k.unidades,
            k.variacion,
            k.primera,
            h.desde
           FROM ((( SELECT h_1.dia,
                    etl.inicio_del_dia((h_1.dia - 89), h_1.zona) AS desde,
                    etl.inicio_del_dia((h_1.dia + 1), h_1.zona) AS hasta
                   FROM dw.v_corte h_1
                 OFFSET 0) h
             CROSS JOIN LATERAL ( SELECT DISTINCT m.id_producto
                   FROM dw.resumen_mensual m
                  WHERE ((m.mes >= (date_trunc('month'::text, ((h.dia - 89))::timestamp without time zone))::date) AND ((m.unidades_vendidas <> (0)::numeric) OR (m.unidades_devueltas <> (0)::numeric)))) r)
             CROSS JOIN LATERAL ( SELECT m.id_sucursal,
                    COALESCE((- sum(m.variacion) FILTER (WHERE m.ventas)), (0)::numeric) AS unidades,
                    sum(m.variacion) AS variacion,
                    min(m.fecha) AS primera
                   FROM ( SELECT f.id_sucursal,
                            f.fecha,
                                CASE
                                    WHEN (f.id_sucursal_destino IS NULL) THEN f.variacion
                                    ELSE (- f.cantidad)
                                END AS variacion,
                            ((f.fecha < h.hasta) AND (f.tipo = ANY (ARRAY( SELECT t.tipo
                                   FROM dw.tipo_movimiento t
                                  WHERE (t.clase = 'ventas'::text))))) AS ventas
                           FROM dw.kardex f
                          WHERE ((f.id_producto = r.id_producto) AND (f.fecha >= h.desde))
                        UNION ALL
                         SELECT f.id_sucursal_destino,
                            f.fecha,
                            f.cantidad,
                            false
                           FROM dw.kardex f
                          WHERE ((f.id_producto = r.id_producto) AND (f.fecha >= h.desde) AND (f.id_sucursal_destino IS NOT NULL))) m
                  GROUP BY m.id_sucursal) k)) v ON (((v.id_producto = e.id_producto) AND (v.id_sucursal = e.id_sucursal))))
     LEFT JOIN ( SELECT s_1.id_producto,
            s_1.id_sucursal,
            o.fecha
           FROM (dw.apertura_sucursal s_1
             JOIN etl.v_apertura o ON ((o.id_producto = s_1.id_producto)))) a ON (((a.id_producto = e.id_producto) AND (a.id_sucursal = e.id_sucursal) AND (a.fecha >= v.desde))))
     LEFT JOIN dw.politica_reposicion del_producto ON ((del_producto.id_producto = e.id_producto)))
     LEFT JOIN dw.politica_reposicion de_categoria ON ((de_categoria.categoria = p.categoria)))
     LEFT JOIN dw.politica_reposicion de_todo ON (((de_todo.id_producto IS NULL) AND (de_todo.categoria IS NULL))))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN ((a.fecha IS NULL) AND (e.existencias <> v.variacion)) THEN 90
                    ELSE LEAST(90, GREATEST(1, COALESCE((c.dia - ((LEAST(v.primera, a.fecha) AT TIME ZONE c.zona))::date), 90)))
                END AS dias,
            COALESCE(del_producto.dias, de_categoria.dias, de_todo.dias, (30)::numeric) AS deseados) d);
COMMENT ON VIEW dw.v_reposicion_sucursal IS 'Existencias de cada producto en cada sucursal, al costo promedio del producto, y sus días de cobertura como en dw.mv_reposicion, al ritmo de la sucursal';
COMMENT ON COLUMN dw.v_reposicion_sucursal.existencias_producto IS 'Las de todas las sucursales: si las hay, basta un traslado';
COMMENT ON COLUMN dw.v_reposicion_sucursal.dias_medidos IS 'Como en dw.mv_reposicion, por lo que había y entró en la sucursal; nulo si ahí no se vendió nada, o se devolvió o anuló todo';
COMMENT ON COLUMN dw.v_reposicion_sucursal.dias_deseados IS 'Para cuántos días se pide, según dw.politica_reposicion';
COMMENT ON COLUMN dw.v_reposicion_sucursal.por_pedir IS 'Unidades enteras que le faltan a la sucursal para vender esos días a su ritmo, se envíen de otra o se pidan; 0 de lo que la tienda borró';
COMMENT ON COLUMN dw.v_reposicion_sucursal.proveedor IS 'A quién se le pide, si productos.sql lo dice';
CREATE VIEW dw.v_saltos_costo AS
 SELECT k.id_movimiento,
    k.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    k.fecha,
    k.cantidad,
    k.costo_unitario,
    round(COALESCE(( SELECT f.costo_promedio
           FROM dw.kardex f
          WHERE ((f.id_producto = k.id_producto) AND (ROW(f.fecha, f.fecha_documento, f.orden, f.id_movimiento, f.capa) < ROW(k.fecha, k.fecha_documento, k.orden, k.id_movimiento, k.capa)))
          ORDER BY f.fecha DESC, f.fecha_documento DESC, f.orden DESC, f.id_movimiento DESC, f.capa DESC
         LIMIT 1), a.costo_promedio), 6) AS costo_promedio_anterior,
    k.salto_costo AS veces,
    COALESCE(d.documento, d.clave) AS documento
   FROM (((dw.kardex k
     JOIN dw.producto p ON ((p.id_producto = k.id_producto)))
     LEFT JOIN dw.apertura a ON ((a.id_producto = k.id_producto)))
     LEFT JOIN dw.documento_movimiento d ON ((d.id_movimiento = k.id_movimiento)))
  WHERE (k.salto_costo > (0)::numeric);
COMMENT ON VIEW dw.v_saltos_costo IS 'Entradas cuyo costo se aleja demasiado del promedio que había: casi siempre un error al teclear';
CREATE VIEW dw.v_ventas_hora AS
 SELECT v.dia,
    v.hora,
    (EXTRACT(isodow FROM v.dia))::smallint AS dia_semana,
    v.id_sucursal,
    COALESCE(s.nombre, ('Sucursal '::text || v.id_sucursal)) AS sucursal,
    v.tickets,
    v.renglones,
    v.unidades,
    v.venta_bruta
   FROM (( SELECT (k.momento)::date AS dia,
            (EXTRACT(hour FROM k.momento))::smallint AS hora,
            k.id_sucursal,
            NULLIF(count(DISTINCT d.id_documento) FILTER (WHERE k.vendido), 0) AS tickets,
            count(*) FILTER (WHERE k.vendido) AS renglones,
            COALESCE(sum(((k.signo)::numeric * k.cantidad)) FILTER (WHERE k.con_unidades), (0)::numeric) AS unidades,
            sum(((k.signo)::numeric * k.importe)) AS venta_bruta
           FROM (((( SELECT h_1.dia,
                    h_1.zona,
                    etl.inicio_del_dia((h_1.dia - 90), h_1.zona) AS desde,
                    etl.inicio_del_dia((h_1.dia + 1), h_1.zona) AS hasta
                   FROM dw.v_corte h_1
                 OFFSET 0) h
             CROSS JOIN LATERAL ( SELECT DISTINCT m.id_producto
                   FROM dw.resumen_mensual m
                  WHERE (m.mes >= (date_trunc('month'::text, ((h.dia - 90))::timestamp without time zone))::date)) r)
             CROSS JOIN LATERAL ( SELECT f.id_movimiento,
                    f.id_sucursal,
                    f.cantidad,
                    (f.fecha AT TIME ZONE h.zona) AS momento,
                        CASE
                            WHEN (t.resta <> f.reverso) THEN '-1'::integer
                            ELSE 1
                        END AS signo,
                    ((NOT t.resta) AND (NOT f.reverso)) AS vendido,
                    (t.signo <> 0) AS con_unidades,
                    round(
                        CASE
                            WHEN (f.importe IS NULL) THEN (f.cantidad * f.precio_unitario)
                            ELSE f.importe
                        END, 6) AS importe
                   FROM (dw.kardex f
                     JOIN etl.v_clase t ON (((t.tipo = f.tipo) AND (t.con_costo = (f.costo_unitario IS NOT NULL)))))
                  WHERE ((f.id_producto = r.id_producto) AND (f.fecha >= h.desde) AND (f.fecha < h.hasta) AND t.ventas)
                 OFFSET 0) k)
             LEFT JOIN dw.documento_movimiento d ON ((d.id_movimiento = k.id_movimiento)))
          GROUP BY ((k.momento)::date), ((EXTRACT(hour FROM k.momento))::smallint), k.id_sucursal) v
     LEFT JOIN dw.sucursal s ON ((s.id_sucursal = v.id_sucursal)));
COMMENT ON VIEW dw.v_ventas_hora IS 'Lo cobrado en los últimos 91 días, por día, hora y sucursal, como el precio lo dice: con impuesto si lo incluye, neto de devoluciones y descuentos';
COMMENT ON COLUMN dw.v_ventas_hora.dia_semana IS '1, lunes, a 7, domingo';
COMMENT ON COLUMN dw.v_ventas_hora.tickets IS 'Cuántos documentos de venta; nulo si movimientos.sql no da id_documento';
COMMENT ON COLUMN dw.v_ventas_hora.renglones IS 'Cuántos renglones de venta, sin los de devoluciones';
CREATE VIEW dw.v_ventas_interanual AS
 SELECT r.dia,
    (date_trunc('month'::text, (r.dia)::timestamp without time zone))::date AS mes,
    r.id_sucursal,
    COALESCE(s.nombre, ('Sucursal '::text || r.id_sucursal)) AS sucursal,
    r.categoria,
    r.unidades,
    r.venta_bruta,
    r.venta_neta,
    r.margen,
    r.unidades_antes,
    r.venta_bruta_antes,
    r.venta_neta_antes,
    r.margen_antes
   FROM (( SELECT u.dia,
            u.id_sucursal,
            u.categoria,
            sum(u.unidades) AS unidades,
            sum(u.venta_bruta) AS venta_bruta,
            sum(u.venta_neta) AS venta_neta,
            sum(u.margen) AS margen,
            sum(u.unidades_antes) AS unidades_antes,
            sum(u.venta_bruta_antes) AS venta_bruta_antes,
            sum(u.venta_neta_antes) AS venta_neta_antes,
            sum(u.margen_antes) AS margen_antes
           FROM ( SELECT a.dia,
                    a.id_sucursal,
                    a.categoria,
                    a.unidades_vendidas AS unidades,
                    a.venta_bruta,
                    a.venta_neta,
                    ((a.venta_neta - a.costo_ventas) + a.ajuste) AS margen,
                    0 AS unidades_antes,
                    0 AS venta_bruta_antes,
                    0 AS venta_neta_antes,
                    0 AS margen_antes
                   FROM dw.resumen_diario a
                UNION ALL
                 SELECT ((b.dia + '1 year'::interval))::date AS date,
                    b.id_sucursal,
                    b.categoria,
                    0,
                    0,
                    0,
                    0,
                    b.unidades_vendidas,
                    b.venta_bruta,
                    b.venta_neta,
                    ((b.venta_neta - b.costo_ventas) + b.ajuste)
                   FROM dw.resumen_diario b
                  WHERE (((b.dia + '1 year'::interval))::date <= ( SELECT c.dia
                           FROM dw.v_corte c))) u
          GROUP BY u.dia, u.id_sucursal, u.categoria) r
     LEFT JOIN dw.sucursal s ON ((s.id_sucursal = r.id_sucursal)));
COMMENT ON VIEW dw.v_ventas_interanual IS 'Ventas y margen por día, sucursal y categoría, como en dw.mv_ventas_diarias, al lado de los del mismo día del año anterior: el mes en curso se compara hasta el mismo día';
COMMENT ON COLUMN dw.v_ventas_interanual.venta_neta_antes IS 'La de la misma fecha del año anterior (la de un 29 de febrero, en el 28 del siguiente), como las demás que acaban en _antes; 0 si no hubo';
CREATE VIEW dw.v_ventas_producto AS
 SELECT k.dia,
    k.mes,
    k.meses_atras,
    k.id_producto,
    p.codigo,
    p.nombre,
    COALESCE(c.categoria, p.categoria) AS categoria,
    k.id_sucursal,
    COALESCE(s.nombre, ('Sucursal '::text || k.id_sucursal)) AS sucursal,
    k.unidades,
    k.venta_bruta,
    k.venta_neta,
    k.costo,
    k.ajuste,
    ((k.venta_neta - k.costo) + k.ajuste) AS margen,
    round(((((k.venta_neta - k.costo) + k.ajuste) * 1.00000000000000000000) / NULLIF(k.venta_neta, (0)::numeric)), 6) AS margen_relativo,
    k.unidades_recibidas,
    k.costo_recibido,
    k.devoluciones,
    k.unidades_devueltas,
    k.mermas,
    k.unidades_merma,
    p.inventariable
   FROM ((((( SELECT v.mes,
            v.meses_atras,
            v.id_producto,
            n.dia,
            f.id_sucursal,
            COALESCE(sum(n.vendidas) FILTER (WHERE t.ventas), (0)::numeric) AS unidades,
            COALESCE(sum(round((n.unidades * n.precio), 6)) FILTER (WHERE t.ventas), (0)::numeric) AS venta_bruta,
            COALESCE(sum(n.neta), (0)::numeric) AS venta_neta,
            COALESCE((- sum(((t.signo)::numeric * f.costo_total)) FILTER (WHERE t.ventas)), (0)::numeric) AS costo,
            sum(f.ajuste) AS ajuste,
            COALESCE(sum(f.variacion) FILTER (WHERE t.compras), (0)::numeric) AS unidades_recibidas,
            COALESCE(sum(((t.signo)::numeric * f.costo_total)) FILTER (WHERE t.compras), (0)::numeric) AS costo_recibido,
            COALESCE((- sum(n.neta) FILTER (WHERE t.resta)), (0)::numeric) AS devoluciones,
            COALESCE((- sum(n.vendidas) FILTER (WHERE t.resta)), (0)::numeric) AS unidades_devueltas,
            COALESCE((- sum(((t.signo)::numeric * f.costo_total)) FILTER (WHERE t.merma)), (0)::numeric) AS mermas,
            COALESCE((- sum(f.variacion) FILTER (WHERE t.merma)), (0)::numeric) AS unidades_merma
           FROM (((((( SELECT m.mes,
                    m.id_producto,
                    g.meses_atras,
                    h_1.zona
                   FROM (((dw.v_corte h_1
                     CROSS JOIN LATERAL ( SELECT date_trunc('month'::text, (h_1.dia)::timestamp without time zone) AS este,
                            min(r.mes) AS primero,
                            max(r.mes) AS ultimo
                           FROM dw.resumen_mensual r) b)
                     CROSS JOIN LATERAL generate_series((- GREATEST(0, ((12 * (EXTRACT(year FROM age((b.ultimo)::timestamp without time zone, b.este)))::integer) + (EXTRACT(month FROM age((b.ultimo)::timestamp without time zone, b.este)))::integer))), ((12 * (EXTRACT(year FROM age(b.este, (b.primero)::timestamp without time zone)))::integer) + (EXTRACT(month FROM age(b.este, (b.primero)::timestamp without time zone)))::integer)) g(meses_atras))
                     JOIN dw.resumen_mensual m ON ((m.mes = ((b.este - make_interval(months => g.meses_atras)))::date)))
                  GROUP BY m.mes, m.id_producto, g.meses_atras, h_1.zona) v
             JOIN dw.producto p_1 ON ((p_1.id_producto = v.id_producto)))
             CROSS JOIN LATERAL ( SELECT k_1.tipo,
                    (k_1.costo_unitario IS NOT NULL) AS con_costo,
                    (k_1.id_movimiento < '-2305843009213693952'::bigint) AS inicial,
                    k_1.fecha,
                    k_1.fecha_documento,
                    k_1.id_sucursal,
                    k_1.cantidad,
                    k_1.precio_unitario,
                    k_1.importe,
                    k_1.costo_total,
                    k_1.ajuste,
                    k_1.variacion,
                    k_1.reverso,
                    k_1.impuesto,
                    k_1.precio_con_impuesto,
                    k_1.id_movimiento,
                    k_1.capa
                   FROM dw.kardex k_1
                  WHERE ((k_1.id_producto = v.id_producto) AND (k_1.fecha >= (((v.mes - 2))::timestamp without time zone AT TIME ZONE 'UTC'::text)) AND (k_1.fecha < (((v.mes + 33))::timestamp without time zone AT TIME ZONE 'UTC'::text)))
                 OFFSET 0) f)
             JOIN etl.v_clase t ON (((t.tipo = f.tipo) AND (t.con_costo = f.con_costo) AND (t.inicial = f.inicial))))
             LEFT JOIN etl.producto_cerrado x ON (((x.id_producto = v.id_producto) AND (x.desde <=
                CASE
                    WHEN f.reverso THEN ( SELECT o.fecha
                       FROM dw.kardex o
                      WHERE ((o.id_movimiento = f.id_movimiento) AND (o.capa = (f.capa - 1))))
                    ELSE f.fecha
                END) AND (x.hasta >
                CASE
                    WHEN f.reverso THEN ( SELECT o.fecha
                       FROM dw.kardex o
                      WHERE ((o.id_movimiento = f.id_movimiento) AND (o.capa = (f.capa - 1))))
                    ELSE f.fecha
                END))))
             CROSS JOIN LATERAL ( SELECT u.dia,
                    u.vendidas,
                    u.unidades,
                    u.precio,
                        CASE
                            WHEN t.ventas THEN dw.venta_neta(u.unidades, u.precio,
                            CASE
                                WHEN (NOT COALESCE(f.precio_con_impuesto, x.precio_con_impuesto, p_1.precio_con_impuesto)) THEN (0)::numeric
                                WHEN (f.impuesto IS NOT NULL) THEN f.impuesto
                                WHEN ((x.tasas IS NOT NULL) OR ((x.id_producto IS NULL) AND (p_1.tasas IS NOT NULL))) THEN etl.buscar_tasa(COALESCE(x.impuesto, p_1.impuesto), COALESCE(x.tasas, p_1.tasas), ((f.fecha_documento AT TIME ZONE v.zona))::date)
                                ELSE COALESCE(x.impuesto, p_1.impuesto)
                            END)
                            ELSE NULL::numeric
                        END AS neta
                   FROM ( SELECT ((f.fecha AT TIME ZONE v.zona))::date AS dia,
                                CASE
                                    WHEN (t.signo = 0) THEN (0)::numeric
                                    WHEN (t.resta <> f.reverso) THEN (- f.cantidad)
                                    ELSE f.cantidad
                                END AS vendidas,
                            (
                                CASE
                                    WHEN (f.importe IS NULL) THEN f.cantidad
                                    ELSE 1.000000
                                END * (
                                CASE
                                    WHEN (t.resta <> f.reverso) THEN '-1'::integer
                                    ELSE 1
                                END)::numeric) AS unidades,
                            COALESCE(f.importe, f.precio_unitario) AS precio
                         OFFSET 0) u
                 OFFSET 0) n)
          WHERE ((n.dia >= v.mes) AND (n.dia < (v.mes + '1 mon'::interval)))
          GROUP BY v.mes, v.meses_atras, v.id_producto, n.dia, f.id_sucursal) k
     JOIN dw.producto p ON ((p.id_producto = k.id_producto)))
     CROSS JOIN dw.v_corte h)
     LEFT JOIN dw.sucursal s ON ((s.id_sucursal = k.id_sucursal)))
     LEFT JOIN etl.producto_cerrado c ON (((c.id_producto = k.id_producto) AND (k.dia >= ((c.desde AT TIME ZONE h.zona))::date) AND (k.dia < ((c.hasta AT TIME ZONE h.zona))::date))));
COMMENT ON VIEW dw.v_ventas_producto IS 'Ventas, netas de devoluciones y descuentos, y margen por producto, día y sucursal, leídos del kardex: conviene pedir unos meses (mes, meses_atras) o unos productos; margen = venta neta - costo + ajuste; las mermas, menos lo que se halló de más, van aparte';
COMMENT ON COLUMN dw.v_ventas_producto.mes IS 'El del día: lo que se pide por él es lo único que se lee';
COMMENT ON COLUMN dw.v_ventas_producto.meses_atras IS 'Cuántos meses antes que el de los datos: 0, el mismo';
COMMENT ON COLUMN dw.v_ventas_producto.inventariable IS 'Si tiene existencias; si no, es un servicio: su venta no tiene costo';
CREATE UNLOGGED TABLE etl.baja (
    id_producto bigint CONSTRAINT kardex_id_producto_not_null NOT NULL,
    fecha timestamp with time zone CONSTRAINT kardex_fecha_not_null NOT NULL,
    id_movimiento bigint CONSTRAINT kardex_id_movimiento_not_null NOT NULL,
    id_sucursal bigint CONSTRAINT kardex_id_sucursal_not_null NOT NULL,
    version bigint CONSTRAINT kardex_version_not_null NOT NULL,
    orden smallint CONSTRAINT kardex_orden_not_null NOT NULL,
    provisional boolean CONSTRAINT kardex_provisional_not_null NOT NULL,
    tipo text CONSTRAINT kardex_tipo_not_null NOT NULL,
    cantidad numeric(38,6) CONSTRAINT kardex_cantidad_not_null NOT NULL,
    precio_unitario numeric(38,6),
    costo_unitario numeric(38,6),
    costo_total numeric(38,6) CONSTRAINT kardex_costo_total_not_null NOT NULL,
    ajuste numeric(38,6) CONSTRAINT kardex_ajuste_not_null NOT NULL,
    existencias numeric(38,6) CONSTRAINT kardex_existencias_not_null NOT NULL,
    valor numeric(38,6) CONSTRAINT kardex_valor_not_null NOT NULL,
    costo_promedio numeric(38,6) CONSTRAINT kardex_costo_promedio_not_null NOT NULL,
    salto_costo numeric,
    variacion numeric(38,6) CONSTRAINT kardex_variacion_not_null NOT NULL,
    importe numeric(38,6),
    id_origen bigint,
    id_sucursal_destino bigint,
    de_todo boolean,
    fecha_documento timestamp with time zone CONSTRAINT kardex_fecha_documento_not_null NOT NULL,
    capa smallint CONSTRAINT kardex_capa_not_null NOT NULL,
    reverso boolean CONSTRAINT kardex_reverso_not_null NOT NULL,
    impuesto numeric(38,6),
    precio_con_impuesto boolean,
    igual boolean DEFAULT false NOT NULL
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.baja IS 'Filas del kardex que se van: cambiadas, anuladas, borradas o fuera de alcance';
COMMENT ON COLUMN etl.baja.igual IS 'Leída de nuevo sin cambio: se queda; existe solo mientras se compara';
CREATE UNLOGGED TABLE etl.cerrada (
    id_producto bigint CONSTRAINT kardex_id_producto_not_null NOT NULL,
    fecha timestamp with time zone CONSTRAINT kardex_fecha_not_null NOT NULL,
    id_movimiento bigint CONSTRAINT kardex_id_movimiento_not_null NOT NULL,
    id_sucursal bigint CONSTRAINT kardex_id_sucursal_not_null NOT NULL,
    version bigint CONSTRAINT kardex_version_not_null NOT NULL,
    orden smallint CONSTRAINT kardex_orden_not_null NOT NULL,
    provisional boolean CONSTRAINT kardex_provisional_not_null NOT NULL,
    tipo text CONSTRAINT kardex_tipo_not_null NOT NULL,
    cantidad numeric(38,6) CONSTRAINT kardex_cantidad_not_null NOT NULL,
    precio_unitario numeric(38,6),
    costo_unitario numeric(38,6),
    costo_total numeric(38,6) CONSTRAINT kardex_costo_total_not_null NOT NULL,
    ajuste numeric(38,6) CONSTRAINT kardex_ajuste_not_null NOT NULL,
    existencias numeric(38,6) CONSTRAINT kardex_existencias_not_null NOT NULL,
    valor numeric(38,6) CONSTRAINT kardex_valor_not_null NOT NULL,
    costo_promedio numeric(38,6) CONSTRAINT kardex_costo_promedio_not_null NOT NULL,
    salto_costo numeric,
    variacion numeric(38,6) CONSTRAINT kardex_variacion_not_null NOT NULL,
    importe numeric(38,6),
    id_origen bigint,
    id_sucursal_destino bigint,
    de_todo boolean,
    fecha_documento timestamp with time zone CONSTRAINT kardex_fecha_documento_not_null NOT NULL,
    capa smallint CONSTRAINT kardex_capa_not_null NOT NULL,
    reverso boolean CONSTRAINT kardex_reverso_not_null NOT NULL,
    impuesto numeric(38,6),
    precio_con_impuesto boolean,
    igual boolean CONSTRAINT baja_igual_not_null NOT NULL
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.cerrada IS 'De lo leído, la última fila cerrada que no dice lo mismo: la que hay que reversar, o que ya es un reverso';
CREATE UNLOGGED TABLE etl.circunstancia (
    id_movimiento bigint NOT NULL,
    capa smallint NOT NULL,
    adicional numeric,
    en_su_entrada boolean,
    recordar boolean,
    id_origen bigint,
    olvidar boolean,
    costo_total numeric,
    cantidad numeric,
    existencias numeric,
    costo_promedio numeric,
    habia numeric,
    despues numeric
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.circunstancia IS 'De los tramos, los movimientos que nombran a otro o son nombrados, y los conteos de una sucursal: lo que dw.circunstancia pide de ellos';
CREATE TABLE etl.concesion (
    rol text NOT NULL,
    objeto text NOT NULL,
    permiso text NOT NULL
);
COMMENT ON TABLE etl.concesion IS 'Lo que init concedió a cada rol; lo demás de dw es de la tienda';
COMMENT ON COLUMN etl.concesion.objeto IS 'Como dw.mv_abc, o una función con sus tipos: etl.leer_control()';
CREATE UNLOGGED TABLE etl.etapa (
    id_movimiento bigint,
    tipo text,
    id_producto bigint,
    id_sucursal bigint,
    cantidad numeric,
    precio_unitario numeric,
    costo_unitario numeric,
    fecha timestamp with time zone,
    anulado boolean,
    id_origen bigint,
    id_sucursal_destino bigint,
    importe numeric,
    impuesto numeric,
    precio_con_impuesto boolean,
    fecha_documento timestamp with time zone,
    capa smallint DEFAULT 0 NOT NULL,
    reverso boolean DEFAULT false NOT NULL,
    id_documento bigint,
    documento text,
    clave text,
    clave_documento text,
    clave_producto text,
    clave_sucursal text,
    clave_destino text,
    clave_origen text,
    atrasada boolean DEFAULT false NOT NULL
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.etapa IS 'Movimientos tal como llegan del OLTP en esta ventana';
COMMENT ON COLUMN etl.etapa.fecha_documento IS 'La que trajo, si se asienta en otra: lo pone etl.asentar(), como capa y reverso';
COMMENT ON COLUMN etl.etapa.id_documento IS 'Como documento, va a dw.documento_movimiento';
COMMENT ON COLUMN etl.etapa.clave IS 'El id de la tienda, si no es un número; como él, clave_documento y las que siguen';
COMMENT ON COLUMN etl.etapa.atrasada IS 'Esperaba ya en etl.rechazo, la tienda lo contó antes que nosotros, o está en lugar de un renglón que ella borró';
CREATE UNLOGGED TABLE etl.etapa_existencia (
    id_producto bigint,
    id_sucursal bigint,
    existencias numeric,
    costo_referencia numeric,
    clave_producto text,
    clave_sucursal text
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.etapa_existencia IS 'Existencias que la tienda dice tener, como llegan del OLTP en esta ventana';
CREATE UNLOGGED TABLE etl.etapa_producto (
    id_producto bigint,
    codigo text,
    nombre text,
    categoria text,
    inventariable boolean,
    activo boolean,
    clave text,
    costo_referencia numeric,
    proveedor text
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.etapa_producto IS 'Productos nuevos o cambiados en el OLTP';
CREATE UNLOGGED TABLE etl.etapa_sucursal (
    id_sucursal bigint,
    nombre text,
    clave text
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.etapa_sucursal IS 'Sucursales nuevas o cambiadas en el OLTP';
CREATE TABLE etl.por_probar (
    id_producto bigint NOT NULL,
    desde timestamp with time zone NOT NULL,
    numero bigint NOT NULL
);
COMMENT ON TABLE etl.por_probar IS 'Los productos que las cargas han tocado desde la última comprobación sin faltas, y desde qué fecha';
COMMENT ON COLUMN etl.por_probar.numero IS 'La última corrida que lo tocó';
CREATE TABLE etl.prueba (
    unico boolean DEFAULT true NOT NULL,
    probada timestamp with time zone NOT NULL,
    entera timestamp with time zone NOT NULL,
    estado jsonb,
    CONSTRAINT prueba_unico_check CHECK (unico)
);
COMMENT ON TABLE etl.prueba IS 'A lo más una fila: la última comprobación (verify) que no halló nada, de la que parte una corta';
COMMENT ON COLUMN etl.prueba.entera IS 'Cuándo fue la última que lo miró todo';
COMMENT ON COLUMN etl.prueba.estado IS 'Lo que se comprobó, como lo dice etl.leer_prueba(); nulo si una posterior halló faltas';
CREATE UNLOGGED TABLE etl.repeticion (
    id_producto bigint CONSTRAINT kardex_id_producto_not_null NOT NULL,
    fecha timestamp with time zone CONSTRAINT kardex_fecha_not_null NOT NULL,
    id_movimiento bigint CONSTRAINT kardex_id_movimiento_not_null NOT NULL,
    id_sucursal bigint CONSTRAINT kardex_id_sucursal_not_null NOT NULL,
    version bigint CONSTRAINT kardex_version_not_null NOT NULL,
    orden smallint CONSTRAINT kardex_orden_not_null NOT NULL,
    provisional boolean CONSTRAINT kardex_provisional_not_null NOT NULL,
    tipo text CONSTRAINT kardex_tipo_not_null NOT NULL,
    cantidad numeric(38,6) CONSTRAINT kardex_cantidad_not_null NOT NULL,
    precio_unitario numeric(38,6),
    costo_unitario numeric(38,6),
    costo_total numeric(38,6) CONSTRAINT kardex_costo_total_not_null NOT NULL,
    ajuste numeric(38,6) CONSTRAINT kardex_ajuste_not_null NOT NULL,
    existencias numeric(38,6) CONSTRAINT kardex_existencias_not_null NOT NULL,
    valor numeric(38,6) CONSTRAINT kardex_valor_not_null NOT NULL,
    costo_promedio numeric(38,6) CONSTRAINT kardex_costo_promedio_not_null NOT NULL,
    salto_costo numeric,
    variacion numeric(38,6) CONSTRAINT kardex_variacion_not_null NOT NULL,
    importe numeric(38,6),
    id_origen bigint,
    id_sucursal_destino bigint,
    de_todo boolean,
    fecha_documento timestamp with time zone CONSTRAINT kardex_fecha_documento_not_null NOT NULL,
    capa smallint CONSTRAINT kardex_capa_not_null NOT NULL,
    reverso boolean CONSTRAINT kardex_reverso_not_null NOT NULL,
    impuesto numeric(38,6),
    precio_con_impuesto boolean,
    es_alta boolean NOT NULL,
    difiere boolean NOT NULL,
    costo_total_anterior numeric,
    ajuste_anterior numeric,
    variacion_anterior numeric,
    ctid_kardex tid
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.repeticion IS 'Los tramos con cola valorizados de nuevo: altas y filas que cambian, con lo que el kardex decía';
COMMENT ON COLUMN etl.repeticion.difiere IS 'Si no, la fila del kardex se queda como está, y solo se suma en otra categoría o con otro impuesto';
COMMENT ON COLUMN etl.repeticion.ctid_kardex IS 'De una fila del kardex, en qué lugar de él está; vale mientras dura la transacción de la carga';
CREATE UNLOGGED TABLE etl.tramo (
    id_producto bigint NOT NULL,
    desde timestamp with time zone NOT NULL,
    cola boolean DEFAULT false NOT NULL,
    altas bigint DEFAULT 0 NOT NULL,
    ventas bigint DEFAULT 0 NOT NULL,
    entradas bigint DEFAULT 0 NOT NULL,
    categoria_anterior text,
    impuesto_anterior numeric,
    tasas_anterior dw.tasa[],
    con_impuesto_anterior boolean,
    nombra boolean DEFAULT false NOT NULL,
    cuenta_sucursales boolean DEFAULT false NOT NULL,
    sigue_sucursales boolean DEFAULT false NOT NULL,
    inventariable boolean DEFAULT true NOT NULL,
    cambia_existencias boolean DEFAULT false NOT NULL,
    referencia numeric,
    cambia_referencia boolean DEFAULT false NOT NULL
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.tramo IS 'Productos tocados, y la fecha desde la que se repiten';
COMMENT ON COLUMN etl.tramo.cola IS 'El kardex ya tiene movimientos desde esa fecha, que se repiten; si no, las altas solo se añaden';
COMMENT ON COLUMN etl.tramo.altas IS 'Cuántos movimientos entran al kardex; de ellos, cuántas ventas y cuántas entradas';
COMMENT ON COLUMN etl.tramo.categoria_anterior IS 'Si cambió la categoría o el impuesto: lo que valía para lo ya sumado; nulo si no cambió';
COMMENT ON COLUMN etl.tramo.nombra IS 'Algo de lo que entra o sale nombra a su origen';
COMMENT ON COLUMN etl.tramo.cuenta_sucursales IS 'Algo se cuenta en una sucursal: hay que saber lo que había en ella';
COMMENT ON COLUMN etl.tramo.sigue_sucursales IS 'Algo se cuenta en la sucursal 0, que también cambia con los conteos de todo: eso solo lo sabe la pasada';
COMMENT ON COLUMN etl.tramo.inventariable IS 'Si no, nada de lo que le pasa mueve existencias';
COMMENT ON COLUMN etl.tramo.cambia_existencias IS 'Si con esta carga empieza o deja de tener existencias';
COMMENT ON COLUMN etl.tramo.referencia IS 'A cuánto entra lo que no dice su costo mientras no hay promedio';
COMMENT ON COLUMN etl.tramo.cambia_referencia IS 'Si cambió, y algo de lo abierto puede haber entrado así';
CREATE VIEW etl.v_ajuste AS
 SELECT a.id_movimiento,
        CASE
            WHEN (a.cantidad > (0)::numeric) THEN 'AJUSTE_ENTRADA'::text
            ELSE 'AJUSTE_SALIDA'::text
        END AS tipo,
    a.id_producto,
    a.id_sucursal,
    a.fecha,
    (a.cantidad + q.deshecha) AS cantidad,
    (((a.cantidad + q.deshecha) <> (0)::numeric) AND COALESCE(p.vigente, false) AND (a.fecha >= COALESCE(c.desde_inicial, '-infinity'::timestamp with time zone)) AND ((o.fecha IS NULL) OR (a.fecha >= o.fecha))) AS cuenta,
    COALESCE(p.vigente, false) AS vigente
   FROM ((((dw.ajuste_existencias a
     CROSS JOIN etl.control c)
     CROSS JOIN LATERAL ( SELECT COALESCE(sum(d.cantidad), (0)::numeric) AS deshecha
           FROM dw.ajuste_existencias d
          WHERE (d.deshace = a.id_movimiento)
         OFFSET 0) q)
     LEFT JOIN dw.producto p ON ((p.id_producto = a.id_producto)))
     LEFT JOIN dw.apertura o ON ((o.id_producto = a.id_producto)))
  WHERE (a.deshace IS NULL);
COMMENT ON VIEW etl.v_ajuste IS 'Lo que queda de cada ajuste (cantidad, con su signo), y si cuenta: en el alcance como cualquier movimiento';
CREATE VIEW etl.v_baja_desconocida AS
 SELECT b.id_movimiento,
    b.id_producto
   FROM (etl.baja b
     JOIN dw.producto p ON ((p.id_producto = b.id_producto)))
  WHERE (NOT p.vigente);
COMMENT ON VIEW etl.v_baja_desconocida IS 'De lo que sale del kardex, lo que sale porque productos.sql ya no da su producto';
CREATE VIEW etl.v_borrable AS
 SELECT k.id_movimiento
   FROM (dw.kardex k
     CROSS JOIN ( SELECT etl.cerrado_hasta() AS hasta
         OFFSET 0) c)
  WHERE (etl.puede_irse(k.fecha_documento, k.capa, c.hasta) AND (NOT etl.es_ajuste(k.id_movimiento)))
UNION ALL
 SELECT r.id_movimiento
   FROM etl.rechazo r;
COMMENT ON VIEW etl.v_borrable IS 'Los movimientos que salen del OLAP si el OLTP ya no los tiene: los del kardex que no están cerrados, y los rechazos';
CREATE VIEW etl.v_clave AS
 SELECT 'id_movimiento'::text AS columna,
    e.id_movimiento AS numero,
    e.clave
   FROM etl.etapa e
UNION ALL
 SELECT 'id_movimiento'::text AS columna,
    e.id_origen AS numero,
    e.clave_origen AS clave
   FROM etl.etapa e
UNION ALL
 SELECT 'id_documento'::text AS columna,
    e.id_documento AS numero,
    e.clave_documento AS clave
   FROM etl.etapa e
UNION ALL
 SELECT 'id_producto'::text AS columna,
    e.id_producto AS numero,
    e.clave_producto AS clave
   FROM etl.etapa e
UNION ALL
 SELECT 'id_producto'::text AS columna,
    p.id_producto AS numero,
    p.clave
   FROM etl.etapa_producto p
UNION ALL
 SELECT 'id_sucursal'::text AS columna,
    e.id_sucursal AS numero,
    e.clave_sucursal AS clave
   FROM etl.etapa e
UNION ALL
 SELECT 'id_sucursal'::text AS columna,
    e.id_sucursal_destino AS numero,
    e.clave_destino AS clave
   FROM etl.etapa e
UNION ALL
 SELECT 'id_sucursal'::text AS columna,
    s.id_sucursal AS numero,
    s.clave
   FROM etl.etapa_sucursal s
UNION ALL
 SELECT 'id_producto'::text AS columna,
    x.id_producto AS numero,
    x.clave_producto AS clave
   FROM etl.etapa_existencia x
UNION ALL
 SELECT 'id_sucursal'::text AS columna,
    x.id_sucursal AS numero,
    x.clave_sucursal AS clave
   FROM etl.etapa_existencia x;
COMMENT ON VIEW etl.v_clave IS 'Los ids que se leyeron, por lo que nombran: el número de cada uno y el de la tienda, si no es ese mismo';
CREATE VIEW etl.v_contenido AS
 SELECT k.id_movimiento,
        CASE
            WHEN ((k.fecha < c.hasta) OR (k.fecha = GREATEST(k.fecha_documento, c.hasta))) THEN k.fecha_documento
            ELSE k.fecha
        END AS fecha,
    1 AS signo,
    record_send(ROW(k.id_movimiento, NULL::text, k.tipo, k.id_producto, k.id_sucursal, k.cantidad, k.precio_unitario,
        CASE
            WHEN (k.tipo <> 'VENTA'::text) THEN k.costo_unitario
            ELSE NULL::numeric
        END, k.importe, k.id_origen, k.id_sucursal_destino, k.de_todo, k.impuesto, k.precio_con_impuesto)) AS contenido,
        CASE
            WHEN (NOT etl.puede_irse(k.fecha_documento, k.capa, c.hasta)) THEN k.id_producto
            ELSE NULL::bigint
        END AS archivable
   FROM (dw.kardex k
     CROSS JOIN ( SELECT etl.cerrado_hasta() AS hasta
         OFFSET 0) c)
  WHERE ((NOT k.reverso) AND (NOT etl.es_ajuste(k.id_movimiento)) AND (NOT (EXISTS ( SELECT
           FROM dw.kardex x
          WHERE (x.reverso AND (x.id_movimiento = k.id_movimiento) AND (x.capa = (k.capa + 1)))))))
UNION ALL
 SELECT r.id_movimiento,
    r.fecha,
    '-1'::integer AS signo,
    record_send(ROW(r.id_movimiento, r.motivo, r.tipo, r.id_producto, COALESCE(r.id_sucursal, (0)::bigint), round(r.cantidad, 6), round(r.precio_unitario, 6), round(r.costo_unitario, 6), round(r.importe, 6), r.id_origen, r.id_sucursal_destino, NULL::boolean, round(r.impuesto, 6), r.precio_con_impuesto)) AS contenido,
    NULL::bigint AS archivable
   FROM etl.rechazo r;
COMMENT ON VIEW etl.v_contenido IS 'El contenido de cada movimiento del alcance, menos su fecha: valorizado (signo 1), o con su motivo si espera en etl.rechazo (-1)';
CREATE VIEW etl.v_diferencia AS
 SELECT r.fecha,
    r.fecha_documento,
    r.id_movimiento,
    r.capa,
    r.reverso,
    r.id_sucursal,
    p.categoria,
    r.id_producto,
    r.tipo,
    (r.costo_unitario IS NOT NULL) AS con_costo,
        CASE
            WHEN e.entra THEN 1
            ELSE 0
        END AS movimientos,
        CASE
            WHEN e.entra THEN r.cantidad
            ELSE NULL::numeric
        END AS cantidad,
    r.precio_unitario,
    r.importe,
    r.impuesto AS impuesto_linea,
    r.precio_con_impuesto AS con_impuesto_linea,
    p.impuesto,
    p.tasas,
    p.precio_con_impuesto,
        CASE
            WHEN e.entra THEN r.variacion
            ELSE (r.variacion - r.variacion_anterior)
        END AS variacion,
        CASE
            WHEN e.entra THEN r.costo_total
            ELSE (r.costo_total - r.costo_total_anterior)
        END AS costo_total,
        CASE
            WHEN e.entra THEN r.ajuste
            ELSE (r.ajuste - r.ajuste_anterior)
        END AS ajuste
   FROM (((etl.repeticion r
     JOIN etl.tramo t ON ((t.id_producto = r.id_producto)))
     JOIN dw.producto p ON ((p.id_producto = r.id_producto)))
     CROSS JOIN LATERAL ( SELECT (r.es_alta OR (t.categoria_anterior IS NOT NULL)) AS entra) e)
UNION ALL
 SELECT b.fecha,
    b.fecha_documento,
    b.id_movimiento,
    b.capa,
    b.reverso,
    b.id_sucursal,
    COALESCE(t.categoria_anterior, p.categoria) AS categoria,
    b.id_producto,
    b.tipo,
    (b.costo_unitario IS NOT NULL) AS con_costo,
    '-1'::integer AS movimientos,
    (- b.cantidad) AS cantidad,
    b.precio_unitario,
    (- b.importe) AS importe,
    b.impuesto AS impuesto_linea,
    b.precio_con_impuesto AS con_impuesto_linea,
    COALESCE(t.impuesto_anterior, p.impuesto) AS impuesto,
        CASE
            WHEN (t.impuesto_anterior IS NULL) THEN p.tasas
            ELSE t.tasas_anterior
        END AS tasas,
    COALESCE(t.con_impuesto_anterior, p.precio_con_impuesto) AS precio_con_impuesto,
    (- b.variacion) AS variacion,
    (- b.costo_total) AS costo_total,
    (- b.ajuste) AS ajuste
   FROM ((etl.baja b
     JOIN etl.tramo t ON ((t.id_producto = b.id_producto)))
     JOIN dw.producto p ON ((p.id_producto = b.id_producto)))
UNION ALL
 SELECT r.fecha,
    r.fecha_documento,
    r.id_movimiento,
    r.capa,
    r.reverso,
    r.id_sucursal,
    t.categoria_anterior AS categoria,
    r.id_producto,
    r.tipo,
    (r.costo_unitario IS NOT NULL) AS con_costo,
    '-1'::integer AS movimientos,
    (- r.cantidad) AS cantidad,
    r.precio_unitario,
    (- r.importe) AS importe,
    r.impuesto AS impuesto_linea,
    r.precio_con_impuesto AS con_impuesto_linea,
    t.impuesto_anterior AS impuesto,
    t.tasas_anterior AS tasas,
    t.con_impuesto_anterior AS precio_con_impuesto,
    (- r.variacion_anterior) AS variacion,
    (- r.costo_total_anterior) AS costo_total,
    (- r.ajuste_anterior) AS ajuste
   FROM (etl.repeticion r
     JOIN etl.tramo t ON ((t.id_producto = r.id_producto)))
  WHERE ((t.categoria_anterior IS NOT NULL) AND (NOT r.es_alta));
COMMENT ON VIEW etl.v_diferencia IS 'De los productos con cola, lo que esta carga suma, quita (en negativo) o solo revaloriza (0 movimientos, sin cantidad), de cada movimiento';
CREATE VIEW etl.v_etapa AS
 SELECT e.id_movimiento,
    t.tipo,
    t.regla,
    t.orden,
    e.id_producto,
    e.id_sucursal,
    e.fecha,
    e.anulado,
        CASE
            WHEN n.negativa THEN (- n.cantidad)
            ELSE n.cantidad
        END AS cantidad,
        CASE
            WHEN (t.precio OR ((e.precio_unitario > '-100000000000'::numeric) AND (e.precio_unitario < '100000000000'::numeric))) THEN round(e.precio_unitario, 6)
            ELSE NULL::numeric
        END AS precio_unitario,
        CASE
            WHEN (t.costo <> 'no'::text) THEN round(e.costo_unitario, 6)
            ELSE NULL::numeric
        END AS costo_unitario,
        CASE
            WHEN (NOT o.importe) THEN NULL::numeric
            WHEN n.negativa THEN abs(round(e.importe, 6))
            ELSE round(e.importe, 6)
        END AS importe,
        CASE
            WHEN t.precio THEN round(e.impuesto, 6)
            ELSE NULL::numeric
        END AS impuesto,
        CASE
            WHEN t.precio THEN e.precio_con_impuesto
            ELSE NULL::boolean
        END AS precio_con_impuesto,
        CASE
            WHEN (t.tipo_origen IS NOT NULL) THEN e.id_origen
            ELSE NULL::bigint
        END AS id_origen,
        CASE
            WHEN t.destino THEN e.id_sucursal_destino
            ELSE NULL::bigint
        END AS id_sucursal_destino,
        CASE
            WHEN ((t.regla = 'contar'::text) AND (e.id_sucursal IS NULL)) THEN true
            ELSE NULL::boolean
        END AS de_todo,
    (((e.cantidad < (0)::numeric) IS NOT FALSE) OR (COALESCE(e.importe, (e.id_origen)::numeric, (e.id_sucursal_destino)::numeric) IS NOT NULL)) AS por_entender
   FROM (((etl.etapa e
     LEFT JOIN dw.tipo_movimiento o ON ((o.tipo = e.tipo)))
     CROSS JOIN LATERAL ( SELECT q.cantidad,
            ((q.cantidad < (0)::numeric) AND (o.tipo_si_negativa IS NOT NULL)) AS negativa
           FROM ( SELECT
                        CASE
                            WHEN ((e.cantidad IS NULL) AND (o.cantidad = 'uno si falta'::text)) THEN 1.000000
                            ELSE round(e.cantidad, 6)
                        END AS cantidad) q) n)
     LEFT JOIN dw.tipo_movimiento t ON ((t.tipo =
        CASE
            WHEN n.negativa THEN o.tipo_si_negativa
            ELSE o.tipo
        END)));
COMMENT ON VIEW etl.v_etapa IS 'Lo leído, como lo entienden las reglas: montos redondeados, y el tipo que dice el signo de su cantidad; nulo si no es de dw.tipo_movimiento';
CREATE VIEW etl.v_existencias_al_empezar AS
 SELECT id_producto,
    id_sucursal,
    sum(existencias) AS existencias
   FROM ( SELECT a.id_producto,
            a.id_sucursal,
            a.existencias
           FROM ((dw.apertura_sucursal a
             JOIN etl.v_apertura v ON ((v.id_producto = a.id_producto)))
             JOIN etl.tramo t ON ((t.id_producto = a.id_producto)))
          WHERE t.cuenta_sucursales
        UNION ALL
         SELECT r.id_producto,
            r.id_sucursal,
            r.variacion
           FROM (dw.resumen_sucursal r
             JOIN etl.tramo t ON ((t.id_producto = r.id_producto)))
          WHERE (t.cuenta_sucursales AND (t.desde > '-infinity'::timestamp with time zone))
        UNION ALL
         SELECT t.id_producto,
            m.id_sucursal,
            (- m.variacion)
           FROM ((etl.tramo t
             CROSS JOIN LATERAL ( SELECT f.id_sucursal,
                    f.id_sucursal_destino,
                    f.variacion,
                    f.cantidad
                   FROM dw.kardex f
                  WHERE ((f.id_producto = t.id_producto) AND (f.fecha >= t.desde))
                 OFFSET 0) k)
             CROSS JOIN LATERAL etl.por_sucursal(k.id_sucursal, k.id_sucursal_destino, k.variacion, k.cantidad) m(id_sucursal, variacion))
          WHERE (t.cuenta_sucursales AND (t.desde > '-infinity'::timestamp with time zone))) u
  GROUP BY id_producto, id_sucursal;
COMMENT ON VIEW etl.v_existencias_al_empezar IS 'De los productos que se cuentan por sucursal, lo que había en cada una antes de su tramo';
CREATE VIEW etl.v_par AS
 SELECT n.id_producto,
    n.id_movimiento,
    n.id_origen,
    t.regla
   FROM ((dw.kardex n
     JOIN dw.tipo_movimiento t ON ((t.tipo = n.tipo)))
     JOIN dw.kardex o ON (((o.id_movimiento = n.id_origen) AND (o.id_producto = n.id_producto) AND (o.tipo = t.tipo_origen))))
  WHERE ((n.id_origen IS NOT NULL) AND (NOT n.reverso) AND (NOT o.reverso) AND ((t.regla = 'sumar_costo'::text) OR (o.fecha <= n.fecha)));
COMMENT ON VIEW etl.v_par IS 'Del kardex, cada movimiento que nombra a otro que le sirve de origen';
CREATE VIEW etl.v_por_reversar AS
 SELECT c.id_producto,
    c.fecha,
    c.id_movimiento,
    c.id_sucursal,
    c.version,
    c.orden,
    c.provisional,
    c.tipo,
    c.cantidad,
    c.precio_unitario,
    c.costo_unitario,
    c.costo_total,
    c.ajuste,
    c.existencias,
    c.valor,
    c.costo_promedio,
    c.salto_costo,
    c.variacion,
    c.importe,
    c.id_origen,
    c.id_sucursal_destino,
    c.de_todo,
    c.fecha_documento,
    c.capa,
    c.reverso,
    c.impuesto,
    c.precio_con_impuesto,
    c.igual
   FROM ((etl.cerrada c
     LEFT JOIN LATERAL ( SELECT f.id_movimiento,
            f.capa
           FROM dw.kardex f
          WHERE ((f.id_movimiento = c.id_movimiento) AND (f.capa = (c.capa + 1)))
         OFFSET 0) k ON (true))
     LEFT JOIN etl.baja b ON (((b.id_movimiento = k.id_movimiento) AND (b.capa = k.capa) AND (NOT b.igual))))
  WHERE ((NOT c.reverso) AND ((k.id_movimiento IS NULL) OR (b.id_movimiento IS NOT NULL)));
COMMENT ON VIEW etl.v_por_reversar IS 'Las filas cerradas que esta carga reversa';
CREATE VIEW etl.v_producto_en_su_fecha AS
 SELECT c.id_producto,
    c.desde,
    c.hasta,
    c.categoria,
    c.impuesto,
    c.tasas,
    c.precio_con_impuesto
   FROM etl.producto_cerrado c
UNION ALL
 SELECT p.id_producto,
    ( SELECT etl.cerrado_hasta() AS cerrado_hasta) AS desde,
    'infinity'::timestamp with time zone AS hasta,
    p.categoria,
    p.impuesto,
    p.tasas,
    p.precio_con_impuesto
   FROM dw.producto p;
COMMENT ON VIEW etl.v_producto_en_su_fecha IS 'Lo mismo con lo abierto, donde vale lo de hoy: lo asentado entre desde y hasta se suma así';
CREATE VIEW etl.v_reversada AS
 SELECT k.id_movimiento,
    (k.capa - 1) AS capa
   FROM dw.kardex k
  WHERE (k.reverso AND (NOT (EXISTS ( SELECT
           FROM etl.baja b
          WHERE ((b.id_movimiento = k.id_movimiento) AND (b.capa = k.capa))))))
UNION ALL
 SELECT e.id_movimiento,
    (e.capa - 1) AS capa
   FROM etl.etapa e
  WHERE e.reverso;
COMMENT ON VIEW etl.v_reversada IS 'Las filas del kardex que, con esta carga, tienen su reverso';
CREATE VIEW etl.v_sucursales_al_empezar AS
 SELECT s.id_producto,
    array_agg(s.id_sucursal ORDER BY s.id_sucursal) AS sucursales,
    array_agg(s.existencias ORDER BY s.id_sucursal) AS por_sucursal
   FROM (etl.v_existencias_al_empezar s
     JOIN etl.tramo t ON (((t.id_producto = s.id_producto) AND t.sigue_sucursales)))
  GROUP BY s.id_producto;
COMMENT ON VIEW etl.v_sucursales_al_empezar IS 'Lo mismo en una fila por producto, para la pasada de los que se cuentan en la sucursal 0';
CREATE VIEW etl.v_ultimas_ventas AS
 SELECT k.impuesto,
    COALESCE(k.precio_con_impuesto, p.precio_con_impuesto) AS incluido,
    k.precio_con_impuesto
   FROM ((( SELECT r.id_producto
           FROM dw.resumen_movil r
          ORDER BY r.id_producto DESC
         LIMIT 500) m
     JOIN dw.producto p ON ((p.id_producto = m.id_producto)))
     CROSS JOIN LATERAL ( SELECT f.impuesto,
            f.precio_con_impuesto
           FROM dw.kardex f
          WHERE ((f.id_producto = m.id_producto) AND (f.tipo = 'VENTA'::text))
          ORDER BY f.fecha DESC, f.fecha_documento DESC, f.orden DESC, f.id_movimiento DESC, f.capa DESC
         LIMIT 1) k);
COMMENT ON VIEW etl.v_ultimas_ventas IS 'De hasta 500 productos, si la última venta dice su tasa o si su precio la incluye';
CREATE VIEW etl.v_vista AS
 SELECT c.oid AS vista,
    c.relname,
    c.relpages,
    format('%I.%I'::text, s.nspname, c.relname) AS nombre,
    (c.relispopulated AND u.hay) AS concurrente,
        CASE
            WHEN (NOT u.hay) THEN 'no unique index on plain columns'::text
            WHEN (NOT c.relispopulated) THEN 'never populated'::text
            ELSE NULL::text
        END AS razon
   FROM ((pg_class c
     JOIN pg_namespace s ON ((s.oid = c.relnamespace)))
     CROSS JOIN LATERAL ( SELECT (EXISTS ( SELECT
                   FROM pg_index i
                  WHERE ((i.indrelid = c.oid) AND i.indisunique AND i.indisvalid AND i.indimmediate AND (i.indpred IS NULL) AND (i.indexprs IS NULL)))) AS hay) u)
  WHERE ((c.relkind = 'm'::"char") AND (s.nspname = 'dw'::name));
COMMENT ON VIEW etl.v_vista IS 'Vistas materializadas que la tienda puso en dw: si se pueden refrescar sin bloquear a quien lee';
ALTER TABLE ONLY dw.ajuste_existencias
    ADD CONSTRAINT ajuste_existencias_pkey PRIMARY KEY (id_movimiento);
ALTER TABLE ONLY dw.apertura
    ADD CONSTRAINT apertura_pkey PRIMARY KEY (id_producto);
ALTER TABLE ONLY dw.apertura_sucursal
    ADD CONSTRAINT apertura_sucursal_pkey PRIMARY KEY (id_producto, id_sucursal);
ALTER TABLE ONLY dw.cierre
    ADD CONSTRAINT cierre_dia_key UNIQUE (dia);
ALTER TABLE ONLY dw.cierre
    ADD CONSTRAINT cierre_pkey PRIMARY KEY (hasta);
ALTER TABLE ONLY dw.documento_movimiento
    ADD CONSTRAINT documento_movimiento_pkey PRIMARY KEY (id_movimiento);
ALTER TABLE ONLY dw.inventario
    ADD CONSTRAINT inventario_pkey PRIMARY KEY (id_producto);
ALTER TABLE ONLY dw.kardex
    ADD CONSTRAINT kardex_pk PRIMARY KEY (id_producto, fecha, fecha_documento, orden, id_movimiento, capa);
ALTER TABLE ONLY dw.producto
    ADD CONSTRAINT producto_pkey PRIMARY KEY (id_producto);
ALTER TABLE ONLY dw.resumen_diario
    ADD CONSTRAINT resumen_diario_pkey PRIMARY KEY (dia, id_sucursal, categoria);
ALTER TABLE ONLY dw.resumen_mensual
    ADD CONSTRAINT resumen_mensual_pkey PRIMARY KEY (mes, id_sucursal, id_producto);
ALTER TABLE ONLY dw.resumen_movil
    ADD CONSTRAINT resumen_movil_pkey PRIMARY KEY (id_producto);
ALTER TABLE ONLY dw.resumen_sucursal
    ADD CONSTRAINT resumen_sucursal_pkey PRIMARY KEY (id_producto, id_sucursal);
ALTER TABLE ONLY dw.sucursal
    ADD CONSTRAINT sucursal_pkey PRIMARY KEY (id_sucursal);
ALTER TABLE ONLY dw.tipo_movimiento
    ADD CONSTRAINT tipo_movimiento_pkey PRIMARY KEY (tipo);
ALTER TABLE ONLY etl.cerrada
    ADD CONSTRAINT cerrada_pkey PRIMARY KEY (id_movimiento);
ALTER TABLE ONLY etl.circunstancia
    ADD CONSTRAINT circunstancia_pkey PRIMARY KEY (id_movimiento, capa);
ALTER TABLE ONLY etl.concesion
    ADD CONSTRAINT concesion_pkey PRIMARY KEY (rol, objeto);
ALTER TABLE ONLY etl.control
    ADD CONSTRAINT control_pkey PRIMARY KEY (unico);
ALTER TABLE ONLY etl.corrida
    ADD CONSTRAINT corrida_pkey PRIMARY KEY (desde, hasta);
ALTER TABLE ONLY etl.fuera_de_alcance
    ADD CONSTRAINT fuera_de_alcance_pkey PRIMARY KEY (id_movimiento);
ALTER TABLE ONLY etl.por_probar
    ADD CONSTRAINT por_probar_pkey PRIMARY KEY (id_producto);
ALTER TABLE ONLY etl.producto_cerrado
    ADD CONSTRAINT producto_cerrado_pkey PRIMARY KEY (id_producto, hasta);
ALTER TABLE ONLY etl.prueba
    ADD CONSTRAINT prueba_pkey PRIMARY KEY (unico);
ALTER TABLE ONLY etl.rechazo
    ADD CONSTRAINT rechazo_pkey PRIMARY KEY (id_movimiento);
ALTER TABLE ONLY etl.tramo
    ADD CONSTRAINT tramo_pkey PRIMARY KEY (id_producto);
CREATE INDEX ajuste_existencias_deshechos ON dw.ajuste_existencias USING btree (deshace) WHERE (deshace IS NOT NULL);
CREATE INDEX ajuste_existencias_producto ON dw.ajuste_existencias USING btree (id_producto, fecha);
CREATE INDEX ajuste_existencias_ventana ON dw.ajuste_existencias USING btree (hasta);
CREATE INDEX documento_movimiento_documento ON dw.documento_movimiento USING btree (id_documento) WHERE (id_documento IS NOT NULL);
CREATE UNIQUE INDEX existencias_tienda_clave ON dw.existencias_tienda USING btree (id_producto, COALESCE(id_sucursal, '-9223372036854775808'::bigint));
CREATE INDEX kardex_avisos ON dw.kardex USING btree (id_producto, fecha) WHERE (salto_costo IS NOT NULL);
CREATE INDEX kardex_conteos ON dw.kardex USING btree (id_producto, fecha) WHERE ((orden = 3) AND (de_todo IS NULL));
CREATE INDEX kardex_correcciones ON dw.kardex USING btree (id_movimiento, capa) WHERE ((capa > 0) OR (fecha_documento < fecha));
CREATE INDEX kardex_origenes ON dw.kardex USING btree (id_producto, id_origen, fecha) WHERE (id_origen IS NOT NULL);
CREATE INDEX kardex_recuentos ON dw.kardex USING btree (fecha) WHERE (orden = 3);
CREATE INDEX kardex_reversos ON dw.kardex USING btree (id_movimiento, capa) WHERE reverso;
CREATE INDEX kardex_traslados ON dw.kardex USING btree (id_producto) WHERE (id_sucursal_destino IS NOT NULL);
CREATE UNIQUE INDEX politica_precio_clave ON dw.politica_precio USING btree (COALESCE(id_producto, ('-1'::integer)::bigint), COALESCE(categoria, ''::text), COALESCE(desde, '-infinity'::date));
CREATE UNIQUE INDEX politica_reposicion_clave ON dw.politica_reposicion USING btree (COALESCE(id_producto, ('-1'::integer)::bigint), COALESCE(categoria, ''::text));
CREATE INDEX producto_referencia ON dw.producto USING btree (id_producto) WHERE (costo_referencia IS NOT NULL);
CREATE INDEX producto_sin_existencias ON dw.producto USING btree (id_producto) WHERE (NOT inventariable);
CREATE UNIQUE INDEX diferencia_existencias_clave ON etl.diferencia_existencias USING btree (id_producto, COALESCE(id_sucursal, '-9223372036854775808'::bigint));
CREATE INDEX producto_cerrado_sin_existencias ON etl.producto_cerrado USING btree (id_producto) WHERE (NOT inventariable);
CREATE TRIGGER releer AFTER INSERT OR DELETE OR UPDATE ON dw.tipo_movimiento FOR EACH ROW EXECUTE FUNCTION etl.releer_por_tipos();
CREATE TRIGGER solo_se_anade BEFORE DELETE OR UPDATE OR TRUNCATE ON dw.ajuste_existencias FOR EACH STATEMENT EXECUTE FUNCTION etl.solo_se_anade();
ALTER TABLE ONLY dw.ajuste_existencias
    ADD CONSTRAINT ajuste_existencias_deshace_fkey FOREIGN KEY (deshace) REFERENCES dw.ajuste_existencias(id_movimiento);
ALTER TABLE ONLY dw.apertura_sucursal
    ADD CONSTRAINT apertura_sucursal_id_producto_fkey FOREIGN KEY (id_producto) REFERENCES dw.apertura(id_producto);
ALTER TABLE ONLY dw.tipo_movimiento
    ADD CONSTRAINT tipo_movimiento_tipo_origen_fkey FOREIGN KEY (tipo_origen) REFERENCES dw.tipo_movimiento(tipo);
ALTER TABLE ONLY dw.tipo_movimiento
    ADD CONSTRAINT tipo_movimiento_tipo_si_negativa_fkey FOREIGN KEY (tipo_si_negativa) REFERENCES dw.tipo_movimiento(tipo);
GRANT USAGE ON SCHEMA dw TO etl_cargador;
GRANT USAGE ON SCHEMA dw TO bi_lector;
GRANT USAGE ON SCHEMA etl TO etl_cargador;
REVOKE ALL ON FUNCTION dw.actualizar_costo_promedio(estado dw.estado, cantidad numeric, costo_unitario numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.actualizar_stock_venta(estado dw.estado, cantidad numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.al_promedio(estado dw.estado, cantidad numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.aplicar_movimiento(paso dw.paso, regla text, cantidad numeric, costo_unitario numeric, c dw.circunstancia) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.calcular_precio_sugerido(costo numeric, margen numeric, impuesto numeric, redondeo numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.concesiones(p_rol text) FROM PUBLIC;
GRANT ALL ON FUNCTION dw.concesiones(p_rol text) TO etl_cargador;
GRANT ALL ON FUNCTION dw.concesiones(p_rol text) TO bi_lector;
REVOKE ALL ON FUNCTION dw.costo_devuelto(cantidad numeric, costo_promedio numeric, costo_vendido numeric, cantidad_vendida numeric, existencias_tras_venta numeric, promedio_vendido numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.devolver_compra(estado dw.estado, cantidad numeric, costo numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.devolver_venta(estado dw.estado, cantidad numeric, costo numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.existencias_al(p_dia date) FROM PUBLIC;
GRANT ALL ON FUNCTION dw.existencias_al(p_dia date) TO bi_lector;
REVOKE ALL ON FUNCTION dw.recibir(estado dw.estado, cantidad numeric, costo_unitario numeric, adicional numeric, importe numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.refrescar_vistas_materializadas() FROM PUBLIC;
GRANT ALL ON FUNCTION dw.refrescar_vistas_materializadas() TO etl_cargador;
REVOKE ALL ON FUNCTION dw.seguir(paso dw.paso, regla text, cantidad numeric, costo_unitario numeric, c dw.circunstancia) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.sumar_costo(estado dw.estado, costo numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.valuar_movimiento(paso dw.paso, regla text, cantidad numeric, costo_unitario numeric, importe numeric, adicional numeric, en_su_entrada boolean, origen dw.origen, habia numeric, referencia numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.venta_neta(cantidad numeric, precio_unitario numeric, impuesto numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION dw.venta_neta(cantidad numeric, precio_unitario numeric, impuesto numeric) TO bi_lector;
REVOKE ALL ON FUNCTION etl.abrir_historia(p_desde timestamp with time zone, p_zona text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.abrir_historia(p_desde timestamp with time zone, p_zona text) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.abrir_ventana(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_version uuid, p_zona text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.abrir_ventana(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_version uuid, p_zona text) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.aceptar_ajustes() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.aceptar_ajustes() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.aceptar_fuente(p_senal text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.aceptar_fuente(p_senal text) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.aconsejar_salidas(p_control etl.control, p_extracto jsonb, p_quitadas bigint, p_reemplazadas bigint, p_ajenas bigint, p_anuladas bigint, p_corregidas bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.actualizar_inventario(p_numero bigint, p_corte date, p_zona text, p_todos boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.actualizar_kardex() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.actualizar_resumenes() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.adoptar(p_tienda text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.adoptar(p_tienda text) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.agregar_al_kardex(p_numero bigint, p_factor numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.ajustes_por_llevar(p_ajustes bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.anotar_atrasadas(p_extracto jsonb, p_antes timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.anotar_corrida(p_extracto jsonb, p_conteo jsonb, p_segundos numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.anotar_documentos() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.anotar_fuera_de_alcance(p_extracto jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.anotar_prueba(p_estado jsonb, p_entera boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.anotar_prueba(p_estado jsonb, p_entera boolean) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.anotar_revaluacion(p_releer boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.anotar_vistas(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_segundos numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.anotar_vistas(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_segundos numeric) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.anular_prueba() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.anular_prueba() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.apartar_cerradas(p_cerrado timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.apartar_rechazos(p_desde timestamp with time zone, p_hasta timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.aperturas_fechadas() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.aperturas_fechadas() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.aplicar_aperturas(p_aperturas jsonb, p_opciones jsonb, p_quitar_anteriores boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.aplicar_aperturas(p_aperturas jsonb, p_opciones jsonb, p_quitar_anteriores boolean) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.asentar(p_cerrado timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.asentar_ajustes(p_control etl.control, p_extracto jsonb, p_opciones jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.avanzar_control(p_extracto jsonb, p_inicial timestamp with time zone, p_politica text, p_zona text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.bloquear_control(p_zona text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.bloques(p_filas bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.bloques(p_filas bigint) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.buscar_producto(p_id_producto bigint, p_codigo text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.buscar_producto(p_id_producto bigint, p_codigo text) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.buscar_tasa(p_impuesto numeric, p_tasas dw.tasa[], p_dia date) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.buscar_tasa(p_impuesto numeric, p_tasas dw.tasa[], p_dia date) TO bi_lector;
REVOKE ALL ON FUNCTION etl.cargar_dimensiones(p_incluye_impuesto boolean, p_politica text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.cargar_existencias(p_extracto jsonb, p_ventana timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.cargar_historia(p_extracto jsonb, p_opciones jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.cargar_historia(p_extracto jsonb, p_opciones jsonb) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.cargar_referencias() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.cargar_ventana(p_extracto jsonb, p_opciones jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.cargar_ventana(p_extracto jsonb, p_opciones jsonb) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.cerrado_hasta() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.cerrado_hasta() TO bi_lector;
REVOKE ALL ON FUNCTION etl.cerrar(p_dia date, p_zona text, p_opciones jsonb, p_igual boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.cerrar(p_dia date, p_zona text, p_opciones jsonb, p_igual boolean) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.cerrar_productos(p_desde timestamp with time zone, p_hasta timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.cierre_del_libro(p_desde date, p_hasta date, p_zona text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.cierre_del_libro(p_desde date, p_hasta date, p_zona text) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.cierres() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.cierres() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.cifras_ensayo() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.cifras_ensayo() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.clasificar(p_inicial timestamp with time zone, p_limite timestamp with time zone, p_imagen_completa boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.como_se_llaman(p_movimientos bigint[], p_productos bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.como_se_llaman(p_movimientos bigint[], p_productos bigint[]) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.comparar(p_imagen_completa boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.comparar_existencias(p_productos bigint[], p_ventana timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.comparar_fuentes(p_antes jsonb, p_ahora jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.comparar_tocados() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.comprobar_igualadas(p_esperadas jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.conceder(p_permiso text, p_objeto text, p_rol text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.contar_cambios() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.contar_correcciones() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.contar_fuera() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.contar_lo_no_listado(p_tope bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.contar_reescritas() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.contar_renumeradas() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.contar_salidas() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.contar_series(OUT ajenas bigint, OUT nuevas bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.conteos_sin_entradas() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.conteos_sin_entradas() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.corregir_asientos(p_cerrado timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.correr_resumen_movil(p_antes date, p_corte date, p_zona text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.costo_valido(costo numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.dar_de_baja_borrados(p_revisados jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.dar_de_baja_desconocidos() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.dar_de_baja_lineas(p_lineas bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.diferencias_de_resumen(p_zona text, p_corte date) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.documentos_de_movimientos(p_movimientos bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.documentos_de_movimientos(p_movimientos bigint[]) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.en_cuarentena() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.es_ajuste(p_movimiento bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.es_inicial(p_movimiento bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.es_nueva(p_movimiento bigint, p_previsto bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.es_otra_base(p_antes jsonb, p_ahora jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.esperan_cierre(p_desde timestamp with time zone, p_hasta timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.esta_base() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.estado_operacion(p_ventanas integer) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.estado_operacion(p_ventanas integer) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.existencias_que_difieren(p_productos bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.extender_tramos() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.fechas_por_revisar() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.fechas_por_revisar() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.fines_de_mes(p_corte date, p_zona text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.franja(p_dia date, p_corte date) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.hay_claves() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.hay_origenes() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.hay_sucursales() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.hay_sucursales() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.huella(p_contenido bytea, p_reloj timestamp without time zone, p_rapida boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.huella(p_contenido bytea, p_reloj timestamp without time zone, p_rapida boolean) TO etl_cargador;
GRANT SELECT ON TABLE dw.cierre TO bi_lector;
REVOKE ALL ON FUNCTION etl.huella_del_periodo(p_cierre dw.cierre, p_suma bytea, p_anterior text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.huella_politica(p_incluye_impuesto boolean, p_dia date) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.igualar_existencias(p_extracto jsonb, p_opciones jsonb, p_control etl.control, p_corte date) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.importar_ajustes(p_ajustes jsonb, p_opciones jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.importar_ajustes(p_ajustes jsonb, p_opciones jsonb) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.impuesto_de_los_precios() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.impuesto_de_los_precios() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.impuesto_dicho() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.impuesto_dicho() TO bi_lector;
REVOKE ALL ON FUNCTION etl.indexar_kardex() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.inicio_del_dia(p_dia date, p_zona text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.inicio_del_dia(p_dia date, p_zona text) TO bi_lector;
REVOKE ALL ON FUNCTION etl.leer_control() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.leer_control() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.leer_existencias(p_leidas jsonb, p_ventana timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.leer_prueba() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.leer_prueba() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.leer_tipos() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.leer_tipos() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.libro(p_desde date, p_hasta date, p_zona text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.libro(p_desde date, p_hasta date, p_zona text) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.libro_producto(p_id_producto bigint, p_desde date, p_hasta date, p_zona text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.libro_producto(p_id_producto bigint, p_desde date, p_hasta date, p_zona text) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.libro_sucursales(p_hasta date, p_zona text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.libro_sucursales(p_hasta date, p_zona text) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.limite_de_costos() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.lineas_de_documentos(p_documentos bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.lineas_de_documentos(p_documentos bigint[]) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.lineas_que_faltan(p_extracto jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.listar_ajustes(p_limite bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.listar_ajustes(p_limite bigint) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.listar_rechazos(p_limite integer) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.listar_rechazos(p_limite integer) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.llevar_ajustes(p_ajustes bigint[], p_numero bigint, p_opciones jsonb, p_corte date) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.marcar_con_costos(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_costos timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.marcar_por_probar(p_numero bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.marcar_tramos() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.metricas() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.metricas() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.misma_politica() FROM PUBLIC;
GRANT SELECT ON TABLE dw.tipo_movimiento TO bi_lector;
REVOKE ALL ON FUNCTION etl.motivo_rechazo(t dw.tipo_movimiento, conocido boolean, cantidad numeric, precio numeric, costo numeric, importe numeric, impuesto numeric, fecha timestamp with time zone, limite timestamp with time zone, sucursal bigint, destino bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.motivos_de_rechazo() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.motivos_de_rechazo() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.motivos_frecuentes() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.movimientos_del_cierre(p_dia date) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.movimientos_del_cierre(p_dia date) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.nombrar_sucursales() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.numero_de_ajuste(p_inicial boolean, VARIADIC p_de text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.numeros_de_bloques(p_limites bigint[], p_bloques integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.numeros_de_bloques(p_limites bigint[], p_bloques integer[]) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.numeros_fuera() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.numeros_fuera() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.numeros_por_bloque(p_limites bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.numeros_por_bloque(p_limites bigint[]) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.olvidar_documentos(p_lineas bigint[], p_completa boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.origenes_por_revisar() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.pasar_ventana(p_version uuid, p_hasta timestamp with time zone, p_opciones jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.pasar_ventana(p_version uuid, p_hasta timestamp with time zone, p_opciones jsonb) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.pocas_filas() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.politica_al(p_dia date) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.por_ajustar(p_leida timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.por_comparar() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.por_comparar() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.por_descartar(p_inicial timestamp with time zone, p_limite timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.por_sucursal(p_sucursal bigint, p_destino bigint, p_variacion numeric, p_cantidad numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.precio_informado(p_precio boolean, precio numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.preguntar_ajustes() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.preguntar_ajustes() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.preparar_carga() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.productos_libro() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.productos_libro() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.productos_vigentes() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.productos_vigentes() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.proponer_ajustes(p_extracto jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.puede_irse(p_documento timestamp with time zone, p_capa smallint, p_cerrado timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.quien_bloquea() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.quien_bloquea() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.reabrir(p_dia date, p_motivo text, p_zona text, p_opciones jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.reabrir(p_dia date, p_motivo text, p_zona text, p_opciones jsonb) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.recalcular_resumenes(p_zona text, p_corte date) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.recibir_existencias(p_todas boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.refrescar_vista(p_vista oid) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.refrescar_vista(p_vista oid) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.regla_de(reverso boolean, regla text, signo smallint, inventariable boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.reintentar_rechazos(p_revisados jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.releer_por_tipos() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.repetir(p_numero bigint, p_factor numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.repetir_libro(p_corta boolean, p_movimientos bigint[], p_parte bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.resumir_ajustes(p_ajustes dw.ajuste_existencias[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.resumir_correcciones(p_de_la_carga boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.resumir_diferencias() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.resumir_diferencias() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.resumir_fuera_de_alcance() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.resumir_fuera_de_alcance() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.retirar_productos() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.reunir_circunstancias() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.reunir_conteos() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.reunir_conteos_cerrados() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.reunir_reversos() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revaluar(p_numero bigint, p_opciones jsonb, p_corte date, p_todos boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_ajustes(p_control etl.control, p_resumen jsonb, p_opciones jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_archivadas(p_cerrado timestamp with time zone, p_opciones jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_catalogo(p_control etl.control, p_extracto jsonb, p_opciones jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_claves() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_dimensiones() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_etapa() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_kardex() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_rechazos(p_filas bigint, p_opciones jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_salidas(p_control etl.control, p_extracto jsonb, p_opciones jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_silencio(p_conteo jsonb, p_hasta timestamp with time zone, p_opciones jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.salidas() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.salto_costo(anterior numeric, costo numeric, factor numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.senal_fuente(p_identidad jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.solo_se_anade() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.sucursales_producto(p_id_producto bigint, p_hasta date, p_zona text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.sucursales_producto(p_id_producto bigint, p_hasta date, p_zona text) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.sumar(p_zona text, p_corte date, p_todo boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.sumar_movil() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.sumar_periodos(p_limites timestamp with time zone[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.sumar_sucursales() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.tasa_asentada(p_producto bigint, p_fecha timestamp with time zone, p_movimiento bigint, p_capa smallint, p_reverso boolean, p_dia date, p_linea numeric, p_con_impuesto boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.tasa_de_venta(p_linea numeric, p_con_impuesto boolean, p_incluye boolean, p_impuesto numeric, p_tasas dw.tasa[], p_dia date) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.tasa_en_su_fecha(p_producto bigint, p_asentado timestamp with time zone, p_documento timestamp with time zone, p_linea numeric, p_con_impuesto boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.tasa_en_su_fecha(p_producto bigint, p_asentado timestamp with time zone, p_documento timestamp with time zone, p_linea numeric, p_con_impuesto boolean) TO bi_lector;
REVOKE ALL ON FUNCTION etl.tasas() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.tramos(p_cola boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.tramos_de_prueba(p_corta boolean, p_movimientos bigint[], p_parte bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.ultima_lectura() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.ultima_lectura() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.ultima_venta(p_producto bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.ultimo_cierre() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.vaciar_trabajo() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.valor_promedio(p_producto bigint, p_fines timestamp with time zone[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.valorizar(p_cola boolean, p_numero bigint, p_factor numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.vendidos_sin_entradas() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.vendidos_sin_entradas() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.ventanas_cargadas(p_desde timestamp with time zone[], p_hasta timestamp with time zone[]) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.ventanas_cargadas(p_desde timestamp with time zone[], p_hasta timestamp with time zone[]) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.verificar_ajustes() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.verificar_bloques(p_desde timestamp with time zone, p_limites bigint[], p_zona text, p_rapida boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.verificar_bloques(p_desde timestamp with time zone, p_limites bigint[], p_zona text, p_rapida boolean) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.verificar_cierres() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.verificar_cierres() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.verificar_filas(p_desde timestamp with time zone, p_bloques integer[], p_limites bigint[], p_zona text, p_rapida boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.verificar_filas(p_desde timestamp with time zone, p_bloques integer[], p_limites bigint[], p_zona text, p_rapida boolean) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.verificar_inventario(p_corta boolean, p_movimientos bigint[], p_parte bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.verificar_libros(p_parte bigint, p_corta boolean, p_movimientos bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.verificar_libros(p_parte bigint, p_corta boolean, p_movimientos bigint[]) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.verificar_movimientos(p_movimientos bigint[], p_zona text, p_rapida boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.verificar_movimientos(p_movimientos bigint[], p_zona text, p_rapida boolean) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.verificar_sumas(p_zona text, p_corte date) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.verificar_sumas_tocadas(p_zona text, p_corte date, p_movimientos bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.vistas_por_refrescar() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.vistas_por_refrescar() TO etl_cargador;
REVOKE ALL ON FUNCTION dw.valuar(text, numeric, numeric, dw.circunstancia) FROM PUBLIC;
GRANT SELECT ON TABLE dw.existencias_sucursal TO bi_lector;
GRANT SELECT ON TABLE dw.existencias_tienda TO bi_lector;
GRANT SELECT ON TABLE dw.mv_abc TO bi_lector;
GRANT SELECT ON TABLE dw.mv_datos_al TO bi_lector;
GRANT SELECT ON TABLE dw.mv_inventario_valorizado TO bi_lector;
GRANT SELECT ON TABLE dw.mv_margen_producto_mes TO bi_lector;
GRANT SELECT ON TABLE dw.mv_precios TO bi_lector;
GRANT SELECT ON TABLE dw.mv_reposicion TO bi_lector;
GRANT SELECT ON TABLE dw.mv_rotacion TO bi_lector;
GRANT SELECT ON TABLE dw.mv_valor_diario TO bi_lector;
GRANT SELECT ON TABLE dw.mv_ventas_diarias TO bi_lector;
GRANT SELECT ON TABLE dw.reapertura TO bi_lector;
GRANT SELECT ON TABLE dw.v_antiguedad TO bi_lector;
GRANT SELECT ON TABLE dw.v_conteos TO bi_lector;
GRANT SELECT ON TABLE dw.v_correcciones TO bi_lector;
GRANT SELECT ON TABLE dw.v_corridas TO bi_lector;
GRANT SELECT ON TABLE dw.v_costo_dudoso TO bi_lector;
GRANT SELECT ON TABLE dw.v_diferencias_existencias TO bi_lector;
GRANT SELECT ON TABLE dw.v_fuera_de_alcance TO bi_lector;
GRANT SELECT ON TABLE dw.v_kardex TO bi_lector;
GRANT SELECT ON TABLE dw.v_rechazos TO bi_lector;
GRANT SELECT ON TABLE dw.v_reposicion_sucursal TO bi_lector;
GRANT SELECT ON TABLE dw.v_saltos_costo TO bi_lector;
GRANT SELECT ON TABLE dw.v_ventas_hora TO bi_lector;
GRANT SELECT ON TABLE dw.v_ventas_interanual TO bi_lector;
GRANT SELECT ON TABLE dw.v_ventas_producto TO bi_lector;
GRANT INSERT ON TABLE etl.etapa TO etl_cargador;
GRANT INSERT ON TABLE etl.etapa_existencia TO etl_cargador;
GRANT INSERT ON TABLE etl.etapa_producto TO etl_cargador;
GRANT INSERT ON TABLE etl.etapa_sucursal TO etl_cargador;
