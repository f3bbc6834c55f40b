-- The load of an open window, in its order: all or nothing.

CREATE OR REPLACE FUNCTION etl.huella_politica(p_incluye_impuesto boolean) RETURNS text
LANGUAGE sql STABLE
AS $$
SELECT md5(p_incluye_impuesto::text || coalesce(
    string_agg(p::text, '|' ORDER BY p.id_producto, p.categoria), ''
))
FROM dw.politica_precio AS p
$$;
COMMENT ON FUNCTION etl.huella_politica(boolean) IS 'Huella de la política de precios, para ver si cambió';

CREATE OR REPLACE FUNCTION etl.reintentar_rechazos(p_revisados jsonb) RETURNS void
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
    AND NOT EXISTS (
        SELECT FROM jsonb_array_elements_text(coalesce(nullif(p_revisados, 'null'), '[]')) AS v (id)
        WHERE v.id::bigint = r.id_movimiento
    )
$$;
COMMENT ON FUNCTION etl.reintentar_rechazos(jsonb) IS
    'Pone a prueba otra vez los rechazos que no vinieron en esta lectura';

CREATE OR REPLACE FUNCTION etl.dar_de_baja_borrados(p_revisados jsonb) RETURNS void
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
WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_movimiento)
    AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = r.id_movimiento)
$$;
COMMENT ON FUNCTION etl.dar_de_baja_borrados(jsonb) IS
    'De los movimientos que esta lectura buscó por su número, los que el OLTP ya no tiene salen del kardex';

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
    set_config('max_parallel_workers_per_gather', '0', true)
$$;
COMMENT ON FUNCTION etl.preparar_carga() IS
    'Memoria y planes para la transacción de una carga';

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
    v_reconstruir boolean := coalesce((p_extracto ->> 'reconstruir')::boolean, false);
    v_incluye boolean := (p_opciones ->> 'incluye_impuesto')::boolean;
    v_control etl.control := etl.bloquear_control(p_opciones ->> 'zona');
    v_inicial timestamptz := coalesce(v_control.desde_inicial, (p_extracto ->> 'desde_inicial')::timestamptz);
    v_corte date := (v_hasta AT TIME ZONE (p_opciones ->> 'zona'))::date;
    v_politica text := etl.huella_politica(v_incluye);
    v_inicio timestamptz := clock_timestamp();
    v_filas bigint;
    v_conteo jsonb;
    v_nombre boolean := false;
BEGIN
    IF v_control.version <> (p_extracto ->> 'version')::uuid
        OR v_control.hasta <> v_desde THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01', MESSAGE = 'the window was not opened by etl.abrir_ventana';
    END IF;
    PERFORM etl.preparar_carga();

    UPDATE dw.apertura AS a SET fecha = v_inicial WHERE a.fecha IS NULL;
    v_filas := etl.revisar_etapa();
    IF NOT v_completa THEN
        PERFORM etl.reintentar_rechazos(p_extracto -> 'revisados');
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
    PERFORM etl.cargar_dimensiones(v_incluye, v_politica);
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
        v_nombre := FOUND;
    END IF;
    -- First, since another database has other products, too.
    PERFORM etl.revisar_salidas(v_control, p_extracto, p_opciones);
    PERFORM etl.revisar_catalogo(v_control, p_extracto, p_opciones);
    PERFORM etl.revisar_rechazos(v_filas, p_opciones);
    v_conteo := etl.contar_cambios()
        || jsonb_build_object('fuera_nuevas', etl.anotar_fuera_de_alcance(p_extracto));
    PERFORM etl.apartar_rechazos(v_desde, v_hasta);
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
    ) || jsonb_build_object('filas_leidas', v_filas);
    IF v_reconstruir THEN
        PERFORM etl.recalcular_resumenes(p_opciones ->> 'zona', v_corte);
    END IF;

    PERFORM etl.avanzar_control(p_extracto, v_inicial, v_politica, p_opciones ->> 'zona');
    IF NOT v_nombre THEN
        PERFORM etl.conservar_refresco(v_control, v_conteo);
    END IF;
    PERFORM etl.anotar_corrida(
        p_extracto, v_conteo, extract(epoch FROM clock_timestamp() - v_inicio)::numeric
    );
    RETURN v_conteo;
END
$$;
COMMENT ON FUNCTION etl.cargar_ventana(jsonb, jsonb) IS
    'Carga la ventana abierta desde etl.etapa: clasifica, valoriza, resume y anota, todo o nada; devuelve los conteos';
SELECT etl.conceder('EXECUTE', 'etl.cargar_ventana(jsonb, jsonb)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.contar_cambios() RETURNS jsonb
LANGUAGE sql STABLE
AS $$
SELECT jsonb_build_object(
    'iguales', b.iguales,
    'retiradas', b.distintas - b.cambiadas,
    'cambiadas', b.cambiadas,
    'fuera_de_alcance', (SELECT count(*) FROM etl.descarte AS d WHERE d.motivo IS NULL),
    'rechazadas', (SELECT count(*) FROM etl.descarte AS d WHERE d.motivo IS NOT NULL)
)
FROM (
    SELECT
        count(*) FILTER (WHERE f.igual) AS iguales,
        count(*) FILTER (WHERE NOT f.igual) AS distintas,
        count(*) FILTER (
            WHERE NOT f.igual AND e.id_movimiento IS NOT NULL AND d.id_movimiento IS NULL
        ) AS cambiadas
    FROM etl.baja AS f
    LEFT JOIN etl.etapa AS e ON e.id_movimiento = f.id_movimiento
    LEFT JOIN etl.descarte AS d ON d.id_movimiento = f.id_movimiento
) AS b
$$;
COMMENT ON FUNCTION etl.contar_cambios() IS 'Conteos de lo clasificado, antes de apartar los rechazos';

CREATE OR REPLACE FUNCTION etl.avanzar_control(
    p_extracto jsonb, p_inicial timestamptz, p_politica text, p_zona text
) RETURNS void
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
    aceptar_fuente = NULL
$$;
COMMENT ON FUNCTION etl.avanzar_control(jsonb, timestamptz, text, text) IS
    'Deja el control al final de la ventana, con una versión nueva';

CREATE OR REPLACE FUNCTION etl.conservar_refresco(p_antes etl.control, p_conteo jsonb) RETURNS void
LANGUAGE sql
AS $$
-- Nothing else reaches what the views show, but for the day up to which they count.
UPDATE etl.refresco AS r
SET version = c.version
FROM etl.control AS c
WHERE r.version = p_antes.version
    AND (p_conteo ->> 'productos_tocados')::bigint = 0
    AND NOT EXISTS (SELECT FROM etl.etapa_producto)
    AND NOT EXISTS (SELECT FROM etl.etapa_sucursal)
    AND c.politica = p_antes.politica
    AND (c.hasta AT TIME ZONE c.zona)::date = (p_antes.hasta AT TIME ZONE c.zona)::date
$$;
COMMENT ON FUNCTION etl.conservar_refresco(etl.control, jsonb) IS
    'Si la carga no cambia nada de lo que muestran las vistas y estaban al día, lo siguen estando';

CREATE OR REPLACE FUNCTION etl.anotar_corrida(p_extracto jsonb, p_conteo jsonb, p_segundos numeric)
RETURNS void
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
COMMENT ON FUNCTION etl.anotar_corrida(jsonb, jsonb, numeric) IS
    'Deja la fila de la ventana en etl.corrida, con la versión que el control acaba de tomar';
