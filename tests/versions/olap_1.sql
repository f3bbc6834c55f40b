-- The OLAP's objects as init made them when they were of version 1 (pg_dump --schema-only).
SET check_function_bodies = false;
CREATE SCHEMA dw;
COMMENT ON SCHEMA dw IS 'Inventario valorizado, resúmenes y vistas para los tableros';
CREATE SCHEMA etl;
COMMENT ON SCHEMA etl IS 'Control y tablas de trabajo de la carga';
CREATE TYPE dw.estado AS (
	existencias numeric,
	valor numeric,
	costo_promedio numeric,
	costo_total numeric,
	ajuste numeric
);
COMMENT ON TYPE dw.estado IS 'Estado de un producto tras un movimiento, con el costo y el ajuste de ese movimiento';
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
CREATE FUNCTION dw.aplicar_movimiento(estado dw.estado, tipo text, cantidad numeric, costo_unitario numeric, valor_inicial numeric) RETURNS dw.estado
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
BEGIN
    -- One branch a movement type: a new type is a new function and a new branch.
    IF tipo = 'VENTA' THEN
        RETURN dw.actualizar_stock_venta(estado, cantidad);
    ELSIF tipo = 'ENTRADA_MERCANCIA' THEN
        RETURN dw.actualizar_costo_promedio(estado, cantidad, costo_unitario);
    END IF;
    RETURN ROW(cantidad, valor_inicial, costo_unitario, 0.000000, 0.000000)::dw.estado;
