-- What of the extract is new, changed, gone, rejected or the same.

CREATE OR REPLACE FUNCTION etl.clasificar(
    p_inicial timestamptz, p_limite timestamptz, p_imagen_completa boolean
) RETURNS void
LANGUAGE sql
AS $$
INSERT INTO etl.descarte SELECT * FROM etl.por_descartar(p_inicial, p_limite);
SELECT etl.comparar(p_imagen_completa)
$$;
COMMENT ON FUNCTION etl.clasificar(timestamptz, timestamptz, boolean) IS
    'Llena etl.descarte con lo que no entra, y etl.baja con las filas del kardex que se leyeron otra vez o ya no existen';

CREATE OR REPLACE FUNCTION etl.comparar(p_imagen_completa boolean) RETURNS void
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
COMMENT ON FUNCTION etl.comparar(boolean) IS
    'Compara lo que hay en etl.etapa, sabido lo que de ello no entra, con el kardex: llena etl.baja y etl.cerrada';

CREATE OR REPLACE FUNCTION etl.por_descartar(p_inicial timestamptz, p_limite timestamptz)
RETURNS SETOF etl.descarte
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
COMMENT ON FUNCTION etl.por_descartar(timestamptz, timestamptz) IS
    'De lo leído, lo que no entra al kardex y por qué';

CREATE OR REPLACE FUNCTION etl.motivo_rechazo(
    t dw.tipo_movimiento, conocido boolean, cantidad numeric, precio numeric, costo numeric,
    importe numeric, impuesto numeric, fecha timestamptz, limite timestamptz, sucursal bigint, destino bigint
) RETURNS text
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
COMMENT ON FUNCTION etl.motivo_rechazo(dw.tipo_movimiento, boolean, numeric, numeric, numeric, numeric, numeric, timestamptz, timestamptz, bigint, bigint) IS
    'Por qué un movimiento del alcance no se puede valorizar; nulo si se puede. Los montos, ya redondeados a 6 decimales';

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
WHERE etl.puede_irse(r.fecha_documento, r.capa, (SELECT etl.cerrado_hasta()))
    AND NOT etl.es_ajuste(r.id_movimiento)
    AND NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_movimiento)
    AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = r.id_movimiento)
$$;
COMMENT ON FUNCTION etl.dar_de_baja_borrados(jsonb) IS
    'De los movimientos que esta lectura buscó por su número, los que el OLTP ya no tiene salen del kardex';

CREATE OR REPLACE FUNCTION etl.dar_de_baja_desconocidos() RETURNS void
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
COMMENT ON FUNCTION etl.dar_de_baja_desconocidos() IS
    'De los productos que ya no están en productos.sql, los movimientos que el OLTP ya no tiene salen del kardex como los que tiene';

CREATE OR REPLACE FUNCTION etl.contar_cambios() RETURNS jsonb
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
