-- Where the shop's own stock is not ours, in numbers: `status`, `verify`, the notices and the metrics.

CREATE OR REPLACE FUNCTION etl.resumir_diferencias() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- Each table once, as in a load: statistics tell nothing of what was just written.
SET enable_nestloop = off
AS $$
WITH difiere AS MATERIALIZED (
    SELECT * FROM dw.v_diferencias_existencias
), en_espera AS MATERIALIZED (
    SELECT r.id_producto, count(*) AS movimientos
    FROM etl.rechazo AS r
    WHERE r.id_producto IN (SELECT d.id_producto FROM difiere AS d)
    GROUP BY r.id_producto
), mayores AS (
    SELECT d.*, coalesce(e.movimientos, 0) AS en_espera
    FROM difiere AS d
    LEFT JOIN en_espera AS e ON e.id_producto = d.id_producto
    ORDER BY abs(d.valor) DESC, abs(d.diferencia) DESC, d.id_producto, d.id_sucursal
    LIMIT 20
)
SELECT jsonb_build_object(
    'comparadas', EXISTS (SELECT FROM dw.existencias_tienda),
    'productos', (SELECT count(DISTINCT d.id_producto) FROM difiere AS d),
    'valor', (SELECT coalesce(sum(abs(d.valor)), 0) FROM difiere AS d),
    'ajustes', (SELECT to_jsonb(a) FROM etl.v_ajustado AS a),
    'en_espera', (SELECT coalesce(sum(e.movimientos), 0) FROM en_espera AS e),
    'mayores', (
        SELECT coalesce(jsonb_agg(
            to_jsonb(m) ORDER BY abs(m.valor) DESC, abs(m.diferencia) DESC, m.id_producto, m.id_sucursal
        ), '[]')
        FROM mayores AS m
    )
)
$$;
COMMENT ON FUNCTION etl.resumir_diferencias() IS
    'Cuántos productos no tienen las existencias que la tienda dice, lo que valen de más y de menos, las 20 mayores, y cuántos movimientos de ellos esperan como rechazos; comparadas: si la tienda da las suyas; y lo que dice etl.v_ajustado de los ajustes';
SELECT etl.conceder('EXECUTE', 'etl.resumir_diferencias()', 'etl_cargador');
