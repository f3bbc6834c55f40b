-- Proof, of the closings: the rows of each period are those that were closed

CREATE OR REPLACE FUNCTION etl.sumar_periodos(p_limites timestamptz[]) RETURNS TABLE (periodo integer, suma bytea)
LANGUAGE plpgsql STABLE
-- As text, which is shorter to sum and costs half of what record_send() does: of any session the same.
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
AS $$
BEGIN
    RETURN QUERY
    -- A product at a time, so that none of the strings has to hold all of it, and all periods in one read.
    SELECT p.periodo, string_agg(p.suma, ''::bytea ORDER BY p.id_producto)
    FROM (
        SELECT
            k.id_producto,
            width_bucket(k.fecha, p_limites) AS periodo,
            sha256(convert_to(
                k.id_producto || ' ' || string_agg(
                    -- What is null is left out, so each column that can be has its letter; the only text
                    -- has its length: no row can be read as two, nor as another.
                    concat_ws(
                        ' ', length(k.tipo), k.tipo, k.fecha, k.id_movimiento, k.capa, k.reverso, k.id_sucursal,
                        k.version, k.orden, k.provisional, k.cantidad, k.costo_total, k.ajuste, k.existencias,
                        k.valor, k.costo_promedio, k.variacion, 'd' || nullif(k.fecha_documento, k.fecha),
                        'p' || k.precio_unitario, 'c' || k.costo_unitario, 's' || k.salto_costo,
                        'i' || k.importe, 'o' || k.id_origen, 'a' || k.id_sucursal_destino, 't' || k.de_todo,
                        'r' || k.impuesto, 'w' || k.precio_con_impuesto
                    ), E'\n' ORDER BY k.fecha, k.fecha_documento, k.orden, k.id_movimiento, k.capa
                ),
                -- Whose bytes need not be UTF-8.
                CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END
            )) AS suma
        FROM dw.kardex AS k
        WHERE k.fecha >= p_limites[1] AND k.fecha < p_limites[cardinality(p_limites)]
        GROUP BY 1, 2
    ) AS p
    GROUP BY p.periodo;
END
$$;
COMMENT ON FUNCTION etl.sumar_periodos(timestamptz[]) IS
    'De los períodos entre cada límite y el siguiente que tienen filas en el kardex, los sha256 de todas las columnas de ellas, producto por producto en su orden';

CREATE OR REPLACE FUNCTION etl.huella_del_periodo(p_cierre dw.cierre, p_suma bytea, p_anterior text)
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
SELECT encode(sha256(convert_to(concat_ws(
    '|', p_anterior, p_cierre.dia - date '2000-01-01', extract(epoch FROM p_cierre.hasta), p_cierre.movimientos,
    p_cierre.existencias, p_cierre.valor
), 'UTF8') || coalesce(p_suma, '')), 'hex')
$$;
COMMENT ON FUNCTION etl.huella_del_periodo(dw.cierre, bytea, text) IS
    'sha256 de las cifras de un cierre y de lo que suman las filas de su período, como etl.sumar_periodos(), tras la huella del anterior';

CREATE OR REPLACE FUNCTION etl.verificar_cierres() RETURNS TABLE (dia date)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.dia
FROM (
    SELECT c AS cierre, c.dia, c.huella, row_number() OVER w AS periodo, lag(c.huella) OVER w AS anterior
    FROM dw.cierre AS c
    WINDOW w AS (ORDER BY c.hasta)
) AS c
LEFT JOIN etl.sumar_periodos(
    ARRAY(SELECT '-infinity'::timestamptz UNION ALL SELECT d.hasta FROM dw.cierre AS d ORDER BY 1)
) AS s ON s.periodo = c.periodo
WHERE c.huella IS DISTINCT FROM etl.huella_del_periodo(c.cierre, s.suma, c.anterior)
ORDER BY c.dia
$$;
COMMENT ON FUNCTION etl.verificar_cierres() IS 'Los días de cierre cuyas filas ya no son las que se cerraron';
SELECT etl.conceder('EXECUTE', 'etl.verificar_cierres()', 'etl_cargador');
