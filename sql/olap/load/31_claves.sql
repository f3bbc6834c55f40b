-- Ids of the shop's that are text: no two of them may meet in one number.

CREATE OR REPLACE VIEW etl.v_clave AS
SELECT 'id_movimiento' AS columna, e.id_movimiento AS numero, e.clave FROM etl.etapa AS e
UNION ALL
SELECT 'id_movimiento', e.id_origen, e.clave_origen FROM etl.etapa AS e
UNION ALL
SELECT 'id_documento', e.id_documento, e.clave_documento FROM etl.etapa AS e
UNION ALL
SELECT 'id_producto', e.id_producto, e.clave_producto FROM etl.etapa AS e
UNION ALL
SELECT 'id_producto', p.id_producto, p.clave FROM etl.etapa_producto AS p
UNION ALL
SELECT 'id_sucursal', e.id_sucursal, e.clave_sucursal FROM etl.etapa AS e
UNION ALL
SELECT 'id_sucursal', e.id_sucursal_destino, e.clave_destino FROM etl.etapa AS e
UNION ALL
SELECT 'id_sucursal', s.id_sucursal, s.clave FROM etl.etapa_sucursal AS s
UNION ALL
SELECT 'id_producto', x.id_producto, x.clave_producto FROM etl.etapa_existencia AS x
UNION ALL
SELECT 'id_sucursal', x.id_sucursal, x.clave_sucursal FROM etl.etapa_existencia AS x;
COMMENT ON VIEW etl.v_clave IS
    'Los ids que se leyeron, por lo que nombran: el número de cada uno y el de la tienda, si no es ese mismo';

CREATE OR REPLACE FUNCTION etl.revisar_claves() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_choque record;
BEGIN
    IF NOT etl.hay_claves() THEN
        RETURN;
    END IF;
    WITH leida AS (
        SELECT c.columna, c.numero, min(c.clave) AS una, max(c.clave) AS otra
        FROM etl.v_clave AS c
        WHERE c.clave IS NOT NULL
        GROUP BY c.columna, c.numero
    )
    SELECT l.columna, l.numero, l.una, v.clave AS otra INTO v_choque
    FROM leida AS l
    CROSS JOIN LATERAL (
        SELECT l.otra AS clave
        UNION ALL
        SELECT d.clave FROM dw.documento_movimiento AS d
        WHERE l.columna = 'id_movimiento' AND d.id_movimiento = l.numero
        UNION ALL
        (
            SELECT d.clave_documento FROM dw.documento_movimiento AS d
            WHERE l.columna = 'id_documento' AND d.id_documento = l.numero
            LIMIT 1
        )
        UNION ALL
        SELECT p.clave FROM dw.producto AS p
        WHERE l.columna = 'id_producto' AND p.id_producto = l.numero
        UNION ALL
        SELECT s.clave FROM dw.sucursal AS s
        WHERE l.columna = 'id_sucursal' AND s.id_sucursal = l.numero
        OFFSET 0
    ) AS v
    WHERE v.clave <> l.una
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01',
            MESSAGE = format('%s %s and %s come to the same number, %s; nothing was written',
                             v_choque.columna, quote_literal(v_choque.una), quote_literal(v_choque.otra),
                             v_choque.numero),
            HINT = 'make another text of one of them in the queries, wherever it stands';
    END IF;
END
$$;
COMMENT ON FUNCTION etl.revisar_claves() IS
    'Falla si dos ids de la tienda que no son números dan el mismo número: dos de los que se leyeron, o uno de ellos y uno que ya se conoce';

CREATE OR REPLACE FUNCTION etl.hay_claves() RETURNS boolean
LANGUAGE sql STABLE
AS $$
SELECT EXISTS (
    SELECT FROM etl.etapa AS e
    WHERE coalesce(e.clave, e.clave_documento, e.clave_producto, e.clave_sucursal, e.clave_origen, e.clave_destino)
        IS NOT NULL
) OR EXISTS (SELECT FROM etl.etapa_producto AS p WHERE p.clave IS NOT NULL)
OR EXISTS (SELECT FROM etl.etapa_sucursal AS s WHERE s.clave IS NOT NULL)
OR EXISTS (SELECT FROM etl.etapa_existencia AS x WHERE coalesce(x.clave_producto, x.clave_sucursal) IS NOT NULL)
$$;
COMMENT ON FUNCTION etl.hay_claves() IS 'Si de lo leído algún id no es un número';

CREATE OR REPLACE FUNCTION etl.nombrar_sucursales() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT etl.hay_claves() THEN
        RETURN;
    END IF;
    INSERT INTO dw.sucursal (id_sucursal, nombre, clave)
    SELECT DISTINCT c.numero, 'Sucursal ' || c.clave, c.clave
    FROM etl.v_clave AS c
    WHERE c.columna = 'id_sucursal' AND c.clave IS NOT NULL
    ON CONFLICT (id_sucursal) DO NOTHING;
END
$$;
COMMENT ON FUNCTION etl.nombrar_sucursales() IS
    'Lo que sucursales.sql no da se conoce por lo que lo llaman sus movimientos, si no es un número';