END
$$;
COMMENT ON FUNCTION dw.aplicar_movimiento(estado dw.estado, tipo text, cantidad numeric, costo_unitario numeric, valor_inicial numeric) IS 'Paso del agregado dw.valuar; el tipo SALDO pone el estado desde el que se repite';
CREATE FUNCTION dw.calcular_precio_sugerido(costo numeric, margen numeric, impuesto numeric, redondeo numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE WHEN costo = 0 THEN NULL ELSE (
    div(costo * (1 + impuesto), (1 - margen) * redondeo)
    + CASE WHEN mod(costo * (1 + impuesto), (1 - margen) * redondeo) = 0 THEN 0 ELSE 1 END
) * redondeo END
$$;
COMMENT ON FUNCTION dw.calcular_precio_sugerido(costo numeric, margen numeric, impuesto numeric, redondeo numeric) IS 'Costo / (1 - margen) · (1 + impuesto), redondeado hacia arriba al paso; nulo si el costo es 0';
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
CREATE FUNCTION dw.venta_neta(cantidad numeric, precio_unitario numeric, impuesto numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE
    WHEN impuesto = 0 THEN round(cantidad * precio_unitario, 6)
    ELSE round(cantidad * precio_unitario * 1.00000000000000000000 / (1 + impuesto), 6)
END
$$;
COMMENT ON FUNCTION dw.venta_neta(cantidad numeric, precio_unitario numeric, impuesto numeric) IS 'Importe de una venta sin el impuesto que su precio incluye';
CREATE FUNCTION dw.ventas_por_producto(p_desde date, p_hasta date) RETURNS TABLE(id_producto bigint, unidades numeric, venta_neta numeric, costo_ventas numeric)
    LANGUAGE sql STABLE
    AS $$
SELECT s.id_producto, sum(s.unidades_vendidas), sum(s.venta_neta), sum(s.costo_ventas)
FROM (
    SELECT m.id_producto, m.unidades_vendidas, m.venta_neta, m.costo_ventas
    FROM dw.resumen_mensual AS m
    WHERE m.mes >= p_desde AND m.mes + interval '1 month' <= p_hasta + 1
    UNION ALL
    SELECT d.id_producto, d.unidades_vendidas, d.venta_neta, d.costo_ventas
    FROM dw.resumen_producto AS d
    WHERE (
        d.dia >= p_desde
        AND d.dia < least(date_trunc('month', p_desde + interval '1 month' - interval '1 day')::date,
                          p_hasta + 1)
    ) OR (
        d.dia <= p_hasta
        AND d.dia >= greatest(date_trunc('month', p_hasta + 1)::date,
                              date_trunc('month', p_desde + interval '1 month' - interval '1 day')::date)
    )
) AS s
GROUP BY s.id_producto
$$;
COMMENT ON FUNCTION dw.ventas_por_producto(p_desde date, p_hasta date) IS 'Unidades, venta neta y costo de ventas de cada producto entre dos días, ambos incluidos';
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
CREATE FUNCTION etl.aceptar_fuente(p_senal text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
UPDATE etl.control AS c SET aceptar_fuente = p_senal
$$;
COMMENT ON FUNCTION etl.aceptar_fuente(p_senal text) IS 'Deja pasar, una sola vez, una lectura completa de ese OLTP aunque quite mucho del kardex';
CREATE FUNCTION etl.actualizar_inventario(p_numero bigint, p_todos_los_precios boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO dw.inventario AS i (
        id_producto, existencias, valor, costo_promedio, precio_sugerido, version
    )
    SELECT
        s.id_producto, s.existencias, s.valor, s.costo_promedio,
        dw.calcular_precio_sugerido(s.costo_promedio, v.margen, v.impuesto, v.redondeo), p_numero
    FROM (
        SELECT
            t.id_producto,
            coalesce(u.existencias, a.existencias, 0) AS existencias,
            coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0) AS valor,
            coalesce(u.costo_promedio, a.costo_promedio, 0) AS costo_promedio
        FROM etl.tramo AS t
        LEFT JOIN dw.apertura AS a ON a.id_producto = t.id_producto
        LEFT JOIN LATERAL (
            SELECT k.existencias, k.valor, k.costo_promedio
            FROM dw.kardex AS k
            WHERE k.id_producto = t.id_producto
            ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
            LIMIT 1
        ) AS u ON true
    ) AS s
    INNER JOIN dw.v_politica_producto AS v ON v.id_producto = s.id_producto
    ON CONFLICT (id_producto) DO UPDATE SET
        existencias = excluded.existencias, valor = excluded.valor,
        costo_promedio = excluded.costo_promedio, precio_sugerido = excluded.precio_sugerido,
        version = excluded.version
    WHERE (i.existencias, i.valor, i.costo_promedio, i.precio_sugerido)
        IS DISTINCT FROM
        (excluded.existencias, excluded.valor, excluded.costo_promedio, excluded.precio_sugerido);
    IF p_todos_los_precios THEN
        UPDATE dw.inventario AS i
        SET precio_sugerido
            = dw.calcular_precio_sugerido(i.costo_promedio, v.margen, v.impuesto, v.redondeo),
            version = p_numero
        FROM dw.v_politica_producto AS v
        WHERE v.id_producto = i.id_producto
            AND i.precio_sugerido IS DISTINCT FROM
            dw.calcular_precio_sugerido(i.costo_promedio, v.margen, v.impuesto, v.redondeo);
    END IF;
END
$$;
COMMENT ON FUNCTION etl.actualizar_inventario(p_numero bigint, p_todos_los_precios boolean) IS 'Estado y precio sugerido de los productos tocados, o el precio de todos si cambió la política';
CREATE FUNCTION etl.actualizar_kardex(p_numero bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_revaluadas bigint;
BEGIN
    DELETE FROM dw.kardex AS k USING etl.baja AS b
    WHERE k.id_producto = b.id_producto AND k.fecha = b.fecha AND k.orden = b.orden
        AND k.id_movimiento = b.id_movimiento;
    UPDATE dw.kardex AS k
    SET version = p_numero,
        provisional = r.tipo = 'VENTA' AND (r.existencias < 0 OR r.costo_promedio = 0),
        costo_unitario = r.costo_unitario, costo_total = r.costo_total, ajuste = r.ajuste,
        existencias = r.existencias, valor = r.valor, costo_promedio = r.costo_promedio,
        salto_costo = r.salto_costo
    FROM etl.repeticion AS r
    WHERE NOT r.es_alta AND r.difiere
        AND k.id_producto = r.id_producto AND k.fecha = r.fecha AND k.orden = r.orden
        AND k.id_movimiento = r.id_movimiento;
    GET DIAGNOSTICS v_revaluadas = ROW_COUNT;
    INSERT INTO dw.kardex (
        id_producto, fecha, id_movimiento, id_sucursal, version, orden, provisional, tipo,
        cantidad, precio_unitario, costo_unitario, costo_total, ajuste, existencias, valor,
        costo_promedio, salto_costo
    )
    SELECT
        r.id_producto, r.fecha, r.id_movimiento, r.id_sucursal, p_numero, r.orden,
        r.tipo = 'VENTA' AND (r.existencias < 0 OR r.costo_promedio = 0), r.tipo,
        r.cantidad, r.precio_unitario, r.costo_unitario, r.costo_total, r.ajuste,
        r.existencias, r.valor, r.costo_promedio, r.salto_costo
    FROM etl.repeticion AS r
    WHERE r.es_alta;
    RETURN v_revaluadas;
END
$$;
COMMENT ON FUNCTION etl.actualizar_kardex(p_numero bigint) IS 'Lleva bajas, cambios de valor y altas al kardex; devuelve cuántas filas anteriores cambiaron de valor';
CREATE FUNCTION etl.actualizar_resumenes() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO dw.resumen_diario AS r
    SELECT
        d.dia, d.id_sucursal, d.categoria, d.movimientos, d.unidades_vendidas, d.venta_bruta,
        d.venta_neta, d.costo_ventas, d.ajuste, d.unidades_recibidas, d.costo_recibido
    FROM etl.delta AS d
    WHERE d.nivel = 1
    ON CONFLICT (dia, id_sucursal, categoria) DO UPDATE SET
        movimientos = r.movimientos + excluded.movimientos,
        unidades_vendidas = r.unidades_vendidas + excluded.unidades_vendidas,
        venta_bruta = r.venta_bruta + excluded.venta_bruta,
        venta_neta = r.venta_neta + excluded.venta_neta,
        costo_ventas = r.costo_ventas + excluded.costo_ventas,
        ajuste = r.ajuste + excluded.ajuste,
        unidades_recibidas = r.unidades_recibidas + excluded.unidades_recibidas,
        costo_recibido = r.costo_recibido + excluded.costo_recibido;
    INSERT INTO dw.resumen_mensual AS r
    SELECT
        d.mes, d.id_sucursal, d.id_producto, d.movimientos, d.unidades_vendidas, d.venta_bruta,
        d.venta_neta, d.costo_ventas, d.ajuste, d.unidades_recibidas, d.costo_recibido
    FROM etl.delta AS d
    WHERE d.nivel = 2
    ON CONFLICT (mes, id_sucursal, id_producto) DO UPDATE SET
        movimientos = r.movimientos + excluded.movimientos,
        unidades_vendidas = r.unidades_vendidas + excluded.unidades_vendidas,
        venta_bruta = r.venta_bruta + excluded.venta_bruta,
        venta_neta = r.venta_neta + excluded.venta_neta,
        costo_ventas = r.costo_ventas + excluded.costo_ventas,
        ajuste = r.ajuste + excluded.ajuste,
        unidades_recibidas = r.unidades_recibidas + excluded.unidades_recibidas,
        costo_recibido = r.costo_recibido + excluded.costo_recibido;
    INSERT INTO dw.resumen_producto AS r
    SELECT
        d.dia, d.id_producto, d.movimientos, d.unidades_vendidas, d.venta_neta, d.costo_ventas
    FROM etl.delta AS d
    WHERE d.nivel = 3
    ON CONFLICT (dia, id_producto) DO UPDATE SET
        movimientos = r.movimientos + excluded.movimientos,
        unidades_vendidas = r.unidades_vendidas + excluded.unidades_vendidas,
        venta_neta = r.venta_neta + excluded.venta_neta,
        costo_ventas = r.costo_ventas + excluded.costo_ventas;
    -- A key without movements is no row, so that the summaries never depend on history.
    DELETE FROM dw.resumen_diario AS r USING etl.delta AS d
    WHERE d.nivel = 1 AND d.movimientos < 0 AND r.movimientos = 0
        AND r.dia = d.dia AND r.id_sucursal = d.id_sucursal AND r.categoria = d.categoria;
    DELETE FROM dw.resumen_mensual AS r USING etl.delta AS d
    WHERE d.nivel = 2 AND d.movimientos < 0 AND r.movimientos = 0
        AND r.mes = d.mes AND r.id_sucursal = d.id_sucursal AND r.id_producto = d.id_producto;
    DELETE FROM dw.resumen_producto AS r USING etl.delta AS d
    WHERE d.nivel = 3 AND d.movimientos < 0 AND r.movimientos = 0
        AND r.dia = d.dia AND r.id_producto = d.id_producto;
END
$$;
COMMENT ON FUNCTION etl.actualizar_resumenes() IS 'Suma etl.delta a los tres resúmenes';
CREATE FUNCTION etl.anotar_corrida(p_extracto jsonb, p_conteo jsonb, p_segundos numeric) RETURNS void
    LANGUAGE sql
    AS $$
INSERT INTO etl.corrida (
    desde, hasta, numero, version, id_corrida, leida, horizonte, lsn, identidad,
    imagen_completa, motivo_completa, sha256, filas_leidas, nuevas, cambiadas, retiradas,
    iguales, fuera_de_alcance, rechazadas, ventas, entradas, productos_tocados, revaluadas,
    segundos_extraccion, segundos_carga
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
    (p_conteo ->> 'revaluadas')::bigint, (p_extracto ->> 'segundos')::numeric, p_segundos
FROM etl.control AS c
$$;
COMMENT ON FUNCTION etl.anotar_corrida(p_extracto jsonb, p_conteo jsonb, p_segundos numeric) IS 'Deja la fila de la ventana en etl.corrida, con la versión que el control acaba de tomar';
CREATE FUNCTION etl.anotar_vistas(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_segundos numeric) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
UPDATE etl.corrida AS c SET segundos_vistas = p_segundos
WHERE c.desde = p_desde AND c.hasta = p_hasta
$$;
COMMENT ON FUNCTION etl.anotar_vistas(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_segundos numeric) IS 'Anota cuánto tardó el refresco de vistas de una ventana';
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
        fecha, motivo, primera_desde, primera_hasta, ultima_desde, ultima_hasta
    )
    SELECT
        e.id_movimiento, e.tipo, e.id_producto, e.id_sucursal, e.cantidad, e.precio_unitario,
        e.costo_unitario, e.fecha, d.motivo, p_desde, p_hasta, p_desde, p_hasta
    FROM etl.descarte AS d
    INNER JOIN etl.etapa AS e ON e.id_movimiento = d.id_movimiento
    WHERE d.motivo IS NOT NULL
    ON CONFLICT (id_movimiento) DO UPDATE SET
        tipo = excluded.tipo, id_producto = excluded.id_producto,
        id_sucursal = excluded.id_sucursal, cantidad = excluded.cantidad,
        precio_unitario = excluded.precio_unitario, costo_unitario = excluded.costo_unitario,
        fecha = excluded.fecha, motivo = excluded.motivo,
        ultima_desde = excluded.ultima_desde, ultima_hasta = excluded.ultima_hasta;
    -- What is left in etl.etapa enters the ledger; what is left in etl.baja leaves it.
    DELETE FROM etl.etapa AS e USING etl.descarte AS d WHERE d.id_movimiento = e.id_movimiento;
    DELETE FROM etl.etapa AS e USING etl.baja AS b WHERE b.igual AND b.id_movimiento = e.id_movimiento;
    DELETE FROM etl.baja AS b WHERE b.igual;
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
    v_anteriores text;
    v_releer boolean;
    v_aplicadas bigint;
    v_conteo jsonb;
BEGIN
    PERFORM etl.vaciar_trabajo();
    CREATE TEMP TABLE apertura_nueva ON COMMIT DROP AS
    SELECT
        f.id_producto, round(f.existencias, 6) AS existencias,
        round(f.costo_promedio, 6) AS costo_promedio,
        coalesce(f.fecha, v_control.desde_inicial) AS fecha
    FROM jsonb_to_recordset(p_aperturas) AS f (
        id_producto bigint, existencias numeric, costo_promedio numeric, fecha timestamptz
    );
    INSERT INTO etl.baja
    SELECT k.*, false
    FROM pg_temp.apertura_nueva AS n
    INNER JOIN dw.kardex AS k ON k.id_producto = n.id_producto AND k.fecha < n.fecha;
    SELECT string_agg(
        format('product %s: %s movements before %s', b.id_producto, b.movimientos, b.fecha),
        ', ' ORDER BY b.id_producto
    ) INTO v_anteriores
    FROM (
        SELECT b.id_producto, count(*) AS movimientos, min(n.fecha) AS fecha
        FROM etl.baja AS b
        INNER JOIN pg_temp.apertura_nueva AS n ON n.id_producto = b.id_producto
        GROUP BY b.id_producto
        ORDER BY b.id_producto
        LIMIT 10
    ) AS b;
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
    IF v_control.hasta IS NOT NULL THEN
        INSERT INTO etl.tramo (id_producto, desde)
        SELECT n.id_producto, '-infinity'
        FROM pg_temp.apertura_nueva AS n
        INNER JOIN dw.producto AS p ON p.id_producto = n.id_producto;
        v_conteo := etl.revaluar(v_control.corridas + 1, p_opciones, false);
    END IF;
    -- A window that is under way was read without knowing of this: it will be read again.
    UPDATE etl.control AS c
    SET version = gen_random_uuid(),
        corridas = c.corridas + CASE WHEN v_conteo IS NULL THEN 0 ELSE 1 END,
        horizonte = CASE WHEN v_releer THEN NULL ELSE c.horizonte END;
    RETURN jsonb_build_object(
        'aplicadas', v_aplicadas,
        'quitadas', (SELECT count(*) FROM etl.baja),
        'releer', v_releer
    ) || coalesce(v_conteo, '{}');
END
$$;
COMMENT ON FUNCTION etl.aplicar_aperturas(p_aperturas jsonb, p_opciones jsonb, p_quitar_anteriores boolean) IS 'Pone o corrige saldos de apertura y repite sus productos; se niega a dejar fuera movimientos ya cargados, salvo que se pida';
CREATE FUNCTION etl.avanzar_control(p_extracto jsonb, p_inicial timestamp with time zone, p_politica text, p_zona text) RETURNS void
    LANGUAGE sql
    AS $$
UPDATE etl.control AS c
    corridas = c.corridas + 1,
    desde_inicial = p_inicial,
    hasta = (p_extracto ->> 'hasta')::timestamptz,
    horizonte = (p_extracto ->> 'horizonte')::xid8,
    identidad = p_extracto -> 'identidad',
    lsn = (p_extracto ->> 'lsn')::pg_lsn,
    zona = p_zona,
    politica = p_politica,
    aceptar_fuente = NULL
$$;
COMMENT ON FUNCTION etl.avanzar_control(p_extracto jsonb, p_inicial timestamp with time zone, p_politica text, p_zona text) IS 'Deja el control al final de la ventana, con una versión nueva';
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
COMMENT ON COLUMN etl.control.politica IS 'Huella de la política de precios y del ajuste de impuesto con que se calculó lo cargado';
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
    RETURN v_control;
END
$$;
COMMENT ON FUNCTION etl.bloquear_control(p_zona text) IS 'Toma el bloqueo que ordena las cargas; falla si no hay control o si la zona es otra';
CREATE FUNCTION etl.cargar_dimensiones(p_incluye_impuesto boolean, p_politica text) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_todos boolean := p_politica IS DISTINCT FROM (SELECT c.politica FROM etl.control AS c);
BEGIN
    -- Sums of a product that changes category move with it: its whole ledger is replayed.
    INSERT INTO etl.tramo (id_producto, desde, categoria_anterior, impuesto_anterior)
    SELECT p.id_producto, '-infinity', p.categoria, p.impuesto
    FROM etl.etapa_producto AS e
    INNER JOIN dw.producto AS p ON p.id_producto = e.id_producto
    INNER JOIN dw.inventario AS i ON i.id_producto = e.id_producto
    WHERE p.categoria <> coalesce(e.categoria, 'Sin categoría');
    INSERT INTO dw.producto AS p (id_producto, codigo, nombre, categoria)
    SELECT e.id_producto, e.codigo, e.nombre, coalesce(e.categoria, 'Sin categoría')
    FROM etl.etapa_producto AS e
    ON CONFLICT (id_producto) DO UPDATE
    SET codigo = excluded.codigo, nombre = excluded.nombre, categoria = excluded.categoria
    WHERE (p.codigo, p.nombre, p.categoria)
        IS DISTINCT FROM (excluded.codigo, excluded.nombre, excluded.categoria);
    INSERT INTO dw.sucursal AS s (id_sucursal, nombre)
    SELECT e.id_sucursal, coalesce(e.nombre, 'Sucursal ' || e.id_sucursal)
    FROM etl.etapa_sucursal AS e
    WHERE e.id_sucursal <> 0
    ON CONFLICT (id_sucursal) DO UPDATE SET nombre = excluded.nombre
    WHERE s.nombre <> excluded.nombre;
    -- So do the net sales of a product whose tax changes.
    WITH tasa AS (
        SELECT v.id_producto, CASE WHEN p_incluye_impuesto THEN v.impuesto ELSE 0 END AS impuesto
        FROM dw.v_politica_producto AS v
        WHERE v_todos OR v.id_producto IN (SELECT e.id_producto FROM etl.etapa_producto AS e)
    ), nueva AS (
        UPDATE dw.producto AS p
        SET impuesto = t.impuesto
        FROM tasa AS t
        INNER JOIN dw.producto AS antes ON antes.id_producto = t.id_producto
        WHERE p.id_producto = t.id_producto AND p.impuesto <> t.impuesto
        RETURNING p.id_producto, p.categoria, antes.impuesto AS impuesto_anterior
    )
    INSERT INTO etl.tramo (id_producto, desde, categoria_anterior, impuesto_anterior)
    SELECT n.id_producto, '-infinity', n.categoria, n.impuesto_anterior
    FROM nueva AS n
    INNER JOIN dw.inventario AS i ON i.id_producto = n.id_producto
    ON CONFLICT (id_producto) DO NOTHING;
    -- An opening given before its product was known.
    INSERT INTO etl.tramo (id_producto, desde)
    SELECT a.id_producto, '-infinity'
    FROM dw.apertura AS a
    INNER JOIN dw.producto AS p ON p.id_producto = a.id_producto
    WHERE NOT EXISTS (SELECT FROM dw.inventario AS i WHERE i.id_producto = a.id_producto)
    ON CONFLICT (id_producto) DO NOTHING;
END
$$;
COMMENT ON FUNCTION etl.cargar_dimensiones(p_incluye_impuesto boolean, p_politica text) IS 'Actualiza productos y sucursales; anota en etl.tramo los productos cuyas sumas cambian de lugar o de impuesto';
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
        OR v_control.identidad -> 'base' <> p_extracto -> 'identidad' -> 'base' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01',
            MESSAGE = 'the initial date or the OLTP changed since the history was read; nothing was written',
            HINT = 'run it again: it is read anew';
    END IF;
    PERFORM set_config('work_mem', '128MB', true), set_config('jit', 'off', true);
    -- A movement that changed its date between two pieces is in both: the later read counts,
    -- and the next window reads it again in any case.
    DELETE FROM etl.etapa AS e USING etl.etapa AS f
    WHERE f.id_movimiento = e.id_movimiento AND f.ctid > e.ctid;
    v_filas := etl.revisar_etapa();
    PERFORM etl.reintentar_rechazos(NULL);
    PERFORM etl.clasificar(v_desde, (p_extracto ->> 'leida')::timestamptz + interval '1 day', false);
    PERFORM etl.revisar_rechazos(v_filas, p_opciones);
    v_conteo := etl.contar_cambios();
    PERFORM etl.apartar_rechazos(v_desde, v_hasta);
    v_conteo := v_conteo || etl.contar_altas()
        || etl.revaluar(v_control.corridas + 1, p_opciones, false)
        || jsonb_build_object('filas_leidas', v_filas);
    -- What was corrected since the first piece was read comes with the next window.
    UPDATE etl.control AS c
    SET version = gen_random_uuid(),
        corridas = c.corridas + 1,
        desde_inicial = v_desde,
        -- No horizon means that everything must be read, and that must not be forgotten.
        horizonte = CASE
            WHEN c.horizonte IS NOT NULL
                THEN least(c.horizonte, (p_extracto ->> 'horizonte')::xid8)
        END;
    PERFORM etl.anotar_corrida(
        p_extracto, v_conteo, extract(epoch FROM clock_timestamp() - v_inicio)::numeric
    );
    RETURN v_conteo;
END
$$;
COMMENT ON FUNCTION etl.cargar_historia(p_extracto jsonb, p_opciones jsonb) IS 'Une de una vez la historia anterior que está en etl.etapa, baja la fecha inicial y el horizonte, y revaloriza hacia adelante';
CREATE FUNCTION etl.cargar_ventana(p_extracto jsonb, p_opciones jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_desde timestamptz := (p_extracto ->> 'desde')::timestamptz;
    v_hasta timestamptz := (p_extracto ->> 'hasta')::timestamptz;
    v_leida timestamptz := (p_extracto ->> 'leida')::timestamptz;
    v_completa boolean := (p_extracto ->> 'imagen_completa')::boolean;
    v_reconstruir boolean := coalesce((p_extracto ->> 'reconstruir')::boolean, false);
    v_incluye boolean := (p_opciones ->> 'incluye_impuesto')::boolean;
    v_control etl.control := etl.bloquear_control(p_opciones ->> 'zona');
    v_inicial timestamptz := coalesce(v_control.desde_inicial, (p_extracto ->> 'desde_inicial')::timestamptz);
    v_politica text := etl.huella_politica(v_incluye);
    v_inicio timestamptz := clock_timestamp();
    v_filas bigint;
    v_conteo jsonb;
BEGIN
    IF v_control.version <> (p_extracto ->> 'version')::uuid
        OR v_control.hasta <> v_desde THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01', MESSAGE = 'the window was not opened by etl.abrir_ventana';
    END IF;
    PERFORM set_config('work_mem', '128MB', true), set_config('jit', 'off', true);
    UPDATE dw.apertura AS a SET fecha = v_inicial WHERE a.fecha IS NULL;
    v_filas := etl.revisar_etapa();
    IF NOT v_completa THEN
        PERFORM etl.reintentar_rechazos(p_extracto -> 'revisados');
    END IF;
    PERFORM etl.cargar_dimensiones(v_incluye, v_politica);
    PERFORM etl.clasificar(v_inicial, v_leida + interval '1 day', v_completa);
    PERFORM etl.dar_de_baja_borrados(p_extracto -> 'revisados');
    PERFORM etl.revisar_rechazos(v_filas, p_opciones);
    IF v_completa THEN
        PERFORM etl.revisar_retiros(v_control, p_extracto -> 'identidad', p_opciones);
    END IF;
    v_conteo := etl.contar_cambios();
    PERFORM etl.apartar_rechazos(v_desde, v_hasta);
    PERFORM etl.revisar_silencio(v_conteo || etl.contar_altas(), v_hasta, p_opciones);
    IF v_reconstruir THEN
        INSERT INTO etl.tramo AS t (id_producto, desde)
        SELECT i.id_producto, '-infinity'::timestamptz FROM dw.inventario AS i
        UNION
        SELECT k.id_producto, '-infinity'::timestamptz FROM dw.kardex AS k
        ON CONFLICT (id_producto) DO UPDATE SET desde = excluded.desde;
    END IF;
    v_conteo := v_conteo || etl.contar_altas() || etl.revaluar(
        v_control.corridas + 1, p_opciones, v_politica IS DISTINCT FROM v_control.politica
    ) || jsonb_build_object('filas_leidas', v_filas);
    IF v_reconstruir THEN
        PERFORM etl.recalcular_resumenes(p_opciones ->> 'zona');
    END IF;
    PERFORM etl.avanzar_control(p_extracto, v_inicial, v_politica, p_opciones ->> 'zona');
    PERFORM etl.anotar_corrida(
        p_extracto, v_conteo, extract(epoch FROM clock_timestamp() - v_inicio)::numeric
    );
    RETURN v_conteo;
END
$$;
COMMENT ON FUNCTION etl.cargar_ventana(p_extracto jsonb, p_opciones jsonb) IS 'Carga la ventana abierta desde etl.etapa: clasifica, valoriza, resume y anota, todo o nada; devuelve los conteos';
CREATE FUNCTION etl.clasificar(p_inicial timestamp with time zone, p_limite timestamp with time zone, p_imagen_completa boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO etl.descarte (id_movimiento, motivo)
    SELECT m.id_movimiento, CASE WHEN m.alcance THEN m.motivo END
    FROM (
        SELECT
            e.id_movimiento,
            e.tipo IN ('VENTA', 'ENTRADA_MERCANCIA')
            AND e.anulado IS NOT TRUE
            AND (
                e.fecha IS NULL
                OR (e.fecha >= p_inicial AND (a.fecha IS NULL OR e.fecha >= a.fecha))
            ) AS alcance,
            etl.motivo_rechazo(
                e.tipo, p.id_producto IS NOT NULL, round(e.cantidad, 6),
                round(CASE WHEN e.tipo = 'VENTA' THEN e.precio_unitario ELSE e.costo_unitario END, 6),
                e.fecha, p_limite
            ) AS motivo
        FROM etl.etapa AS e
        LEFT JOIN dw.producto AS p ON p.id_producto = e.id_producto
        LEFT JOIN dw.apertura AS a ON a.id_producto = e.id_producto
    ) AS m
    WHERE m.alcance IS NOT TRUE OR m.motivo IS NOT NULL;
    -- The one step that joins the ledger by movement alone: it also finds those
    -- that changed product.
    INSERT INTO etl.baja
    SELECT
        k.*,
        d.id_movimiento IS NULL
        AND k.id_producto = e.id_producto
        AND k.tipo = e.tipo
        AND k.fecha = e.fecha
        AND k.id_sucursal = coalesce(e.id_sucursal, 0)
        AND k.cantidad = round(e.cantidad, 6)
        AND k.precio_unitario IS NOT DISTINCT FROM etl.precio_informado(e.tipo, e.precio_unitario)
        AND (e.tipo = 'VENTA' OR k.costo_unitario = round(e.costo_unitario, 6))
    FROM etl.etapa AS e
    INNER JOIN dw.kardex AS k ON k.id_movimiento = e.id_movimiento
    LEFT JOIN etl.descarte AS d ON d.id_movimiento = e.id_movimiento;
    IF p_imagen_completa THEN
        INSERT INTO etl.baja
        SELECT k.*, false
        FROM dw.kardex AS k
        WHERE NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = k.id_movimiento);
    END IF;
END
$$;
COMMENT ON FUNCTION etl.clasificar(p_inicial timestamp with time zone, p_limite timestamp with time zone, p_imagen_completa boolean) IS 'Llena etl.descarte con lo que no entra, y etl.baja con las filas del kardex que se leyeron otra vez o ya no existen';
CREATE FUNCTION etl.contar_altas() RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
SELECT jsonb_build_object(
    'altas', count(*),
    'ventas', count(*) FILTER (WHERE e.tipo = 'VENTA'),
    'entradas', count(*) FILTER (WHERE e.tipo = 'ENTRADA_MERCANCIA')
)
FROM etl.etapa AS e
$$;
COMMENT ON FUNCTION etl.contar_altas() IS 'Conteos de los movimientos que entran al kardex';
CREATE FUNCTION etl.contar_cambios() RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
SELECT jsonb_build_object(
    'iguales', (SELECT count(*) FROM etl.baja AS b WHERE b.igual),
    'retiradas', (
        SELECT count(*) FROM etl.baja AS b
        WHERE NOT b.igual AND (
            EXISTS (SELECT FROM etl.descarte AS d WHERE d.id_movimiento = b.id_movimiento)
            OR NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = b.id_movimiento)
        )
    ),
    'cambiadas', (
        SELECT count(*) FROM etl.baja AS b
        WHERE NOT b.igual
            AND NOT EXISTS (SELECT FROM etl.descarte AS d WHERE d.id_movimiento = b.id_movimiento)
            AND EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = b.id_movimiento)
    ),
    'fuera_de_alcance', (SELECT count(*) FROM etl.descarte AS d WHERE d.motivo IS NULL),
    'rechazadas', (SELECT count(*) FROM etl.descarte AS d WHERE d.motivo IS NOT NULL)
)
$$;
COMMENT ON FUNCTION etl.contar_cambios() IS 'Conteos de lo clasificado, antes de apartar los rechazos';
CREATE FUNCTION etl.dar_de_baja_borrados(p_revisados jsonb) RETURNS void
    LANGUAGE sql
    AS $$
INSERT INTO etl.baja
SELECT k.*, false
FROM jsonb_array_elements_text(coalesce(nullif(p_revisados, 'null'), '[]')) AS r (id)
INNER JOIN dw.kardex AS k ON k.id_movimiento = r.id::bigint
WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = k.id_movimiento)
    AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = k.id_movimiento)
$$;
COMMENT ON FUNCTION etl.dar_de_baja_borrados(p_revisados jsonb) IS 'De los movimientos que esta lectura buscó por su número, los que el OLTP ya no tiene salen del kardex';
CREATE UNLOGGED TABLE etl.delta (
    nivel smallint NOT NULL,
    dia date,
    mes date,
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
    costo_recibido numeric NOT NULL
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.delta IS 'Lo que cada resumen gana o pierde en esta carga';
CREATE FUNCTION etl.diferencias_de_resumen(p_zona text) RETURNS SETOF etl.delta
    LANGUAGE sql STABLE
    AS $$
SELECT
    s.nivel, s.dia, s.mes, s.id_sucursal, s.categoria, s.id_producto, sum(s.movimientos)::bigint,
    sum(s.unidades_vendidas), sum(s.venta_bruta), sum(s.venta_neta), sum(s.costo_ventas),
    sum(s.ajuste), sum(s.unidades_recibidas), sum(s.costo_recibido)
FROM (
    SELECT * FROM etl.sumar_kardex(p_zona)
    UNION ALL
    SELECT
        1, r.dia, NULL, r.id_sucursal, r.categoria, NULL, -r.movimientos, -r.unidades_vendidas,
        -r.venta_bruta, -r.venta_neta, -r.costo_ventas, -r.ajuste, -r.unidades_recibidas,
        -r.costo_recibido
    FROM dw.resumen_diario AS r
    UNION ALL
    SELECT
        2, NULL, r.mes, r.id_sucursal, NULL, r.id_producto, -r.movimientos,
        -r.unidades_vendidas, -r.venta_bruta, -r.venta_neta, -r.costo_ventas, -r.ajuste,
        -r.unidades_recibidas, -r.costo_recibido
    FROM dw.resumen_mensual AS r
    UNION ALL
    SELECT
        3, r.dia, NULL, NULL, NULL, r.id_producto, -r.movimientos, -r.unidades_vendidas,
        0, -r.venta_neta, -r.costo_ventas, 0, 0, 0
    FROM dw.resumen_producto AS r
) AS s
GROUP BY s.nivel, s.dia, s.mes, s.id_sucursal, s.categoria, s.id_producto
HAVING (
    sum(s.movimientos), sum(s.unidades_vendidas), sum(s.venta_neta), sum(s.costo_ventas)
) IS DISTINCT FROM (0, 0, 0, 0) OR (s.nivel < 3 AND (
    sum(s.venta_bruta), sum(s.ajuste), sum(s.unidades_recibidas), sum(s.costo_recibido)
) IS DISTINCT FROM (0, 0, 0, 0))
$$;
COMMENT ON FUNCTION etl.diferencias_de_resumen(p_zona text) IS 'Las sumas del kardex menos lo que dicen los resúmenes: nada, salvo que alguien los haya tocado';
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
    'rechazos', etl.motivos_de_rechazo(),
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
            WHERE k.tipo = 'ENTRADA_MERCANCIA' AND k.costo_unitario = 0
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
            WHERE k.salto_costo IS NOT NULL
            ORDER BY k.fecha DESC
            LIMIT 20
        ) AS g
    ),
    'productos', (SELECT count(*) FROM dw.inventario),
    'valor', (SELECT coalesce(sum(i.valor), 0) FROM dw.inventario AS i WHERE i.existencias > 0)
)
$$;
COMMENT ON FUNCTION etl.estado_operacion(p_ventanas integer) IS 'Todo lo que muestra el comando status: control, últimas ventanas, rechazos, existencias bajo cero, entradas a costo 0';
CREATE FUNCTION etl.huella_politica(p_incluye_impuesto boolean) RETURNS text
    LANGUAGE sql STABLE
    AS $$
