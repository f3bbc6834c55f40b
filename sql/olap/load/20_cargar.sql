-- The load of an open window: what is done, in its order, all or nothing. The files below are its
-- steps.

CREATE OR REPLACE FUNCTION etl.cargar_ventana(p_extracto jsonb, p_opciones jsonb) RETURNS jsonb
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
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
COMMENT ON FUNCTION etl.cargar_ventana(jsonb, jsonb) IS
    'Carga la ventana abierta desde etl.etapa: clasifica, valoriza, resume y anota, todo o nada; devuelve los conteos';
SELECT etl.conceder('EXECUTE', 'etl.cargar_ventana(jsonb, jsonb)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.preparar_carga() RETURNS void
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
COMMENT ON FUNCTION etl.preparar_carga() IS
    'Memoria y planes para la transacción de una carga';

CREATE OR REPLACE FUNCTION etl.huella_politica(p_incluye_impuesto boolean, p_dia date) RETURNS text
LANGUAGE sql STABLE
AS $$
SELECT md5(p_incluye_impuesto::text || coalesce(
    -- With what of it is still to come: the prices of its day are others.
    string_agg(p::text || (p.desde IS NULL OR p.desde <= p_dia)::text, '|' ORDER BY p.id_producto, p.categoria, p.desde), ''
))
FROM dw.politica_precio AS p
$$;
COMMENT ON FUNCTION etl.huella_politica(boolean, date) IS
    'Huella de la política de precios como vale un día, para ver si cambió';

CREATE OR REPLACE FUNCTION etl.misma_politica() RETURNS boolean
LANGUAGE sql STABLE
AS $$
SELECT c.politica IN (etl.huella_politica(true, d.dia), etl.huella_politica(false, d.dia))
FROM etl.control AS c
CROSS JOIN LATERAL (SELECT (c.hasta AT TIME ZONE c.zona)::date AS dia) AS d
$$;
COMMENT ON FUNCTION etl.misma_politica() IS
    'Si la política de precios es aún la de la última carga; lo que se edita llega con la próxima';
