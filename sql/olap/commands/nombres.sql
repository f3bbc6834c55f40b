-- What the shop calls movements and products, for whoever reads their numbers.

CREATE OR REPLACE FUNCTION etl.como_se_llaman(p_movimientos bigint[], p_productos bigint[]) RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'movimientos', (
        SELECT coalesce(jsonb_object_agg(
            d.id_movimiento, jsonb_build_object('clave', d.clave, 'documento', d.documento)
        ), '{}')
        FROM dw.documento_movimiento AS d
        WHERE d.id_movimiento = ANY (p_movimientos)
    ),
    'productos', (
        SELECT coalesce(jsonb_object_agg(p.id_producto, p.clave), '{}')
        FROM dw.producto AS p
        WHERE p.id_producto = ANY (p_productos) AND p.clave IS NOT NULL
    )
)
$$;
COMMENT ON FUNCTION etl.como_se_llaman(bigint[], bigint[]) IS
    'De esos movimientos y productos, lo que la tienda dice en lugar de su número: su id, si no es uno, y el documento';
SELECT etl.conceder('EXECUTE', 'etl.como_se_llaman(bigint[], bigint[])', 'etl_cargador');
