-- What of the extract is new, changed, gone, rejected or the same.

CREATE OR REPLACE FUNCTION etl.clasificar(
    p_inicial timestamptz, p_limite timestamptz, p_imagen_completa boolean
) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO etl.descarte SELECT * FROM etl.por_descartar(p_inicial, p_limite);

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
    CROSS JOIN LATERAL (
        SELECT * FROM dw.kardex AS f WHERE f.id_movimiento = e.id_movimiento OFFSET 0
    ) AS k
    LEFT JOIN etl.descarte AS d ON d.id_movimiento = e.id_movimiento
    -- Most have a higher number than any that the ledger knows.
    WHERE e.id_movimiento <= (SELECT max(u.id_movimiento) FROM dw.kardex AS u);

    IF p_imagen_completa THEN
        INSERT INTO etl.baja
        SELECT k.*, false
        FROM dw.kardex AS k
        WHERE NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = k.id_movimiento);
    END IF;
END
$$;
COMMENT ON FUNCTION etl.clasificar(timestamptz, timestamptz, boolean) IS
    'Llena etl.descarte con lo que no entra, y etl.baja con las filas del kardex que se leyeron otra vez o ya no existen';

CREATE OR REPLACE FUNCTION etl.por_descartar(p_inicial timestamptz, p_limite timestamptz)
RETURNS SETOF etl.descarte
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN QUERY
    SELECT m.id_movimiento, CASE WHEN m.fuera IS NULL THEN m.motivo END, m.fuera
    FROM (
        SELECT
            e.id_movimiento,
            CASE
                WHEN e.anulado THEN 'anulado'
                WHEN (e.tipo IN ('VENTA', 'ENTRADA_MERCANCIA')) IS NOT TRUE THEN 'tipo'
                WHEN e.fecha < p_inicial OR e.fecha < a.fecha THEN 'fecha'
            END AS fuera,
            etl.motivo_rechazo(
                e.tipo, p.id_producto IS NOT NULL, round(e.cantidad, 6),
                round(CASE WHEN e.tipo = 'VENTA' THEN e.precio_unitario ELSE e.costo_unitario END, 6),
                e.fecha, p_limite
            ) AS motivo
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
            AND CASE e.tipo
                WHEN 'VENTA' THEN e.precio_unitario
                WHEN 'ENTRADA_MERCANCIA' THEN e.costo_unitario
            END BETWEEN 0 AND 999999
        ) IS NOT TRUE
    ) AS m
    WHERE m.fuera IS NOT NULL OR m.motivo IS NOT NULL;
END
$$;
COMMENT ON FUNCTION etl.por_descartar(timestamptz, timestamptz) IS
    'De lo leído, lo que no entra al kardex y por qué';

CREATE OR REPLACE FUNCTION etl.motivo_rechazo(
    tipo text, conocido boolean, cantidad numeric, monto numeric, fecha timestamptz,
    limite timestamptz
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
-- NaN sorts above every number, so NOT (x < limit) catches it and Infinity too.
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
COMMENT ON FUNCTION etl.motivo_rechazo(text, boolean, numeric, numeric, timestamptz, timestamptz) IS
    'Por qué un movimiento del alcance no se puede valorizar; nulo si se puede. Los montos, ya redondeados a 6 decimales';

CREATE OR REPLACE FUNCTION etl.precio_informado(tipo text, precio numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN tipo = 'VENTA' OR (precio > -1e11 AND precio < 1e11) THEN round(precio, 6)
END
$$;
COMMENT ON FUNCTION etl.precio_informado(text, numeric) IS
    'El precio que guarda el kardex: el de una venta, o el de una entrada si es un número posible';

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
WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = r.id_movimiento)
$$;
COMMENT ON FUNCTION etl.dar_de_baja_desconocidos() IS
    'De los productos que ya no están en productos.sql, los movimientos que el OLTP ya no tiene salen del kardex como los que tiene';

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
