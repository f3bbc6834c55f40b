-- How the last runs went, and what somebody should look at: `status`.

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
    'rechazos', etl.motivos_de_rechazo(),
    'fuera_de_alcance', etl.resumir_fuera_de_alcance(),
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
    'productos', (SELECT count(*) FROM dw.inventario),
    'valor', (SELECT coalesce(sum(i.valor), 0) FROM dw.inventario AS i WHERE i.existencias > 0)
)
$$;
COMMENT ON FUNCTION etl.estado_operacion(integer) IS
    'Todo lo que muestra el comando status: control, última comprobación, últimas ventanas, rechazos, existencias bajo cero, entradas a costo 0';
SELECT etl.conceder('EXECUTE', 'etl.estado_operacion(integer)', 'etl_cargador');