SELECT md5(p_incluye_impuesto::text || coalesce(
    string_agg(p::text, '|' ORDER BY p.id_producto, p.categoria), ''
))
FROM dw.politica_precio AS p
$$;
COMMENT ON FUNCTION etl.huella_politica(p_incluye_impuesto boolean) IS 'Huella de la política de precios, para ver si cambió';
CREATE FUNCTION etl.leer_control() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT jsonb_build_object(
    'version', c.version, 'desde_inicial', c.desde_inicial, 'hasta', c.hasta,
    'horizonte', c.horizonte::text, 'identidad', c.identidad, 'lsn', c.lsn::text, 'zona', c.zona,
    'esquema', c.esquema, 'aceptar_fuente', c.aceptar_fuente,
    'filas_kardex', (SELECT r.reltuples FROM pg_class AS r WHERE r.oid = 'dw.kardex'::regclass)
)
FROM etl.control AS c
$$;
COMMENT ON FUNCTION etl.leer_control() IS 'La fila de control, para decidir qué ventana toca y desde dónde leer';
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
    ultima_hasta timestamp with time zone NOT NULL
);
COMMENT ON TABLE etl.rechazo IS 'Movimientos del alcance que no se pueden valorizar; se intentan de nuevo en cada ventana';
COMMENT ON COLUMN etl.rechazo.primera_desde IS 'Ventana en que se rechazó por primera vez';
COMMENT ON COLUMN etl.rechazo.ultima_desde IS 'Última ventana en que se intentó';
CREATE FUNCTION etl.listar_rechazos(p_limite integer) RETURNS SETOF etl.rechazo
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT r.* FROM etl.rechazo AS r ORDER BY r.primera_desde, r.id_movimiento LIMIT p_limite
$$;
COMMENT ON FUNCTION etl.listar_rechazos(p_limite integer) IS 'Los rechazos que esperan, los más antiguos primero';
CREATE FUNCTION etl.marcar_tramos() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_productos bigint;
BEGIN
    INSERT INTO etl.tramo AS t (id_producto, desde)
    SELECT m.id_producto, min(m.fecha)
    FROM (
        SELECT e.id_producto, e.fecha FROM etl.etapa AS e
        UNION ALL
        SELECT b.id_producto, b.fecha FROM etl.baja AS b
    ) AS m
    GROUP BY m.id_producto
    ON CONFLICT (id_producto) DO UPDATE SET desde = least(t.desde, excluded.desde);
    SELECT count(*) INTO v_productos FROM etl.tramo;
    RETURN v_productos;
