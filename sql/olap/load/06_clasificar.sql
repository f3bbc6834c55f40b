-- Steps 2 and 3 of the load: what of the extract is new, changed, gone, rejected or the same.

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

CREATE OR REPLACE FUNCTION etl.revisar_etapa() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_repetido record;
    v_filas bigint;
    v_distintas bigint;
BEGIN
    SELECT count(*), count(DISTINCT e.id_movimiento) INTO v_filas, v_distintas FROM etl.etapa AS e;
    IF v_distintas = v_filas THEN
        RETURN v_filas;
    END IF;
    SELECT e.id_movimiento, count(*) AS veces INTO v_repetido
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
        HINT = 'correct its joins so that each movement is one row, then run again';
END
$$;
COMMENT ON FUNCTION etl.revisar_etapa() IS
    'Cuenta las filas leídas; falla si un movimiento viene sin número o dos veces, pues la consulta está mal';

CREATE OR REPLACE FUNCTION etl.retirar_productos() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    -- As in an OLAP that never knew it, nothing is left of it but its opening, in no category and
    -- at that policy's price. Its names stay: whoever finds the opening wants to know whose it is.
    INSERT INTO etl.tramo (id_producto, desde, categoria_anterior, impuesto_anterior)
    SELECT p.id_producto, '-infinity', p.categoria, p.impuesto
    FROM dw.producto AS p
    INNER JOIN dw.inventario AS i ON i.id_producto = p.id_producto
    WHERE p.vigente
        AND NOT EXISTS (SELECT FROM etl.etapa_producto AS e WHERE e.id_producto = p.id_producto);

    UPDATE dw.producto AS p
    SET vigente = false, categoria = 'Sin categoría'
    WHERE p.vigente
        AND NOT EXISTS (SELECT FROM etl.etapa_producto AS e WHERE e.id_producto = p.id_producto);
END
$$;
COMMENT ON FUNCTION etl.retirar_productos() IS
    'Con el catálogo entero en etl.etapa_producto, lo que falta en él deja de estar vigente: sus movimientos pasan a esperar en etl.rechazo hasta que vuelva';

CREATE OR REPLACE FUNCTION etl.cargar_dimensiones(p_incluye_impuesto boolean, p_politica text)
RETURNS void
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
    SELECT DISTINCT e.id_producto, e.codigo, e.nombre, coalesce(e.categoria, 'Sin categoría')
    FROM etl.etapa_producto AS e
    ON CONFLICT (id_producto) DO UPDATE
    SET codigo = excluded.codigo, nombre = excluded.nombre, categoria = excluded.categoria,
        vigente = true
    WHERE (p.codigo, p.nombre, p.categoria, p.vigente)
        IS DISTINCT FROM (excluded.codigo, excluded.nombre, excluded.categoria, true);

    -- One that has an opening has a stock, in the catalogue or not.
    INSERT INTO dw.producto (id_producto, vigente)
    SELECT a.id_producto, false
    FROM dw.apertura AS a
    WHERE NOT EXISTS (SELECT FROM dw.producto AS p WHERE p.id_producto = a.id_producto);

    INSERT INTO dw.sucursal AS s (id_sucursal, nombre)
    SELECT e.id_sucursal, coalesce(e.nombre, 'Sucursal ' || e.id_sucursal)
    FROM etl.etapa_sucursal AS e
    WHERE e.id_sucursal IS NOT NULL
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
COMMENT ON FUNCTION etl.cargar_dimensiones(boolean, text) IS
    'Actualiza productos y sucursales; anota en etl.tramo los productos cuyas sumas cambian de lugar o de impuesto';

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

CREATE OR REPLACE FUNCTION etl.apartar_rechazos(p_desde timestamptz, p_hasta timestamptz)
RETURNS void
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
COMMENT ON FUNCTION etl.apartar_rechazos(timestamptz, timestamptz) IS
    'Deja en etl.rechazo lo que hoy no se puede valorizar, en etl.etapa las altas y en etl.baja las bajas';
