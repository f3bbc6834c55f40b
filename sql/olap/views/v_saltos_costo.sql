-- Receipts whose cost is far from the average: nearly always a slip at the till.

CREATE OR REPLACE VIEW dw.v_saltos_costo AS
SELECT
    k.id_movimiento, k.id_producto, p.codigo, p.nombre, p.categoria, k.fecha, k.cantidad,
    k.costo_unitario,
    -- As the ledger says it, since the quotient is rounded; round() keeps the column's type, which
    -- is numeric without a scale, or the view could not replace the one of before.
    round(coalesce(
        (
            SELECT f.costo_promedio
            FROM dw.kardex AS f
            WHERE f.id_producto = k.id_producto
                AND (f.fecha, f.fecha_documento, f.orden, f.id_movimiento, f.capa)
                    < (k.fecha, k.fecha_documento, k.orden, k.id_movimiento, k.capa)
            ORDER BY f.fecha DESC, f.fecha_documento DESC, f.orden DESC, f.id_movimiento DESC, f.capa DESC
            LIMIT 1
        ),
        a.costo_promedio
    ), 6) AS costo_promedio_anterior,
    k.salto_costo AS veces,
    coalesce(d.documento, d.clave) AS documento
FROM dw.kardex AS k
INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
LEFT JOIN dw.apertura AS a ON a.id_producto = k.id_producto
LEFT JOIN dw.documento_movimiento AS d ON d.id_movimiento = k.id_movimiento
WHERE k.salto_costo > 0;
COMMENT ON VIEW dw.v_saltos_costo IS
    'Entradas cuyo costo se aleja demasiado del promedio que había: casi siempre un error al teclear';
SELECT etl.conceder('SELECT', 'dw.v_saltos_costo', 'bi_lector');