END
$$;
COMMENT ON FUNCTION etl.marcar_tramos() IS 'Productos tocados y, de cada uno, la primera fecha que cambia; devuelve cuántos son';
CREATE FUNCTION etl.motivo_rechazo(tipo text, conocido boolean, cantidad numeric, monto numeric, fecha timestamp with time zone, limite timestamp with time zone) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE
    WHEN NOT conocido THEN 'producto desconocido'
    WHEN fecha IS NULL THEN 'sin fecha'
    WHEN fecha > limite THEN 'fecha futura'
    WHEN cantidad IS NULL THEN 'sin cantidad'
    WHEN cantidad <= 0 THEN 'cantidad no positiva'
    WHEN NOT cantidad < 1e11 THEN 'cantidad fuera de rango'
    WHEN monto IS NULL THEN CASE tipo WHEN 'VENTA' THEN 'sin precio' ELSE 'sin costo' END
    WHEN monto < 0 THEN CASE tipo WHEN 'VENTA' THEN 'precio negativo' ELSE 'costo negativo' END
    WHEN NOT monto < 1e11
        THEN CASE tipo WHEN 'VENTA' THEN 'precio fuera de rango' ELSE 'costo fuera de rango' END
    WHEN NOT cantidad * monto < 1e12 THEN 'importe fuera de rango'
