-- How the last runs went, and what somebody should look at: `status`.

CREATE OR REPLACE VIEW etl.v_par AS
SELECT n.id_producto, n.id_movimiento, n.id_origen, t.regla
FROM dw.kardex AS n
INNER JOIN dw.tipo_movimiento AS t ON t.tipo = n.tipo
INNER JOIN dw.kardex AS o
    ON o.id_movimiento = n.id_origen AND o.id_producto = n.id_producto AND o.tipo = t.tipo_origen
WHERE n.id_origen IS NOT NULL AND NOT n.reverso AND NOT o.reverso AND (t.regla = 'sumar_costo' OR o.fecha <= n.fecha);
COMMENT ON VIEW etl.v_par IS
    'Del kardex, cada movimiento que nombra a otro que le sirve de origen';

CREATE OR REPLACE FUNCTION etl.origenes_por_revisar() RETURNS jsonb
LANGUAGE sql STABLE
AS $$
WITH sin_uso AS (
    SELECT
        n.id_movimiento, n.tipo, n.id_producto, n.fecha, n.id_origen,
        CASE
            WHEN o.id_movimiento IS NULL THEN 'no está en el kardex'
            WHEN o.tipo <> t.tipo_origen THEN 'es de otro tipo'
            WHEN o.id_producto <> n.id_producto THEN 'es de otro producto'
            ELSE 'es posterior'
        END AS motivo,
        count(*) OVER () AS total
    FROM dw.kardex AS n
    INNER JOIN dw.tipo_movimiento AS t ON t.tipo = n.tipo AND t.tipo_origen IS NOT NULL
    LEFT JOIN dw.kardex AS o ON o.id_movimiento = n.id_origen
    WHERE n.id_origen IS NOT NULL
        AND NOT EXISTS (SELECT FROM etl.v_par AS p WHERE p.id_movimiento = n.id_movimiento)
    ORDER BY n.fecha DESC, n.id_movimiento DESC
    LIMIT 20
), de_mas AS (
    SELECT
        v.id_movimiento, v.id_producto, v.fecha, v.cantidad, sum(n.cantidad) AS devuelta,
        count(*) OVER () AS total
    FROM etl.v_par AS p
    INNER JOIN dw.kardex AS n ON n.id_movimiento = p.id_movimiento
    INNER JOIN dw.kardex AS v ON v.id_movimiento = p.id_origen
    WHERE p.regla = 'devolver_venta'
    GROUP BY v.id_movimiento, v.id_producto, v.fecha, v.cantidad
    HAVING sum(n.cantidad) > v.cantidad
    ORDER BY v.fecha DESC, v.id_movimiento DESC
    LIMIT 20
)
SELECT jsonb_build_object(
    'devueltas_de_mas', (SELECT coalesce(jsonb_agg(to_jsonb(m) - 'total'), '[]') FROM de_mas AS m),
    'devueltas_de_mas_total', (SELECT coalesce(max(m.total), 0) FROM de_mas AS m),
    'sin_uso', (SELECT coalesce(jsonb_agg(to_jsonb(s) - 'total'), '[]') FROM sin_uso AS s),
    'sin_uso_total', (SELECT coalesce(max(s.total), 0) FROM sin_uso AS s)
)
$$;
COMMENT ON FUNCTION etl.origenes_por_revisar() IS
    'Las ventas de las que se devolvió más de lo vendido, y los movimientos cuyo id_origen no sirve, que se valorizan sin él; los últimos 20 de cada uno';

CREATE OR REPLACE FUNCTION etl.conteos_sin_entradas() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object('productos', count(*), 'ejemplo', min(c.id_producto))
FROM (
    SELECT DISTINCT k.id_producto
    FROM dw.kardex AS k
    WHERE k.orden = 3 AND k.de_todo IS NULL AND k.id_sucursal <> 0
) AS c
INNER JOIN dw.producto AS p ON p.id_producto = c.id_producto AND p.inventariable
INNER JOIN (
    SELECT r.id_producto
    FROM dw.resumen_mensual AS r
    GROUP BY r.id_producto
    HAVING bool_or(r.id_sucursal <> 0 AND r.unidades_vendidas > 0)
        AND bool_or(r.id_sucursal = 0 AND r.unidades_recibidas > 0)
) AS m ON m.id_producto = c.id_producto
-- What comes in without a branch may be sent to one.
WHERE NOT EXISTS (
    SELECT FROM dw.kardex AS t
    WHERE t.id_producto = c.id_producto AND t.id_sucursal_destino IS NOT NULL AND t.id_sucursal = 0
)
$$;
COMMENT ON FUNCTION etl.conteos_sin_entradas() IS
    'Cuántos productos se cuentan y se venden por sucursal, y se reciben sin ella: sus conteos hallan diferencias que no lo son';
