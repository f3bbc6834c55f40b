-- How often the stock is turned over in a year.

CREATE OR REPLACE VIEW dw.mv_rotacion AS
SELECT
    i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    coalesce(v.costo_ventas_365, 0) AS costo_ventas_365_dias,
    round(coalesce(i.valor_promedio, greatest(i.valor, 0)), 6) AS valor_promedio,
    round(
        coalesce(v.costo_ventas_365, 0) * 1.00000000000000000000
        / nullif(coalesce(i.valor_promedio, greatest(i.valor, 0)), 0),
        6
    ) AS rotacion
FROM dw.v_corte AS c
CROSS JOIN dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto AND p.inventariable
LEFT JOIN dw.resumen_movil AS v ON v.id_producto = i.id_producto;
COMMENT ON VIEW dw.mv_rotacion IS
    'Costo de ventas de 365 días, neto de devoluciones, sobre el valor promedio a fin de mes (lo negativo cuenta 0)';
COMMENT ON COLUMN dw.mv_rotacion.valor_promedio IS
    'El de los fines de mes de esos 365 días; si aún no hubo ninguno, el de ahora';
SELECT etl.conceder('SELECT', 'dw.mv_rotacion', 'bi_lector');