END
$$;
COMMENT ON FUNCTION etl.motivo_rechazo(tipo text, conocido boolean, cantidad numeric, monto numeric, fecha timestamp with time zone, limite timestamp with time zone) IS 'Por qué un movimiento del alcance no se puede valorizar; nulo si se puede. Los montos, ya redondeados a 6 decimales';
CREATE FUNCTION etl.motivos_de_rechazo() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT coalesce(jsonb_object_agg(m.motivo, m.veces), '{}')
FROM (SELECT r.motivo, count(*) AS veces FROM etl.rechazo AS r GROUP BY r.motivo) AS m
$$;
COMMENT ON FUNCTION etl.motivos_de_rechazo() IS 'Cuántos movimientos esperan por cada motivo';
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
CREATE FUNCTION etl.precio_informado(tipo text, precio numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE
    WHEN tipo = 'VENTA' OR (precio > -1e11 AND precio < 1e11) THEN round(precio, 6)
END
$$;
COMMENT ON FUNCTION etl.precio_informado(tipo text, precio numeric) IS 'El precio que guarda el kardex: el de una venta, o el de una entrada si es un número posible';
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
CREATE FUNCTION etl.recalcular_resumenes(p_zona text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM etl.delta;
    INSERT INTO etl.delta SELECT * FROM etl.diferencias_de_resumen(p_zona);
    PERFORM etl.actualizar_resumenes();
END
$$;
COMMENT ON FUNCTION etl.recalcular_resumenes(p_zona text) IS 'Pone los resúmenes de acuerdo con el kardex, escribiendo solo lo que difiere';
CREATE FUNCTION etl.refrescar_vista(p_vista oid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_vista record;
BEGIN
    SELECT * INTO v_vista FROM etl.vistas_por_refrescar() AS v WHERE v.vista = p_vista;
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
CREATE FUNCTION etl.reintentar_rechazos(p_revisados jsonb) RETURNS void
    LANGUAGE sql
    AS $$
INSERT INTO etl.etapa (
    id_movimiento, tipo, id_producto, id_sucursal, cantidad, precio_unitario, costo_unitario,
    fecha, anulado
)
SELECT
    r.id_movimiento, r.tipo, r.id_producto, r.id_sucursal, r.cantidad, r.precio_unitario,
    r.costo_unitario, r.fecha, false
FROM etl.rechazo AS r
WHERE NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = r.id_movimiento)
    -- One that was looked for and not found was deleted in the OLTP.
    AND NOT coalesce(p_revisados, '[]') @> to_jsonb(r.id_movimiento)
$$;
COMMENT ON FUNCTION etl.reintentar_rechazos(p_revisados jsonb) IS 'Pone a prueba otra vez los rechazos que no vinieron en esta lectura';
CREATE FUNCTION etl.repetir(p_factor numeric) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO etl.repeticion (
        id_producto, fecha, id_movimiento, id_sucursal, orden, es_alta, difiere, tipo, cantidad,
        precio_unitario, costo_unitario, costo_total, ajuste, existencias, valor, costo_promedio,
        salto_costo, costo_total_anterior, ajuste_anterior
    )
    SELECT
        v.id_producto, v.fecha, v.id_movimiento, v.id_sucursal, v.orden, v.es_alta, v.difiere,
        v.tipo, v.cantidad, v.precio_unitario,
        CASE WHEN v.tipo = 'VENTA' THEN (v.estado).costo_promedio ELSE v.costo_unitario END,
        (v.estado).costo_total, (v.estado).ajuste,
        (v.estado).existencias, (v.estado).valor, (v.estado).costo_promedio,
        v.salto, (v.estado_anterior).costo_total, (v.estado_anterior).ajuste
    FROM (
        SELECT
            s.*,
            s.es_alta OR s.estado IS DISTINCT FROM s.estado_anterior
            OR s.salto IS DISTINCT FROM s.salto_anterior AS difiere
        FROM (
            SELECT
                r.*,
                CASE WHEN r.tipo = 'ENTRADA_MERCANCIA' THEN etl.salto_costo(
                    lag((r.estado).costo_promedio) OVER (
                        PARTITION BY r.id_producto ORDER BY r.fecha, r.orden, r.id_movimiento
                    ),
                    r.costo_unitario, p_factor
                ) END AS salto
            FROM (
                SELECT
                    m.*,
                    dw.valuar(m.tipo, m.cantidad, m.costo_unitario, m.valor_inicial) OVER (
                        PARTITION BY m.id_producto ORDER BY m.fecha, m.orden, m.id_movimiento
                        ROWS UNBOUNDED PRECEDING
                    ) AS estado
                FROM etl.v_tramo AS m
            ) AS r
        ) AS s
        WHERE s.tipo <> 'SALDO'
    ) AS v
    WHERE v.difiere OR v.reclasificado;
END
$$;
COMMENT ON FUNCTION etl.repetir(p_factor numeric) IS 'Valoriza de nuevo los tramos y deja en etl.repeticion las altas y las filas que cambian';
CREATE FUNCTION etl.revaluar(p_numero bigint, p_opciones jsonb, p_todos_los_precios boolean) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_productos bigint;
    v_revaluadas bigint;
BEGIN
    v_productos := etl.marcar_tramos();
    IF v_productos > 0 THEN
        PERFORM etl.repetir((p_opciones ->> 'factor_salto')::numeric);
        PERFORM etl.sumar_diferencias(p_opciones ->> 'zona');
        v_revaluadas := etl.actualizar_kardex(p_numero);
        PERFORM etl.actualizar_resumenes();
    END IF;
    PERFORM etl.actualizar_inventario(p_numero, p_todos_los_precios);
    RETURN jsonb_build_object(
        'productos_tocados', v_productos, 'revaluadas', coalesce(v_revaluadas, 0)
    );
END
$$;
COMMENT ON FUNCTION etl.revaluar(p_numero bigint, p_opciones jsonb, p_todos_los_precios boolean) IS 'Repite los productos tocados y lleva las diferencias a kardex, resúmenes e inventario';
CREATE FUNCTION etl.revisar_etapa() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_repetido record;
    v_filas bigint;
BEGIN
    SELECT e.id_movimiento, count(*) AS veces INTO v_repetido
    FROM etl.etapa AS e
    GROUP BY e.id_movimiento
    HAVING count(*) > 1 OR e.id_movimiento IS NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01',
            MESSAGE = CASE WHEN v_repetido.id_movimiento IS NULL
                THEN 'movimientos.sql yields rows without id_movimiento'
                ELSE format('movimientos.sql yields id_movimiento %s %s times in one read',
                            v_repetido.id_movimiento, v_repetido.veces) END,
            HINT = 'correct its joins so that each movement is one row, then run again';
    END IF;
    SELECT count(*) INTO v_filas FROM etl.etapa;
    RETURN v_filas;
END
$$;
COMMENT ON FUNCTION etl.revisar_etapa() IS 'Cuenta las filas leídas; falla si un movimiento viene sin número o dos veces, pues la consulta está mal';
CREATE FUNCTION etl.revisar_rechazos(p_filas bigint, p_opciones jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_rechazos bigint;
BEGIN
    SELECT count(*) INTO v_rechazos
    FROM etl.descarte AS d
    WHERE d.motivo IS NOT NULL
        AND NOT EXISTS (SELECT FROM etl.rechazo AS r WHERE r.id_movimiento = d.id_movimiento);
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
CREATE FUNCTION etl.revisar_retiros(p_control etl.control, p_identidad jsonb, p_opciones jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_retiros bigint;
    v_total bigint;
BEGIN
    SELECT count(*) INTO v_retiros
    FROM etl.baja AS b
    WHERE NOT b.igual
        AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = b.id_movimiento);
    SELECT count(*) INTO v_total FROM dw.kardex;
    IF v_retiros < 20 OR v_retiros <= v_total * (p_opciones ->> 'max_retiro')::numeric
        OR p_control.aceptar_fuente = etl.senal_fuente(p_identidad) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'ETG01',
        MESSAGE = format(
            'the OLTP lacks %s of the %s movements of the ledger, and they would be removed; is it another database? The ledger was read from server %s, timeline %s, database %s; this one is server %s, timeline %s, database %s; nothing was written',
            v_retiros, v_total,
            p_control.identidad ->> 'sistema', p_control.identidad ->> 'linea_de_tiempo',
            p_control.identidad ->> 'base',
            p_identidad ->> 'sistema', p_identidad ->> 'linea_de_tiempo', p_identidad ->> 'base'),
        HINT = format(
            'correct OLTP_DB_*; or if it is right: luigi --module pipeline RunDue --accept-source %s',
            etl.senal_fuente(p_identidad));
END
$$;
COMMENT ON FUNCTION etl.revisar_retiros(p_control etl.control, p_identidad jsonb, p_opciones jsonb) IS 'Detiene una lectura completa que quitaría demasiado del kardex, salvo que se haya aceptado esa fuente';
CREATE FUNCTION etl.revisar_silencio(p_conteo jsonb, p_hasta timestamp with time zone, p_opciones jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_zona text := p_opciones ->> 'zona';
    v_ultima date;
    v_callados bigint;
BEGIN
    -- What was only read again, near the horizon, breaks no silence.
    IF (p_conteo ->> 'altas')::bigint + (p_conteo ->> 'retiradas')::bigint > 0 THEN
        RETURN;
    END IF;
    SELECT (max(c.hasta) AT TIME ZONE v_zona)::date INTO v_ultima
    FROM etl.corrida AS c
    WHERE c.nuevas + c.cambiadas + c.retiradas > 0;
    -- A weekday is of trade if the shop sold on it in half of the last eight weeks it sold in.
    SELECT count(*) INTO v_callados
    FROM generate_series(
        v_ultima + 1, (p_hasta AT TIME ZONE v_zona)::date - 1, interval '1 day'
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
CREATE FUNCTION etl.salto_costo(anterior numeric, costo numeric, factor numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT CASE
    WHEN anterior > 0 AND costo > 0 AND (costo > anterior * factor OR anterior > costo * factor)
        THEN round(costo * 1.00000000000000000000 / anterior, 6)
END
$$;
COMMENT ON FUNCTION etl.salto_costo(anterior numeric, costo numeric, factor numeric) IS 'Costo de una entrada sobre el promedio anterior, si se aleja más que el factor; si no, nulo';
CREATE FUNCTION etl.senal_fuente(p_identidad jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT left(md5(p_identidad::text), 12)
$$;
COMMENT ON FUNCTION etl.senal_fuente(p_identidad jsonb) IS 'Señal corta de un OLTP, para que el operador la acepte por su nombre';
CREATE FUNCTION etl.sumar_diferencias(p_zona text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO etl.delta
    SELECT
        CASE WHEN grouping(c.categoria) = 0 THEN 1 WHEN grouping(c.mes) = 0 THEN 2 ELSE 3 END,
        c.dia, c.mes, c.id_sucursal, c.categoria, c.id_producto,
        sum(c.signo),
        coalesce(sum(c.signo * c.cantidad) FILTER (WHERE c.venta), 0),
        coalesce(sum(c.signo * c.bruta), 0),
        coalesce(sum(c.signo * c.neta), 0),
        coalesce(sum(c.costo_total) FILTER (WHERE c.venta), 0),
        coalesce(sum(c.ajuste) FILTER (WHERE NOT c.venta), 0),
        coalesce(sum(c.signo * c.cantidad) FILTER (WHERE NOT c.venta), 0),
        coalesce(sum(c.costo_total) FILTER (WHERE NOT c.venta), 0)
    FROM (
        SELECT
            s.*,
            (s.fecha AT TIME ZONE p_zona)::date AS dia,
            date_trunc('month', s.fecha AT TIME ZONE p_zona)::date AS mes,
            CASE WHEN s.venta THEN round(s.cantidad * s.precio_unitario, 6) END AS bruta,
            CASE WHEN s.venta THEN dw.venta_neta(s.cantidad, s.precio_unitario, s.impuesto)
            END AS neta
        FROM etl.v_diferencia AS s
    ) AS c
    GROUP BY GROUPING SETS (
        (c.dia, c.id_sucursal, c.categoria),
        (c.mes, c.id_sucursal, c.id_producto),
        (c.dia, c.id_producto)
    );
END
$$;
COMMENT ON FUNCTION etl.sumar_diferencias(p_zona text) IS 'Llena etl.delta: lo nuevo menos lo anterior, por cada clave de los tres resúmenes, en una pasada';
CREATE FUNCTION etl.sumar_kardex(p_zona text) RETURNS SETOF etl.delta
    LANGUAGE sql STABLE
    AS $$
SELECT
    (CASE WHEN grouping(c.categoria) = 0 THEN 1 WHEN grouping(c.mes) = 0 THEN 2 ELSE 3 END)::smallint,
    c.dia, c.mes, c.id_sucursal, c.categoria, c.id_producto,
    count(*),
    coalesce(sum(c.cantidad) FILTER (WHERE c.venta), 0),
    coalesce(sum(c.bruta), 0),
    coalesce(sum(c.neta), 0),
    coalesce(sum(c.costo_total) FILTER (WHERE c.venta), 0),
    coalesce(sum(c.ajuste), 0),
    coalesce(sum(c.cantidad) FILTER (WHERE NOT c.venta), 0),
    coalesce(sum(c.costo_total) FILTER (WHERE NOT c.venta), 0)
FROM (
    SELECT
        k.*, p.categoria,
        k.tipo = 'VENTA' AS venta,
        (k.fecha AT TIME ZONE p_zona)::date AS dia,
        date_trunc('month', k.fecha AT TIME ZONE p_zona)::date AS mes,
        CASE WHEN k.tipo = 'VENTA' THEN round(k.cantidad * k.precio_unitario, 6) END AS bruta,
        CASE WHEN k.tipo = 'VENTA' THEN dw.venta_neta(k.cantidad, k.precio_unitario, p.impuesto)
        END AS neta
    FROM dw.kardex AS k
    INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
) AS c
GROUP BY GROUPING SETS (
    (c.dia, c.id_sucursal, c.categoria),
    (c.mes, c.id_sucursal, c.id_producto),
    (c.dia, c.id_producto)
)
$$;
COMMENT ON FUNCTION etl.sumar_kardex(p_zona text) IS 'Las sumas de los tres resúmenes, hechas de nuevo con todo el kardex: para comprobarlos o rehacerlos';
CREATE FUNCTION etl.vaciar_trabajo() RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_tabla text;
BEGIN
    FOREACH v_tabla IN ARRAY ARRAY[
        'etapa', 'etapa_producto', 'etapa_sucursal', 'descarte', 'baja', 'tramo', 'repeticion',
        'delta'
    ] LOOP
        BEGIN
            EXECUTE format('LOCK TABLE etl.%I IN ACCESS EXCLUSIVE MODE NOWAIT', v_tabla);
            EXECUTE format('TRUNCATE etl.%I', v_tabla);
        EXCEPTION WHEN lock_not_available THEN
            -- A backup that is running reads every table: it need not hold up the load.
            EXECUTE format('DELETE FROM etl.%I', v_tabla);
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION etl.vaciar_trabajo() IS 'Vacía las tablas de trabajo, bajo el bloqueo de etl.control';
CREATE FUNCTION etl.ventanas_cargadas(p_desde timestamp with time zone[], p_hasta timestamp with time zone[]) RETURNS TABLE(desde timestamp with time zone, hasta timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT c.desde, c.hasta
FROM unnest(p_desde, p_hasta) AS v (desde, hasta)
INNER JOIN etl.corrida AS c ON c.desde = v.desde AND c.hasta = v.hasta
$$;
COMMENT ON FUNCTION etl.ventanas_cargadas(p_desde timestamp with time zone[], p_hasta timestamp with time zone[]) IS 'De las ventanas dadas, las que la base de verdad cargó';
CREATE FUNCTION etl.verificar_bloques(p_desde timestamp with time zone, p_tamano bigint) RETURNS TABLE(bloque bigint, filas bigint, huella numeric)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT h.id_movimiento / p_tamano, count(*), sum(h.huella)
FROM etl.v_huella AS h
WHERE h.fecha IS NULL OR h.fecha >= p_desde
GROUP BY h.id_movimiento / p_tamano
$$;
COMMENT ON FUNCTION etl.verificar_bloques(p_desde timestamp with time zone, p_tamano bigint) IS 'Conteo y suma de huellas por bloque de números de movimiento';
CREATE FUNCTION etl.verificar_cuadre() RETURNS TABLE(falla text, id_producto bigint, id_movimiento bigint)
    LANGUAGE sql STABLE
    AS $$
SELECT 'the ledger does not foot', f.id_producto, f.id_movimiento
FROM (
    SELECT
        k.*,
        coalesce(lag(k.existencias) OVER w, a.existencias, 0) AS existencias_previas,
        coalesce(lag(k.valor) OVER w, round(a.existencias * a.costo_promedio, 6), 0) AS valor_previo
    FROM dw.kardex AS k
    LEFT JOIN dw.apertura AS a ON a.id_producto = k.id_producto
    WINDOW w AS (PARTITION BY k.id_producto ORDER BY k.fecha, k.orden, k.id_movimiento)
) AS f
WHERE f.existencias <> f.existencias_previas
    + CASE f.tipo WHEN 'VENTA' THEN -f.cantidad ELSE f.cantidad END
    OR f.valor <> f.valor_previo
    + CASE f.tipo WHEN 'VENTA' THEN -f.costo_total ELSE f.costo_total END + f.ajuste
UNION ALL
SELECT 'the stock is not its ledger''s last row', i.id_producto, u.id_movimiento
FROM dw.inventario AS i
LEFT JOIN dw.apertura AS a ON a.id_producto = i.id_producto
LEFT JOIN LATERAL (
    SELECT k.id_movimiento, k.existencias, k.valor, k.costo_promedio
    FROM dw.kardex AS k
    WHERE k.id_producto = i.id_producto
    ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
    LIMIT 1
) AS u ON true
WHERE (i.existencias, i.valor, i.costo_promedio) IS DISTINCT FROM (
    coalesce(u.existencias, a.existencias, 0),
    coalesce(u.valor, round(a.existencias * a.costo_promedio, 6), 0),
    coalesce(u.costo_promedio, a.costo_promedio, 0)
)
UNION ALL
SELECT DISTINCT 'the product has a ledger but no stock row', k.id_producto, NULL::bigint
FROM dw.kardex AS k
WHERE NOT EXISTS (SELECT FROM dw.inventario AS i WHERE i.id_producto = k.id_producto)
$$;
COMMENT ON FUNCTION etl.verificar_cuadre() IS 'Filas del kardex que no cuadran con la anterior, y productos cuyo inventario no es su última fila';
CREATE FUNCTION etl.verificar_filas(p_desde timestamp with time zone, p_bloques bigint[], p_tamano bigint) RETURNS TABLE(id_movimiento bigint, huella bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT h.id_movimiento, h.huella
FROM etl.v_huella AS h
WHERE (h.fecha IS NULL OR h.fecha >= p_desde) AND h.id_movimiento / p_tamano = ANY (p_bloques)
$$;
COMMENT ON FUNCTION etl.verificar_filas(p_desde timestamp with time zone, p_bloques bigint[], p_tamano bigint) IS 'La huella de cada movimiento de los bloques que no coinciden';
CREATE FUNCTION etl.verificar_libros(p_productos bigint, p_semilla double precision) RETURNS TABLE(falla text, id_producto bigint, id_movimiento bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
SELECT * FROM etl.verificar_cuadre()
UNION ALL
SELECT * FROM etl.verificar_repeticion(p_productos, p_semilla)
UNION ALL
SELECT
    CASE s.nivel WHEN 1 THEN 'dw.resumen_diario' WHEN 2 THEN 'dw.resumen_mensual'
        ELSE 'dw.resumen_producto' END
    || ' is not the sum of the ledger, ' || coalesce(s.dia, s.mes)::text,
    s.id_producto, NULL
FROM etl.diferencias_de_resumen((SELECT c.zona FROM etl.control AS c)) AS s
ORDER BY 1, 2, 3
$$;
COMMENT ON FUNCTION etl.verificar_libros(p_productos bigint, p_semilla double precision) IS 'Todo lo que el OLAP puede comprobar solo: cada libro cuadra, una muestra se repite igual, los resúmenes son sus sumas';
CREATE FUNCTION etl.verificar_repeticion(p_productos bigint, p_semilla double precision) RETURNS TABLE(falla text, id_producto bigint, id_movimiento bigint)
    LANGUAGE sql STABLE
    AS $$
WITH muestra AS (
    SELECT i.id_producto
    FROM dw.inventario AS i
    ORDER BY md5(i.id_producto::text || p_semilla::text)
    LIMIT p_productos
)
SELECT 'a replay gives other figures', r.id_producto, r.id_movimiento
FROM (
    SELECT
        m.*,
        dw.valuar(m.tipo, m.cantidad, m.costo_unitario, m.valor_inicial) OVER (
            PARTITION BY m.id_producto ORDER BY m.fecha, m.orden, m.id_movimiento
            ROWS UNBOUNDED PRECEDING
        ) AS estado
    FROM (
        SELECT
            s.id_producto, '-infinity'::timestamptz AS fecha, (-1)::smallint AS orden,
            0::bigint AS id_movimiento, 'SALDO'::text AS tipo,
            coalesce(a.existencias, 0)::numeric AS cantidad,
            coalesce(a.costo_promedio, 0)::numeric AS costo_unitario,
            coalesce(round(a.existencias * a.costo_promedio, 6), 0)::numeric AS valor_inicial,
            NULL::dw.estado AS escrito
        FROM muestra AS s
        LEFT JOIN dw.apertura AS a ON a.id_producto = s.id_producto
        UNION ALL
        SELECT
            k.id_producto, k.fecha, k.orden, k.id_movimiento, k.tipo, k.cantidad, k.costo_unitario,
            NULL,
            ROW(k.existencias, k.valor, k.costo_promedio, k.costo_total, k.ajuste)::dw.estado
        FROM muestra AS s
        INNER JOIN dw.kardex AS k ON k.id_producto = s.id_producto
    ) AS m
) AS r
WHERE r.tipo <> 'SALDO' AND r.estado IS DISTINCT FROM r.escrito
$$;
COMMENT ON FUNCTION etl.verificar_repeticion(p_productos bigint, p_semilla double precision) IS 'Repite una muestra de productos desde su apertura y dice en qué filas el kardex difiere';
CREATE FUNCTION etl.vistas_por_refrescar() RETURNS TABLE(vista oid, nombre text, propia boolean, concurrente boolean, razon text)
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
            'mv_reposicion', 'mv_rotacion', 'mv_abc', 'mv_datos_al'
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
ORDER BY c.relname = 'mv_datos_al', o.nivel, c.relname
$$;
COMMENT ON FUNCTION etl.vistas_por_refrescar() IS 'Vistas materializadas de dw en el orden de sus dependencias, y si se pueden refrescar sin bloquear a quien lee';
CREATE AGGREGATE dw.valuar(text, numeric, numeric, numeric) (
    SFUNC = dw.aplicar_movimiento,
    STYPE = dw.estado
);
COMMENT ON AGGREGATE dw.valuar(text, numeric, numeric, numeric) IS 'Repite en orden los movimientos de un producto; empieza con una fila de tipo SALDO';
CREATE TABLE dw.apertura (
    id_producto bigint NOT NULL,
    existencias numeric(38,6) NOT NULL,
    costo_promedio numeric(38,6) NOT NULL,
    fecha timestamp with time zone,
    CONSTRAINT apertura_check CHECK (((existencias >= (0)::numeric) AND (existencias < '100000000000'::numeric) AND (costo_promedio >= (0)::numeric) AND (costo_promedio < '100000000000'::numeric)))
);
COMMENT ON TABLE dw.apertura IS 'Saldo con que se empieza a valorizar un producto; lo anterior a su fecha no cuenta';
COMMENT ON COLUMN dw.apertura.fecha IS 'Nula mientras no haya primera carga: entonces es la fecha inicial';
CREATE TABLE dw.inventario (
    id_producto bigint NOT NULL,
    existencias numeric(38,6) NOT NULL,
    valor numeric(38,6) NOT NULL,
    costo_promedio numeric(38,6) NOT NULL,
    precio_sugerido numeric,
    version bigint NOT NULL
);
COMMENT ON TABLE dw.inventario IS 'Estado actual de cada producto: la última fila de su kardex o su apertura';
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
    costo_unitario numeric(38,6) NOT NULL,
    costo_total numeric(38,6) NOT NULL,
    ajuste numeric(38,6) NOT NULL,
    existencias numeric(38,6) NOT NULL,
    valor numeric(38,6) NOT NULL,
    costo_promedio numeric(38,6) NOT NULL,
    salto_costo numeric
);
COMMENT ON TABLE dw.kardex IS 'Libro de movimientos valorizados; la clave es el orden en que se valorizan';
COMMENT ON COLUMN dw.kardex.id_sucursal IS '0 si el documento no tiene sucursal';
COMMENT ON COLUMN dw.kardex.version IS 'Número de la corrida que escribió la fila por última vez';
COMMENT ON COLUMN dw.kardex.orden IS 'En la misma fecha, las entradas (0) van antes que las ventas (1)';
COMMENT ON COLUMN dw.kardex.provisional IS 'Venta que dejó existencias negativas o salió a costo 0';
COMMENT ON COLUMN dw.kardex.costo_unitario IS 'De una entrada, el suyo; de una venta, el promedio aplicado';
COMMENT ON COLUMN dw.kardex.costo_total IS 'Costo que entra (entrada) o que sale (venta)';
COMMENT ON COLUMN dw.kardex.ajuste IS 'Corrección del costo de lo vendido antes de recibirse';
COMMENT ON COLUMN dw.kardex.existencias IS 'Después del movimiento, como valor y costo_promedio';
COMMENT ON COLUMN dw.kardex.salto_costo IS 'De una entrada cuyo costo se aleja del promedio anterior más que ETL_COST_JUMP_FACTOR: costo / promedio; si no, nulo';
CREATE TABLE dw.producto (
    id_producto bigint NOT NULL,
    codigo text,
    nombre text,
    categoria text DEFAULT 'Sin categoría'::text NOT NULL,
    impuesto numeric DEFAULT 0 NOT NULL
);
COMMENT ON TABLE dw.producto IS 'Productos que el OLTP ha nombrado';
COMMENT ON COLUMN dw.producto.impuesto IS 'Tasa con que los resúmenes netearon sus ventas; 0 si los precios no incluyen impuesto';
CREATE VIEW dw.v_corte AS
 SELECT c.hasta AS datos_al,
    c.zona,
    ((c.hasta AT TIME ZONE c.zona))::date AS dia
   FROM etl.control c
  WHERE (c.hasta IS NOT NULL);
COMMENT ON VIEW dw.v_corte IS 'Hasta cuándo llegan los datos cargados, y qué día era en la zona de la tienda';
CREATE MATERIALIZED VIEW dw.mv_abc AS
 WITH venta AS (
         SELECT v.id_producto,
            v.venta_neta,
            v.unidades
           FROM dw.ventas_por_producto(( SELECT (f.dia - 364)
                   FROM dw.v_corte f), ( SELECT f.dia
                   FROM dw.v_corte f)) v(id_producto, unidades, venta_neta, costo_ventas)
          WHERE (v.venta_neta > (0)::numeric)
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
    round((a.venta_neta / a.total), 6) AS participacion,
    round((a.acumulado / a.total), 6) AS participacion_acumulada,
        CASE
            WHEN ((a.acumulado - a.venta_neta) < (0.80 * a.total)) THEN 'A'::text
            WHEN ((a.acumulado - a.venta_neta) < (0.95 * a.total)) THEN 'B'::text
            ELSE 'C'::text
        END AS clase
   FROM (acumulada a
     JOIN dw.producto p ON ((p.id_producto = a.id_producto)))
  WITH NO DATA;
COMMENT ON MATERIALIZED VIEW dw.mv_abc IS 'Clase ABC por venta neta de 365 días, cortada en 80 y 95 % de lo acumulado antes del producto';
CREATE MATERIALIZED VIEW dw.mv_datos_al AS
 SELECT c.datos_al,
    c.dia,
    c.zona
   FROM dw.v_corte c
  WITH NO DATA;
COMMENT ON MATERIALIZED VIEW dw.mv_datos_al IS 'Hasta cuándo llegan los datos que muestran las vistas';
CREATE MATERIALIZED VIEW dw.mv_inventario_valorizado AS
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
    i.precio_sugerido
   FROM (dw.inventario i
     JOIN dw.producto p ON ((p.id_producto = i.id_producto)))
  WITH NO DATA;
COMMENT ON MATERIALIZED VIEW dw.mv_inventario_valorizado IS 'Existencias valorizadas; lo que está por debajo de cero va en columnas propias y no resta del total';
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
    costo_recibido numeric(38,6) NOT NULL
);
COMMENT ON TABLE dw.resumen_mensual IS 'Sumas del kardex por mes, sucursal y producto';
CREATE MATERIALIZED VIEW dw.mv_margen_producto_mes AS
 SELECT r.mes,
    r.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    sum(r.unidades_vendidas) AS unidades,
    sum(r.venta_bruta) AS venta_bruta,
    sum(r.venta_neta) AS venta_neta,
    sum(r.costo_ventas) AS costo,
    sum(r.ajuste) AS ajuste,
    sum(((r.venta_neta - r.costo_ventas) + r.ajuste)) AS margen,
    round((sum(((r.venta_neta - r.costo_ventas) + r.ajuste)) / NULLIF(sum(r.venta_neta), (0)::numeric)), 6) AS margen_relativo
   FROM (dw.resumen_mensual r
     JOIN dw.producto p ON ((p.id_producto = r.id_producto)))
  GROUP BY r.mes, r.id_producto, p.codigo, p.nombre, p.categoria
  WITH NO DATA;
COMMENT ON MATERIALIZED VIEW dw.mv_margen_producto_mes IS 'Ventas y margen por producto y mes; margen = venta neta - costo + ajuste';
CREATE MATERIALIZED VIEW dw.mv_reposicion AS
 SELECT i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.existencias,
    COALESCE(v.unidades, (0)::numeric) AS unidades_90_dias,
    round((COALESCE(v.unidades, (0)::numeric) / (90)::numeric), 6) AS venta_diaria,
    round(((i.existencias * (90)::numeric) / NULLIF(v.unidades, (0)::numeric)), 6) AS dias_cobertura,
    ((i.existencias <= (0)::numeric) AND (COALESCE(v.unidades, (0)::numeric) > (0)::numeric)) AS agotado,
    ((i.existencias > (0)::numeric) AND ((i.existencias * (90)::numeric) <= ((15)::numeric * COALESCE(v.unidades, (0)::numeric)))) AS reponer
   FROM (((dw.v_corte c
     CROSS JOIN dw.inventario i)
     JOIN dw.producto p ON ((p.id_producto = i.id_producto)))
     LEFT JOIN dw.ventas_por_producto(( SELECT (f.dia - 89)
           FROM dw.v_corte f), ( SELECT f.dia
           FROM dw.v_corte f)) v(id_producto, unidades, venta_neta, costo_ventas) ON ((v.id_producto = i.id_producto)))
  WITH NO DATA;
COMMENT ON MATERIALIZED VIEW dw.mv_reposicion IS 'Días de cobertura al ritmo de los últimos 90 días; agotado: se vende y no hay; reponer: cubre 15 días o menos';
CREATE MATERIALIZED VIEW dw.mv_rotacion AS
 WITH corte AS (
         SELECT c_1.dia,
            (c_1.dia - 364) AS desde
           FROM dw.v_corte c_1
        ), meses AS (
         SELECT (date_trunc('month'::text, g.mes))::date AS mes
           FROM (corte c_1
             CROSS JOIN LATERAL generate_series(date_trunc('month'::text, (c_1.desde)::timestamp without time zone), date_trunc('month'::text, (c_1.dia)::timestamp without time zone), '1 mon'::interval) g(mes))
          WHERE ((((g.mes + '1 mon -1 days'::interval))::date >= c_1.desde) AND (((g.mes + '1 mon -1 days'::interval))::date <= c_1.dia))
        ), flujo AS (
         SELECT r.id_producto,
            r.mes,
            sum(((r.costo_recibido - r.costo_ventas) + r.ajuste)) AS neto
           FROM dw.resumen_mensual r
          GROUP BY r.id_producto, r.mes
        UNION ALL
         SELECT a.id_producto,
            (date_trunc('month'::text, (a.fecha AT TIME ZONE t.zona)))::date AS date_trunc,
            round((a.existencias * a.costo_promedio), 6) AS round
           FROM (dw.apertura a
             CROSS JOIN dw.v_corte t)
        ), saldo AS (
         SELECT f.id_producto,
            f.mes,
            sum(f.neto) OVER (PARTITION BY f.id_producto ORDER BY f.mes RANGE UNBOUNDED PRECEDING) AS valor,
            lead(f.mes) OVER (PARTITION BY f.id_producto ORDER BY f.mes) AS hasta_mes
           FROM flujo f
        ), promedio AS (
         SELECT s.id_producto,
            avg(GREATEST(s.valor, (0)::numeric)) AS valor
           FROM (saldo s
             JOIN meses m ON (((m.mes >= s.mes) AND ((s.hasta_mes IS NULL) OR (m.mes < s.hasta_mes)))))
          GROUP BY s.id_producto
        )
 SELECT i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    COALESCE(v.costo_ventas, (0)::numeric) AS costo_ventas_365_dias,
    round(COALESCE(q.valor, GREATEST(i.valor, (0)::numeric)), 6) AS valor_promedio,
    round((COALESCE(v.costo_ventas, (0)::numeric) / NULLIF(COALESCE(q.valor, GREATEST(i.valor, (0)::numeric)), (0)::numeric)), 6) AS rotacion
   FROM ((((corte c
     CROSS JOIN dw.inventario i)
     JOIN dw.producto p ON ((p.id_producto = i.id_producto)))
     LEFT JOIN promedio q ON ((q.id_producto = i.id_producto)))
     LEFT JOIN dw.ventas_por_producto(( SELECT (f.dia - 364)
           FROM dw.v_corte f), ( SELECT f.dia
           FROM dw.v_corte f)) v(id_producto, unidades, venta_neta, costo_ventas) ON ((v.id_producto = i.id_producto)))
  WITH NO DATA;
COMMENT ON MATERIALIZED VIEW dw.mv_rotacion IS 'Costo de ventas de 365 días sobre el valor promedio a fin de mes (lo negativo cuenta 0)';
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
    costo_recibido numeric(38,6) NOT NULL
);
COMMENT ON TABLE dw.resumen_diario IS 'Sumas del kardex por día, sucursal y categoría';
CREATE TABLE dw.sucursal (
    id_sucursal bigint NOT NULL,
    nombre text NOT NULL
);
COMMENT ON TABLE dw.sucursal IS 'Sucursales; la 0 es la de los documentos sin sucursal';
CREATE MATERIALIZED VIEW dw.mv_ventas_diarias AS
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
    round((((r.venta_neta - r.costo_ventas) + r.ajuste) / NULLIF(r.venta_neta, (0)::numeric)), 6) AS margen_relativo,
    r.unidades_recibidas,
    r.costo_recibido
   FROM (dw.resumen_diario r
     LEFT JOIN dw.sucursal s ON ((s.id_sucursal = r.id_sucursal)))
  WITH NO DATA;
COMMENT ON MATERIALIZED VIEW dw.mv_ventas_diarias IS 'Ventas y margen por día, sucursal y categoría; margen = venta neta - costo + ajuste';
CREATE TABLE dw.politica_precio (
    id_producto bigint,
    categoria text,
    margen numeric,
    impuesto numeric,
    redondeo numeric,
    CONSTRAINT politica_precio_check CHECK (((id_producto IS NULL) OR (categoria IS NULL))),
    CONSTRAINT politica_precio_check1 CHECK (((id_producto IS NOT NULL) OR (categoria IS NOT NULL) OR ((margen IS NOT NULL) AND (impuesto IS NOT NULL) AND (redondeo IS NOT NULL)))),
    CONSTRAINT politica_precio_impuesto_check CHECK (((impuesto >= (0)::numeric) AND (impuesto < (100)::numeric))),
    CONSTRAINT politica_precio_margen_check CHECK (((margen >= (0)::numeric) AND (margen < (1)::numeric))),
    CONSTRAINT politica_precio_redondeo_check CHECK ((redondeo > (0)::numeric))
);
COMMENT ON TABLE dw.politica_precio IS 'Margen, impuesto y paso de redondeo: del producto, si no de su categoría, si no la fila sin ambos';
CREATE TABLE dw.resumen_producto (
    dia date NOT NULL,
    id_producto bigint NOT NULL,
    movimientos bigint NOT NULL,
    unidades_vendidas numeric(38,6) NOT NULL,
    venta_neta numeric(38,6) NOT NULL,
    costo_ventas numeric(38,6) NOT NULL
);
COMMENT ON TABLE dw.resumen_producto IS 'Sumas del kardex por día y producto: los días sueltos al borde de una ventana móvil';
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
    segundos_vistas numeric(12,3)
);
COMMENT ON TABLE etl.corrida IS 'Una fila por ventana cargada, escrita en la misma transacción que sus datos';
COMMENT ON COLUMN etl.corrida.nuevas IS 'Movimientos que el kardex no tenía';
COMMENT ON COLUMN etl.corrida.cambiadas IS 'Movimientos cuyo contenido cambió en el OLTP';
COMMENT ON COLUMN etl.corrida.retiradas IS 'Movimientos que dejaron el alcance (anulados, borrados, con otra fecha o tipo)';
COMMENT ON COLUMN etl.corrida.iguales IS 'Leídos de nuevo sin cambio: los que están cerca del horizonte';
COMMENT ON COLUMN etl.corrida.ventas IS 'De las nuevas y cambiadas, cuántas son VENTA';
COMMENT ON COLUMN etl.corrida.entradas IS 'De las nuevas y cambiadas, cuántas son ENTRADA_MERCANCIA';
COMMENT ON COLUMN etl.corrida.revaluadas IS 'Movimientos anteriores cuyo valor cambió al repetir su producto';
CREATE VIEW dw.v_corridas AS
 SELECT corrida.desde,
    corrida.hasta,
    corrida.numero,
    corrida.version,
    corrida.id_corrida,
    corrida.leida,
    corrida.cargada,
    corrida.horizonte,
    corrida.lsn,
    corrida.identidad,
    corrida.imagen_completa,
    corrida.motivo_completa,
    corrida.sha256,
    corrida.filas_leidas,
    corrida.nuevas,
    corrida.cambiadas,
    corrida.retiradas,
    corrida.iguales,
    corrida.fuera_de_alcance,
    corrida.rechazadas,
    corrida.ventas,
    corrida.entradas,
    corrida.productos_tocados,
    corrida.revaluadas,
    corrida.segundos_extraccion,
    corrida.segundos_carga,
    corrida.segundos_vistas
   FROM etl.corrida;
COMMENT ON VIEW dw.v_corridas IS 'Las corridas del ETL, para el tablero de salud';
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
    k.salto_costo,
    k.orden,
    k.version
   FROM ((dw.kardex k
     JOIN dw.producto p ON ((p.id_producto = k.id_producto)))
     LEFT JOIN dw.sucursal s ON ((s.id_sucursal = k.id_sucursal)));
COMMENT ON VIEW dw.v_kardex IS 'El kardex con los nombres de producto y sucursal';
CREATE VIEW dw.v_politica_producto AS
 SELECT p.id_producto,
    COALESCE(del_producto.margen, de_categoria.margen, general.margen) AS margen,
    COALESCE(del_producto.impuesto, de_categoria.impuesto, general.impuesto) AS impuesto,
    COALESCE(del_producto.redondeo, de_categoria.redondeo, general.redondeo) AS redondeo
   FROM (((dw.producto p
     JOIN dw.politica_precio general ON (((general.id_producto IS NULL) AND (general.categoria IS NULL))))
     LEFT JOIN dw.politica_precio de_categoria ON ((de_categoria.categoria = p.categoria)))
     LEFT JOIN dw.politica_precio del_producto ON ((del_producto.id_producto = p.id_producto)));
COMMENT ON VIEW dw.v_politica_producto IS 'La política de precios que vale para cada producto';
CREATE VIEW dw.v_rechazos AS
 SELECT rechazo.id_movimiento,
    rechazo.tipo,
    rechazo.id_producto,
    rechazo.id_sucursal,
    rechazo.cantidad,
    rechazo.precio_unitario,
    rechazo.costo_unitario,
    rechazo.fecha,
    rechazo.motivo,
    rechazo.primera_desde,
    rechazo.primera_hasta,
    rechazo.ultima_desde,
    rechazo.ultima_hasta
   FROM etl.rechazo;
COMMENT ON VIEW dw.v_rechazos IS 'Los movimientos que no se pueden valorizar, para el tablero de salud';
CREATE VIEW dw.v_saltos_costo AS
 SELECT k.id_movimiento,
    k.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    k.fecha,
    k.cantidad,
    k.costo_unitario,
    round((k.costo_unitario / k.salto_costo), 6) AS costo_promedio_anterior,
    k.salto_costo AS veces
   FROM (dw.kardex k
     JOIN dw.producto p ON ((p.id_producto = k.id_producto)))
  WHERE (k.salto_costo IS NOT NULL);
COMMENT ON VIEW dw.v_saltos_costo IS 'Entradas cuyo costo se aleja demasiado del promedio que había: casi siempre un error al teclear';
CREATE UNLOGGED TABLE etl.baja (
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
    costo_unitario numeric(38,6) NOT NULL,
    costo_total numeric(38,6) NOT NULL,
    ajuste numeric(38,6) NOT NULL,
    existencias numeric(38,6) NOT NULL,
    valor numeric(38,6) NOT NULL,
    costo_promedio numeric(38,6) NOT NULL,
    salto_costo numeric,
    igual boolean DEFAULT false NOT NULL
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.baja IS 'Filas del kardex que se van: cambiadas, anuladas, borradas o fuera de alcance';
COMMENT ON COLUMN etl.baja.igual IS 'Leída de nuevo sin cambio: se queda; existe solo mientras se compara';
CREATE UNLOGGED TABLE etl.descarte (
    id_movimiento bigint NOT NULL,
    motivo text
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.descarte IS 'De lo leído, lo que no entra al kardex';
COMMENT ON COLUMN etl.descarte.motivo IS 'Por qué se rechaza; nulo si está fuera de alcance';
CREATE UNLOGGED TABLE etl.etapa (
    id_movimiento bigint,
    tipo text,
    id_producto bigint,
    id_sucursal bigint,
    cantidad numeric,
    precio_unitario numeric,
    costo_unitario numeric,
    fecha timestamp with time zone,
    anulado boolean
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.etapa IS 'Movimientos tal como llegan del OLTP en esta ventana';
CREATE UNLOGGED TABLE etl.etapa_producto (
    id_producto bigint,
    codigo text,
    nombre text,
    categoria text
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.etapa_producto IS 'Productos nuevos o cambiados en el OLTP';
CREATE UNLOGGED TABLE etl.etapa_sucursal (
    id_sucursal bigint,
    nombre text
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.etapa_sucursal IS 'Sucursales nuevas o cambiadas en el OLTP';
CREATE UNLOGGED TABLE etl.repeticion (
    id_producto bigint NOT NULL,
    fecha timestamp with time zone NOT NULL,
    id_movimiento bigint NOT NULL,
    id_sucursal bigint NOT NULL,
    orden smallint NOT NULL,
    es_alta boolean NOT NULL,
    difiere boolean NOT NULL,
    tipo text NOT NULL,
    cantidad numeric NOT NULL,
    precio_unitario numeric,
    costo_unitario numeric,
    costo_total numeric NOT NULL,
    ajuste numeric NOT NULL,
    existencias numeric NOT NULL,
    valor numeric NOT NULL,
    costo_promedio numeric NOT NULL,
    salto_costo numeric,
    costo_total_anterior numeric,
    ajuste_anterior numeric
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.repeticion IS 'Los tramos valorizados de nuevo: altas y filas que cambian, con lo que el kardex decía';
CREATE UNLOGGED TABLE etl.tramo (
    id_producto bigint NOT NULL,
    desde timestamp with time zone NOT NULL,
    categoria_anterior text,
    impuesto_anterior numeric
)
WITH (autovacuum_enabled='false');
COMMENT ON TABLE etl.tramo IS 'Productos tocados, y la fecha desde la que se repiten';
COMMENT ON COLUMN etl.tramo.categoria_anterior IS 'Si cambió la categoría o el impuesto: lo que valía para lo ya sumado; nulo si no cambió';
CREATE VIEW etl.v_diferencia AS
 SELECT r.fecha,
    r.id_sucursal,
    p.categoria,
    r.id_producto,
    (r.tipo = 'VENTA'::text) AS venta,
        CASE
            WHEN (r.es_alta OR (t.categoria_anterior IS NOT NULL)) THEN 1
            ELSE 0
        END AS signo,
    r.cantidad,
    r.precio_unitario,
    p.impuesto,
        CASE
            WHEN (r.es_alta OR (t.categoria_anterior IS NOT NULL)) THEN r.costo_total
            ELSE (r.costo_total - r.costo_total_anterior)
        END AS costo_total,
        CASE
            WHEN (r.es_alta OR (t.categoria_anterior IS NOT NULL)) THEN r.ajuste
            ELSE (r.ajuste - r.ajuste_anterior)
        END AS ajuste
   FROM ((etl.repeticion r
     JOIN etl.tramo t ON ((t.id_producto = r.id_producto)))
     JOIN dw.producto p ON ((p.id_producto = r.id_producto)))
UNION ALL
 SELECT b.fecha,
    b.id_sucursal,
    COALESCE(t.categoria_anterior, p.categoria) AS categoria,
    b.id_producto,
    (b.tipo = 'VENTA'::text) AS venta,
    '-1'::integer AS signo,
    b.cantidad,
    b.precio_unitario,
    COALESCE(t.impuesto_anterior, p.impuesto) AS impuesto,
    (- b.costo_total) AS costo_total,
    (- b.ajuste) AS ajuste
   FROM ((etl.baja b
     JOIN etl.tramo t ON ((t.id_producto = b.id_producto)))
     JOIN dw.producto p ON ((p.id_producto = b.id_producto)))
UNION ALL
 SELECT r.fecha,
    r.id_sucursal,
    t.categoria_anterior AS categoria,
    r.id_producto,
    (r.tipo = 'VENTA'::text) AS venta,
    '-1'::integer AS signo,
    r.cantidad,
    r.precio_unitario,
    t.impuesto_anterior AS impuesto,
    (- r.costo_total_anterior) AS costo_total,
    (- r.ajuste_anterior) AS ajuste
   FROM (etl.repeticion r
     JOIN etl.tramo t ON ((t.id_producto = r.id_producto)))
  WHERE ((t.categoria_anterior IS NOT NULL) AND (NOT r.es_alta));
COMMENT ON VIEW etl.v_diferencia IS 'Lo que esta carga suma (signo 1), quita (-1) o solo revaloriza (0), de cada movimiento';
CREATE VIEW etl.v_huella AS
 SELECT m.id_movimiento,
    m.fecha,
    ((('x'::text || "left"(md5(concat_ws('|'::text, m.id_movimiento, COALESCE(m.tipo, '-'::text), COALESCE((m.id_producto)::text, '-'::text), COALESCE(m.id_sucursal, (0)::bigint), COALESCE((round(m.cantidad, 6))::text, '-'::text), COALESCE((etl.precio_informado(m.tipo, m.precio_unitario))::text, '-'::text), COALESCE((
        CASE
            WHEN (m.tipo <> 'VENTA'::text) THEN round(m.costo_unitario, 6)
            ELSE NULL::numeric
        END)::text, '-'::text), COALESCE(to_char((m.fecha AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD HH24:MI:SS.US'::text), '-'::text))), 15)))::bit(60))::bigint AS huella
   FROM ( SELECT k.id_movimiento,
            k.tipo,
            k.id_producto,
            k.id_sucursal,
            k.cantidad,
            k.precio_unitario,
            k.costo_unitario,
            k.fecha
           FROM dw.kardex k
        UNION ALL
         SELECT r.id_movimiento,
            r.tipo,
            r.id_producto,
            r.id_sucursal,
            r.cantidad,
            r.precio_unitario,
            r.costo_unitario,
            r.fecha
           FROM etl.rechazo r) m;
COMMENT ON VIEW etl.v_huella IS 'Una huella del contenido de cada movimiento del alcance, valorizado o rechazado';
CREATE VIEW etl.v_tramo AS
 SELECT t.id_producto,
    '-infinity'::timestamp with time zone AS fecha,
    (0)::bigint AS id_movimiento,
    (0)::bigint AS id_sucursal,
    ('-1'::integer)::smallint AS orden,
    false AS es_alta,
    false AS reclasificado,
    'SALDO'::text AS tipo,
    COALESCE(u.existencias, a.existencias, (0)::numeric) AS cantidad,
    NULL::numeric AS precio_unitario,
    COALESCE(u.costo_promedio, a.costo_promedio, (0)::numeric) AS costo_unitario,
    COALESCE(u.valor, round((a.existencias * a.costo_promedio), 6), (0)::numeric) AS valor_inicial,
    NULL::dw.estado AS estado_anterior,
    NULL::numeric AS salto_anterior
   FROM ((etl.tramo t
     LEFT JOIN dw.apertura a ON ((a.id_producto = t.id_producto)))
     LEFT JOIN LATERAL ( SELECT k.existencias,
            k.valor,
            k.costo_promedio
           FROM dw.kardex k
          WHERE ((k.id_producto = t.id_producto) AND (k.fecha < t.desde))
          ORDER BY k.fecha DESC, k.orden DESC, k.id_movimiento DESC
         LIMIT 1) u ON (true))
UNION ALL
 SELECT e.id_producto,
    e.fecha,
    e.id_movimiento,
    COALESCE(e.id_sucursal, (0)::bigint) AS id_sucursal,
    (
        CASE
            WHEN (e.tipo = 'VENTA'::text) THEN 1
            ELSE 0
        END)::smallint AS orden,
    true AS es_alta,
    false AS reclasificado,
    e.tipo,
    round(e.cantidad, 6) AS cantidad,
    etl.precio_informado(e.tipo, e.precio_unitario) AS precio_unitario,
        CASE
            WHEN (e.tipo <> 'VENTA'::text) THEN round(e.costo_unitario, 6)
            ELSE NULL::numeric
        END AS costo_unitario,
    NULL::numeric AS valor_inicial,
    NULL::dw.estado AS estado_anterior,
    NULL::numeric AS salto_anterior
   FROM etl.etapa e
UNION ALL
 SELECT t.id_producto,
    k.fecha,
    k.id_movimiento,
    k.id_sucursal,
    k.orden,
    false AS es_alta,
    (t.categoria_anterior IS NOT NULL) AS reclasificado,
    k.tipo,
    k.cantidad,
    k.precio_unitario,
    k.costo_unitario,
    NULL::numeric AS valor_inicial,
    ROW((k.existencias)::numeric, (k.valor)::numeric, (k.costo_promedio)::numeric, (k.costo_total)::numeric, (k.ajuste)::numeric)::dw.estado AS estado_anterior,
    k.salto_costo AS salto_anterior
   FROM (etl.tramo t
     CROSS JOIN LATERAL ( SELECT f.id_producto,
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
            f.salto_costo
           FROM dw.kardex f
          WHERE ((f.id_producto = t.id_producto) AND (f.fecha >= t.desde))
         OFFSET 0) k)
  WHERE (NOT (EXISTS ( SELECT
           FROM etl.baja b
          WHERE (b.id_movimiento = k.id_movimiento))));
COMMENT ON VIEW etl.v_tramo IS 'Lo que se repite de cada producto tocado: su saldo previo, las altas y las filas que siguen en el kardex';
ALTER TABLE ONLY dw.apertura
    ADD CONSTRAINT apertura_pkey PRIMARY KEY (id_producto);
ALTER TABLE ONLY dw.inventario
    ADD CONSTRAINT inventario_pkey PRIMARY KEY (id_producto);
ALTER TABLE ONLY dw.kardex
    ADD CONSTRAINT kardex_movimiento_unico UNIQUE (id_movimiento);
ALTER TABLE ONLY dw.kardex
    ADD CONSTRAINT kardex_pk PRIMARY KEY (id_producto, fecha, orden, id_movimiento);
ALTER TABLE ONLY dw.producto
    ADD CONSTRAINT producto_pkey PRIMARY KEY (id_producto);
ALTER TABLE ONLY dw.resumen_diario
    ADD CONSTRAINT resumen_diario_pkey PRIMARY KEY (dia, id_sucursal, categoria);
ALTER TABLE ONLY dw.resumen_mensual
    ADD CONSTRAINT resumen_mensual_pkey PRIMARY KEY (mes, id_sucursal, id_producto);
ALTER TABLE ONLY dw.resumen_producto
    ADD CONSTRAINT resumen_producto_pkey PRIMARY KEY (dia, id_producto);
ALTER TABLE ONLY dw.sucursal
    ADD CONSTRAINT sucursal_pkey PRIMARY KEY (id_sucursal);
ALTER TABLE ONLY etl.control
    ADD CONSTRAINT control_pkey PRIMARY KEY (unico);
ALTER TABLE ONLY etl.corrida
    ADD CONSTRAINT corrida_pkey PRIMARY KEY (desde, hasta);
ALTER TABLE ONLY etl.rechazo
    ADD CONSTRAINT rechazo_pkey PRIMARY KEY (id_movimiento);
ALTER TABLE ONLY etl.tramo
    ADD CONSTRAINT tramo_pkey PRIMARY KEY (id_producto);
CREATE INDEX kardex_gratis ON dw.kardex USING btree (id_producto, fecha) WHERE ((tipo = 'ENTRADA_MERCANCIA'::text) AND (costo_unitario = (0)::numeric));
CREATE INDEX kardex_saltos ON dw.kardex USING btree (id_producto, fecha) WHERE (salto_costo IS NOT NULL);
CREATE UNIQUE INDEX mv_abc_clave ON dw.mv_abc USING btree (id_producto);
CREATE UNIQUE INDEX mv_datos_al_clave ON dw.mv_datos_al USING btree (datos_al);
CREATE UNIQUE INDEX mv_inventario_valorizado_clave ON dw.mv_inventario_valorizado USING btree (id_producto);
CREATE UNIQUE INDEX mv_margen_producto_mes_clave ON dw.mv_margen_producto_mes USING btree (mes, id_producto);
CREATE UNIQUE INDEX mv_reposicion_clave ON dw.mv_reposicion USING btree (id_producto);
CREATE UNIQUE INDEX mv_rotacion_clave ON dw.mv_rotacion USING btree (id_producto);
CREATE UNIQUE INDEX mv_ventas_diarias_clave ON dw.mv_ventas_diarias USING btree (dia, id_sucursal, categoria);
CREATE UNIQUE INDEX politica_precio_clave ON dw.politica_precio USING btree (COALESCE(id_producto, ('-1'::integer)::bigint), COALESCE(categoria, ''::text));
GRANT USAGE ON SCHEMA dw TO etl_cargador;
GRANT USAGE ON SCHEMA dw TO bi_lector;
GRANT USAGE ON SCHEMA etl TO etl_cargador;
REVOKE ALL ON FUNCTION dw.actualizar_costo_promedio(estado dw.estado, cantidad numeric, costo_unitario numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.actualizar_stock_venta(estado dw.estado, cantidad numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.aplicar_movimiento(estado dw.estado, tipo text, cantidad numeric, costo_unitario numeric, valor_inicial numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.calcular_precio_sugerido(costo numeric, margen numeric, impuesto numeric, redondeo numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.refrescar_vistas_materializadas() FROM PUBLIC;
GRANT ALL ON FUNCTION dw.refrescar_vistas_materializadas() TO etl_cargador;
REVOKE ALL ON FUNCTION dw.venta_neta(cantidad numeric, precio_unitario numeric, impuesto numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION dw.ventas_por_producto(p_desde date, p_hasta date) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.abrir_historia(p_desde timestamp with time zone, p_zona text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.abrir_historia(p_desde timestamp with time zone, p_zona text) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.abrir_ventana(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_version uuid, p_zona text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.abrir_ventana(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_version uuid, p_zona text) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.aceptar_fuente(p_senal text) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.aceptar_fuente(p_senal text) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.actualizar_inventario(p_numero bigint, p_todos_los_precios boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.actualizar_kardex(p_numero bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.actualizar_resumenes() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.anotar_corrida(p_extracto jsonb, p_conteo jsonb, p_segundos numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.anotar_vistas(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_segundos numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.anotar_vistas(p_desde timestamp with time zone, p_hasta timestamp with time zone, p_segundos numeric) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.apartar_rechazos(p_desde timestamp with time zone, p_hasta timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.aperturas_fechadas() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.aperturas_fechadas() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.aplicar_aperturas(p_aperturas jsonb, p_opciones jsonb, p_quitar_anteriores boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.aplicar_aperturas(p_aperturas jsonb, p_opciones jsonb, p_quitar_anteriores boolean) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.avanzar_control(p_extracto jsonb, p_inicial timestamp with time zone, p_politica text, p_zona text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.bloquear_control(p_zona text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.cargar_dimensiones(p_incluye_impuesto boolean, p_politica text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.cargar_historia(p_extracto jsonb, p_opciones jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.cargar_historia(p_extracto jsonb, p_opciones jsonb) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.cargar_ventana(p_extracto jsonb, p_opciones jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.cargar_ventana(p_extracto jsonb, p_opciones jsonb) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.clasificar(p_inicial timestamp with time zone, p_limite timestamp with time zone, p_imagen_completa boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.contar_altas() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.contar_cambios() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.dar_de_baja_borrados(p_revisados jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.diferencias_de_resumen(p_zona text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.estado_operacion(p_ventanas integer) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.estado_operacion(p_ventanas integer) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.huella_politica(p_incluye_impuesto boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.leer_control() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.leer_control() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.listar_rechazos(p_limite integer) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.listar_rechazos(p_limite integer) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.marcar_tramos() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.motivo_rechazo(tipo text, conocido boolean, cantidad numeric, monto numeric, fecha timestamp with time zone, limite timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.motivos_de_rechazo() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.motivos_de_rechazo() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.motivos_frecuentes() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.precio_informado(tipo text, precio numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.quien_bloquea() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.quien_bloquea() TO etl_cargador;
REVOKE ALL ON FUNCTION etl.recalcular_resumenes(p_zona text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.refrescar_vista(p_vista oid) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.refrescar_vista(p_vista oid) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.reintentar_rechazos(p_revisados jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.repetir(p_factor numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revaluar(p_numero bigint, p_opciones jsonb, p_todos_los_precios boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_etapa() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_rechazos(p_filas bigint, p_opciones jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_retiros(p_control etl.control, p_identidad jsonb, p_opciones jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.revisar_silencio(p_conteo jsonb, p_hasta timestamp with time zone, p_opciones jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.salto_costo(anterior numeric, costo numeric, factor numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.senal_fuente(p_identidad jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.sumar_diferencias(p_zona text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.sumar_kardex(p_zona text) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.vaciar_trabajo() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.ventanas_cargadas(p_desde timestamp with time zone[], p_hasta timestamp with time zone[]) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.ventanas_cargadas(p_desde timestamp with time zone[], p_hasta timestamp with time zone[]) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.verificar_bloques(p_desde timestamp with time zone, p_tamano bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.verificar_bloques(p_desde timestamp with time zone, p_tamano bigint) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.verificar_cuadre() FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.verificar_filas(p_desde timestamp with time zone, p_bloques bigint[], p_tamano bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.verificar_filas(p_desde timestamp with time zone, p_bloques bigint[], p_tamano bigint) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.verificar_libros(p_productos bigint, p_semilla double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION etl.verificar_libros(p_productos bigint, p_semilla double precision) TO etl_cargador;
REVOKE ALL ON FUNCTION etl.verificar_repeticion(p_productos bigint, p_semilla double precision) FROM PUBLIC;
REVOKE ALL ON FUNCTION etl.vistas_por_refrescar() FROM PUBLIC;
GRANT ALL ON FUNCTION etl.vistas_por_refrescar() TO etl_cargador;
REVOKE ALL ON FUNCTION dw.valuar(text, numeric, numeric, numeric) FROM PUBLIC;
GRANT SELECT ON TABLE dw.mv_abc TO bi_lector;
GRANT SELECT ON TABLE dw.mv_datos_al TO bi_lector;
GRANT SELECT ON TABLE dw.mv_inventario_valorizado TO bi_lector;
GRANT SELECT ON TABLE dw.mv_margen_producto_mes TO bi_lector;
GRANT SELECT ON TABLE dw.mv_reposicion TO bi_lector;
GRANT SELECT ON TABLE dw.mv_rotacion TO bi_lector;
GRANT SELECT ON TABLE dw.mv_ventas_diarias TO bi_lector;
GRANT SELECT ON TABLE dw.v_corridas TO bi_lector;
GRANT SELECT ON TABLE dw.v_kardex TO bi_lector;
GRANT SELECT ON TABLE dw.v_rechazos TO bi_lector;
GRANT SELECT ON TABLE dw.v_saltos_costo TO bi_lector;
GRANT INSERT ON TABLE etl.etapa TO etl_cargador;
GRANT INSERT ON TABLE etl.etapa_producto TO etl_cargador;
GRANT INSERT ON TABLE etl.etapa_sucursal TO etl_cargador;