SELECT etl.conceder('EXECUTE', 'etl.conteos_sin_entradas()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.vendidos_sin_entradas() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'vendidos', count(*),
    'sin_entradas', count(*) FILTER (WHERE v.nada),
    'ejemplo', min(v.id_producto) FILTER (WHERE v.nada)
)
FROM (
    SELECT
        m.id_producto,
        NOT m.recibido
        AND NOT EXISTS (
            SELECT FROM dw.apertura AS a WHERE a.id_producto = m.id_producto AND a.existencias > 0
        )
        AND NOT EXISTS (
            SELECT FROM dw.kardex AS k
            INNER JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo
            WHERE k.id_producto = m.id_producto AND t.clase IS DISTINCT FROM 'ventas' AND k.variacion > 0
        ) AS nada
    FROM (
        SELECT r.id_producto, bool_or(r.unidades_recibidas > 0) AS recibido
        FROM dw.resumen_mensual AS r
        INNER JOIN dw.producto AS p ON p.id_producto = r.id_producto AND p.inventariable
        GROUP BY r.id_producto
        HAVING bool_or(r.unidades_vendidas > 0)
    ) AS m
) AS v
$$;
COMMENT ON FUNCTION etl.vendidos_sin_entradas() IS
    'Cuántos productos se venden, y cuántos de ellos no tienen apertura ni nada que los haya hecho entrar: sin costo y bajo cero';
SELECT etl.conceder('EXECUTE', 'etl.vendidos_sin_entradas()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.impuesto_de_los_precios() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'tasa', (SELECT coalesce(max(p.impuesto), 0) FROM dw.politica_precio AS p),
    'dicho', etl.impuesto_dicho(),
    'vendidos', count(*),
    'lo_dicen', count(*) FILTER (WHERE k.impuesto IS NOT NULL OR k.precio_con_impuesto IS NOT NULL)
)
FROM etl.v_ultimas_ventas AS k
$$;
COMMENT ON FUNCTION etl.impuesto_de_los_precios() IS
    'Si se sabe la tasa de los precios, la mayor de la política y, de la última venta de unos productos, cuántas dicen su tasa o si su precio la incluye';
SELECT etl.conceder('EXECUTE', 'etl.impuesto_de_los_precios()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.estado_operacion(p_ventanas integer) RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'control', etl.leer_control(),
    'ventanas', (
        SELECT coalesce(jsonb_agg(to_jsonb(c) - 'identidad' ORDER BY c.numero DESC), '[]')
        FROM (SELECT * FROM etl.corrida AS c ORDER BY c.numero DESC LIMIT p_ventanas) AS c
    ),
    'probada', (SELECT u.probada FROM etl.prueba AS u),
    'probada_entera', (SELECT u.entera FROM etl.prueba AS u),
    'cierre', etl.ultimo_cierre(),
    'impuesto_dicho', etl.impuesto_dicho(),
    'rechazos', etl.motivos_de_rechazo(),
    'fuera_de_alcance', etl.resumir_fuera_de_alcance(),
    'diferencias', etl.resumir_diferencias(),
    'bajo_cero', (
        SELECT coalesce(jsonb_agg(to_jsonb(n) ORDER BY n.existencias), '[]')
        FROM (
            SELECT i.id_producto, p.codigo, p.nombre, i.existencias, i.costo_promedio
            FROM dw.inventario AS i
            INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto
            WHERE i.existencias < 0
            ORDER BY i.existencias
            LIMIT 20
        ) AS n
    ),
    'bajo_cero_total', (SELECT count(*) FROM dw.inventario AS i WHERE i.existencias < 0),
    'gratis', (
        SELECT coalesce(jsonb_agg(to_jsonb(g) ORDER BY g.fecha DESC), '[]')
        FROM (
            SELECT k.id_movimiento, k.id_producto, p.nombre, k.fecha, k.cantidad
            FROM dw.kardex AS k
            INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
            WHERE k.salto_costo = 0
            ORDER BY k.fecha DESC
            LIMIT 20
        ) AS g
    ),
    'saltos', (
        SELECT coalesce(jsonb_agg(to_jsonb(g) ORDER BY g.fecha DESC), '[]')
        FROM (
            SELECT k.id_movimiento, k.id_producto, p.nombre, k.fecha, k.costo_unitario, k.salto_costo
            FROM dw.kardex AS k
            INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
            WHERE k.salto_costo > 0
            ORDER BY k.fecha DESC
            LIMIT 20
        ) AS g
    ),
    'origenes', etl.origenes_por_revisar(),
    'productos', (SELECT count(*) FROM dw.inventario),
    'valor', (SELECT coalesce(sum(i.valor), 0) FROM dw.inventario AS i WHERE i.existencias > 0)
)
$$;
COMMENT ON FUNCTION etl.estado_operacion(integer) IS
    'Todo lo que muestra el comando status: control, última comprobación, último cierre, si se sabe el impuesto de los precios, últimas ventanas, rechazos, existencias que no son las de la tienda o están bajo cero, entradas a costo 0, orígenes por revisar';
SELECT etl.conceder('EXECUTE', 'etl.estado_operacion(integer)', 'etl_cargador');
