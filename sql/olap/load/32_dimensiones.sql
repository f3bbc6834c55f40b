-- Products and branches, with the tax that sales are netted by.

CREATE OR REPLACE FUNCTION etl.retirar_productos() RETURNS void
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
COMMENT ON FUNCTION etl.retirar_productos() IS
    'Con el catálogo entero en etl.etapa_producto, lo que falta en él deja de estar vigente: sus movimientos pasan a esperar en etl.rechazo hasta que vuelva';

CREATE OR REPLACE FUNCTION etl.revisar_dimensiones() RETURNS void
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
COMMENT ON FUNCTION etl.revisar_dimensiones() IS
    'Falla si un producto o una sucursal viene dos veces con otro contenido, pues la consulta está mal';

CREATE OR REPLACE FUNCTION etl.cargar_dimensiones(p_incluye_impuesto boolean, p_politica text)
RETURNS bigint
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
COMMENT ON FUNCTION etl.cargar_dimensiones(boolean, text) IS
    'Actualiza productos y sucursales; anota en etl.tramo los productos cuyas sumas cambian de lugar o de impuesto; devuelve cuántos, de los que se venden, cambian de tasa sin fecha';

CREATE OR REPLACE FUNCTION etl.costo_valido(costo numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE WHEN costo > 0 AND costo < 1e11 THEN nullif(round(costo, 6), 0) END
$$;
COMMENT ON FUNCTION etl.costo_valido(numeric) IS
    'Un costo de referencia, a 6 decimales; nulo si no es ninguno: 0, negativo, ni un número posible';

CREATE OR REPLACE FUNCTION etl.cargar_referencias() RETURNS void
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
COMMENT ON FUNCTION etl.cargar_referencias() IS
    'Pone al día el costo de referencia de los productos: el de existencias.sql o, si no, el de productos.sql; y anota en etl.tramo los que entraron así y cambian';
