-- ETL_STOCK_DIFFERENCES=adjust: what differs is booked, after the window is valued and compared.

CREATE OR REPLACE VIEW etl.v_ajuste AS
SELECT
    a.id_movimiento, CASE WHEN a.cantidad > 0 THEN 'AJUSTE_ENTRADA' ELSE 'AJUSTE_SALIDA' END AS tipo,
    a.id_producto, a.id_sucursal, a.fecha, a.cantidad + q.deshecha AS cantidad,
    a.cantidad + q.deshecha <> 0 AND coalesce(p.vigente, false) AND a.fecha >= coalesce(c.desde_inicial, '-infinity')
    AND (o.fecha IS NULL OR a.fecha >= o.fecha) AS cuenta,
    coalesce(p.vigente, false) AS vigente
FROM dw.ajuste_existencias AS a
CROSS JOIN etl.control AS c
CROSS JOIN LATERAL (
    SELECT coalesce(sum(d.cantidad), 0) AS deshecha
    FROM dw.ajuste_existencias AS d
    WHERE d.deshace = a.id_movimiento
    OFFSET 0
) AS q
LEFT JOIN dw.producto AS p ON p.id_producto = a.id_producto
LEFT JOIN dw.apertura AS o ON o.id_producto = a.id_producto
WHERE a.deshace IS NULL;
COMMENT ON VIEW etl.v_ajuste IS
    'Lo que queda de cada ajuste (cantidad, con su signo), y si cuenta: en el alcance como cualquier movimiento';

CREATE OR REPLACE FUNCTION etl.ajustes_por_llevar(p_ajustes bigint[]) RETURNS bigint[]
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
COMMENT ON FUNCTION etl.ajustes_por_llevar(bigint[]) IS
    'De esos ajustes, o de todos (nulo), los que el kardex no tiene como quedan: los recién asentados o deshechos, los que se importaron, o los que una apertura o el catálogo sacan o devuelven';

CREATE OR REPLACE FUNCTION etl.corregir_asientos(p_cerrado timestamptz) RETURNS void
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
COMMENT ON FUNCTION etl.corregir_asientos(timestamptz) IS
    'Lo que está en etl.etapa, como está y sin juzgarlo, frente a lo asentado: deja en etl.etapa las altas y en etl.baja las bajas; lo anulado sale';

CREATE OR REPLACE FUNCTION etl.llevar_ajustes(
    p_ajustes bigint[], p_numero bigint, p_opciones jsonb, p_corte date
) RETURNS bigint
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
COMMENT ON FUNCTION etl.llevar_ajustes(bigint[], bigint, jsonb, date) IS
    'Pone en el kardex los ajustes, de esos o de todos (nulo), que no están en él como quedan, y repite sus productos; devuelve cuántos';

CREATE OR REPLACE FUNCTION etl.en_cuarentena()
RETURNS TABLE (id_producto bigint, id_sucursal bigint, cantidad numeric, se_sabe boolean)
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
COMMENT ON FUNCTION etl.en_cuarentena() IS
    'De los rechazos que nombran un producto: lo que moverá cada uno en su sucursal cuando entre, y si se sabe; de un traslado, en las dos, y en ninguna (nula) si no dice adónde va';

CREATE OR REPLACE FUNCTION etl.por_ajustar(p_leida timestamptz)
RETURNS TABLE (id_producto bigint, id_sucursal bigint, cantidad numeric, deshacer numeric, deshacer_desde timestamptz)
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
COMMENT ON FUNCTION etl.por_ajustar(timestamptz) IS
    'De los productos con existencias y sucursales que la tienda nombra, lo que difiere sin lo que espera como rechazo; y cuánto de ello deshace lo que nos cambió algo que ella ya sabía';

CREATE OR REPLACE FUNCTION etl.proponer_ajustes(p_extracto jsonb)
RETURNS SETOF dw.ajuste_existencias
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
COMMENT ON FUNCTION etl.proponer_ajustes(jsonb) IS
    'Lo que esta ventana asentaría: primero lo que deshace ajustes anteriores de ese producto y sucursal, en su fecha y el último primero; lo demás, en la de la instantánea';

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
            'id_producto', v.id_producto, 'codigo', v.codigo, 'nombre', v.nombre, 'id_sucursal', v.id_sucursal,
            'sucursal', v.sucursal, 'cantidad', v.cantidad, 'valor', v.valor, 'fecha', v.fecha,
            'deshace', v.deshace IS NOT NULL
        ) ORDER BY v.puesto
    ) FILTER (WHERE v.puesto <= 20), '[]')
)
FROM (
    SELECT
        a.*, p.codigo, p.nombre, s.nombre AS sucursal, e.valor, etl.es_inicial(a.id_movimiento) AS inicial,
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
            THEN 'this OLAP books none without being told once: look at them with `python -m pipeline plan`; where another OLAP of this shop has booked some, import those first (`python -m pipeline adjustments`); if it is right: luigi --module pipeline RunDue --accept-adjustments'
            ELSE 'it is more than ETL_MAX_REMOVED_SHARE of the stock: look at them with `python -m pipeline plan`; if it is right: luigi --module pipeline RunDue --accept-adjustments'
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
