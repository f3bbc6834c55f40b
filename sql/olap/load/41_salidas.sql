-- What a load takes out of the ledger or puts in the place of other documents, and what stops it there.

CREATE OR REPLACE FUNCTION etl.revisar_salidas(
    p_control etl.control, p_extracto jsonb, p_opciones jsonb
) RETURNS void
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
COMMENT ON FUNCTION etl.revisar_salidas(etl.control, jsonb, jsonb) IS
    'Detiene una carga que quitaría del kardex, o reemplazaría por otros documentos, demasiado, sola o con las corridas anteriores, salvo que se haya aceptado esa fuente; lleva la cuenta de las ajenas en etl.control.ajenas';

CREATE OR REPLACE FUNCTION etl.contar_salidas() RETURNS jsonb
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

CREATE OR REPLACE FUNCTION etl.salidas()
RETURNS TABLE (id_movimiento bigint, fecha timestamptz, motivo text, ajena boolean)
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
COMMENT ON FUNCTION etl.salidas() IS
    'Las filas del kardex que esta carga quita o cambia: quitada (ya no viene), reemplazada (su número trae la fecha, el tipo o el producto de otro documento; ajena si la fecha y además lo otro, la sucursal, la cantidad o el monto), perdida (sin su producto), anulada (o ya no válida), corregida (otra cantidad, costo o fecha) u otra';

CREATE OR REPLACE FUNCTION etl.contar_series(OUT ajenas bigint, OUT nuevas bigint)
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
COMMENT ON FUNCTION etl.contar_series() IS
    'De esta carga, las filas ajenas y las de número nuevo: de los tipos en que aquellas son más, o de todos si en ninguno lo son';

CREATE OR REPLACE FUNCTION etl.es_otra_base(p_antes jsonb, p_ahora jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
SELECT (p_antes -> 'sistema', p_antes -> 'base') IS DISTINCT FROM (p_ahora -> 'sistema', p_ahora -> 'base')
$$;
COMMENT ON FUNCTION etl.es_otra_base(jsonb, jsonb) IS
    'Si lo leído es de otro servidor o de otra base; la línea de tiempo cambia también en la misma';

CREATE OR REPLACE FUNCTION etl.senal_fuente(p_identidad jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
SELECT left(md5(p_identidad::text), 12)
$$;
COMMENT ON FUNCTION etl.senal_fuente(jsonb) IS
    'Señal corta de un OLTP, para que el operador la acepte por su nombre';

CREATE OR REPLACE FUNCTION etl.comparar_fuentes(p_antes jsonb, p_ahora jsonb) RETURNS text
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
COMMENT ON FUNCTION etl.comparar_fuentes(jsonb, jsonb) IS
    'En palabras, qué tiene de igual y qué de otro el OLTP que se leyó, frente al de la última lectura';

CREATE OR REPLACE FUNCTION etl.contar_renumeradas() RETURNS bigint
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
COMMENT ON FUNCTION etl.contar_renumeradas() IS
    'De lo que esta carga quitaría, cuántas filas trae también con un número que el kardex no tiene';

CREATE OR REPLACE FUNCTION etl.aconsejar_salidas(
    p_control etl.control, p_extracto jsonb, p_quitadas bigint, p_reemplazadas bigint,
    p_ajenas bigint, p_anuladas bigint, p_corregidas bigint
) RETURNS text
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
COMMENT ON FUNCTION etl.aconsejar_salidas(etl.control, jsonb, bigint, bigint, bigint, bigint, bigint) IS
    'De lo que detiene etl.revisar_salidas(), la causa más probable y su remedio';
