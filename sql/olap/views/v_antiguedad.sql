-- For how long what is in stock has not been sold.

CREATE OR REPLACE VIEW dw.v_antiguedad AS
SELECT
    i.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    i.existencias,
    i.valor,
    (i.ultima_venta AT TIME ZONE c.zona)::date AS ultima_venta,
    d.dias AS dias_sin_venta,
    CASE
        WHEN d.dias >= 365 THEN '4: 365 o más'
        WHEN d.dias >= 180 THEN '3: 180 a 364'
        WHEN d.dias >= 90 THEN '2: 90 a 179'
        ELSE '1: menos de 90'
    END AS tramo,
    e.id_producto IS NOT NULL AS recibido_hace_poco
FROM dw.v_corte AS c
CROSS JOIN dw.inventario AS i
INNER JOIN dw.producto AS p ON p.id_producto = i.id_producto AND p.inventariable
LEFT JOIN etl.v_apertura AS a ON a.id_producto = i.id_producto
CROSS JOIN LATERAL (
    SELECT greatest(0, c.dia - (coalesce(i.ultima_venta, least(i.primera, a.fecha)) AT TIME ZONE c.zona)::date) AS dias
) AS d
LEFT JOIN (
    SELECT DISTINCT m.id_producto
    FROM dw.resumen_mensual AS m
    WHERE m.mes >= (SELECT date_trunc('month', (h.dia - 30)::timestamp)::date FROM dw.v_corte AS h)
        AND m.unidades_recibidas > 0
) AS e ON e.id_producto = i.id_producto
WHERE i.existencias > 0;
COMMENT ON VIEW dw.v_antiguedad IS
    'Lo que hay, por los días que van desde su última venta o, de lo que nunca se vendió, desde que entró, y el dinero que guarda';
COMMENT ON COLUMN dw.v_antiguedad.recibido_hace_poco IS
    'Si entró en este mes, o en el del día 30 antes: no es lo que casi no se mueve';
SELECT etl.conceder('SELECT', 'dw.v_antiguedad', 'bi_lector');
