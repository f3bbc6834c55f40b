-- The figures that are told to Prometheus after each run.

CREATE OR REPLACE FUNCTION etl.metricas() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'hasta', (SELECT c.hasta FROM etl.control AS c),
    -- By the primary key from its end: a window begins where the last one ended.
    'ventana', (
        SELECT to_jsonb(c) - 'identidad'
        FROM (SELECT * FROM etl.corrida AS c ORDER BY c.desde DESC, c.hasta DESC LIMIT 1) AS c
    ),
    'cierre', etl.ultimo_cierre(),
    'rechazos', (SELECT count(*) FROM etl.rechazo),
    'diferencias', (SELECT count(DISTINCT d.id_producto) FROM etl.diferencia_existencias AS d),
    'bajo_cero', (SELECT count(*) FROM dw.inventario AS i WHERE i.existencias < 0),
    'valor', (SELECT coalesce(sum(i.valor), 0) FROM dw.inventario AS i WHERE i.existencias > 0),
    -- Counting kardex.provisional would read the whole ledger after every run, and most of
    -- those sales were settled long ago. What waits is at the end of the products that are
    -- below zero; both limits keep a shop that never types receipts cheap.
    'provisionales', (
        SELECT coalesce(sum(p.provisionales), 0)
        FROM (
            SELECT i.id_producto
            FROM dw.inventario AS i
            WHERE i.existencias < 0
            ORDER BY i.existencias, i.id_producto
            LIMIT 1000
        ) AS i
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE u.provisional AND u.saldados = 0) AS provisionales
            FROM (
                SELECT
                    k.provisional,
                    count(*) FILTER (WHERE k.existencias >= 0) OVER (
                        ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
                    ) AS saldados
                FROM (
                    SELECT * FROM dw.kardex AS k
                    WHERE k.id_producto = i.id_producto
                    ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
                    LIMIT 100
                ) AS k
            ) AS u
        ) AS p
    )
)
$$;
COMMENT ON FUNCTION etl.metricas() IS
    'Cifras de la última ventana, del último cierre y de las existencias para Prometheus. Provisionales: ventas que aún esperan su entrada, contadas hacia atrás en hasta 1000 productos bajo cero y 100 movimientos de cada uno';
SELECT etl.conceder('EXECUTE', 'etl.metricas()', 'etl_cargador');
