-- ETL_STOCK_DIFFERENCES=adjust: what differs is booked, after the window is valued and compared, or stops it

CREATE OR REPLACE FUNCTION etl.esta_base() RETURNS text
LANGUAGE sql STABLE
AS $$
SELECT concat_ws('/', s.system_identifier, c.timeline_id, d.oid)
FROM pg_control_system() AS s
CROSS JOIN pg_control_checkpoint() AS c
CROSS JOIN pg_database AS d
WHERE d.datname = current_database()
$$;
COMMENT ON FUNCTION etl.esta_base() IS
    'Qué base es esta: su servidor, su línea de tiempo y su número; una restaurada es otra';

CREATE OR REPLACE FUNCTION etl.resumir_ajustes(p_ajustes dw.ajuste_existencias[]) RETURNS jsonb
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
COMMENT ON FUNCTION etl.resumir_ajustes(dw.ajuste_existencias[]) IS
    'Cuántos ajustes son, de cuántos productos, sus unidades y lo que valen, cuántas no tienen costo, cuántos deshacen otros o son saldos iniciales, y los 20 mayores';

CREATE OR REPLACE FUNCTION etl.revisar_ajustes(p_control etl.control, p_resumen jsonb, p_opciones jsonb) RETURNS void
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
COMMENT ON FUNCTION etl.revisar_ajustes(etl.control, jsonb, jsonb) IS
    'Detiene la primera ventana de esta base que asienta ajustes, y la que asentaría más de lo que ETL_MAX_REMOVED_SHARE permite del valor de las existencias o, de lo que no tiene costo, de sus unidades, salvo que se haya aceptado';

CREATE OR REPLACE FUNCTION etl.asentar_ajustes(p_control etl.control, p_extracto jsonb, p_opciones jsonb) RETURNS jsonb
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
COMMENT ON FUNCTION etl.asentar_ajustes(etl.control, jsonb, jsonb) IS
    'Añade a dw.ajuste_existencias lo que difiere, si así se pide y la tienda se leyó entera; devuelve lo que dice etl.resumir_ajustes(), o nulo si nada';

CREATE OR REPLACE FUNCTION etl.comprobar_igualadas(p_esperadas jsonb) RETURNS void
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
COMMENT ON FUNCTION etl.comprobar_igualadas(jsonb) IS
    'Falla si, asentados los ajustes, algún producto no quedó en lo que debía';

CREATE OR REPLACE FUNCTION etl.igualar_existencias(p_extracto jsonb, p_opciones jsonb, p_control etl.control, p_corte date)
RETURNS jsonb
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
COMMENT ON FUNCTION etl.igualar_existencias(jsonb, jsonb, etl.control, date) IS
    'Lleva los ajustes al kardex, asienta los que faltan y compara otra vez; devuelve lo asentado, lo que la carga sacó del kardex antes de ello y cuántos productos difieren que antes no';
