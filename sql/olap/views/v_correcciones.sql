-- What was booked late: what came, was corrected or was voided once its period was closed.

CREATE OR REPLACE VIEW dw.v_correcciones AS
SELECT
    c.fecha AS asentado,
    c.id_movimiento,
    CASE WHEN NOT c.deshace THEN 'llegó tarde' WHEN n.id_movimiento IS NULL THEN 'anulado' ELSE 'corregido' END
        AS que,
    coalesce(n.tipo, a.tipo) AS tipo,
    a.fecha_documento AS fecha_antes,
    n.fecha_documento AS fecha_ahora,
    a.id_producto AS id_producto_antes,
    n.id_producto AS id_producto_ahora,
    coalesce(q.nombre, p.nombre) AS nombre,
    a.cantidad AS cantidad_antes,
    n.cantidad AS cantidad_ahora,
    coalesce(a.importe, round(a.cantidad * coalesce(a.precio_unitario, a.costo_unitario), 6)) AS importe_antes,
    coalesce(n.importe, round(n.cantidad * coalesce(n.precio_unitario, n.costo_unitario), 6)) AS importe_ahora,
    c.existencias AS efecto_existencias,
    c.valor AS efecto_valor,
    c.venta AS efecto_venta,
    c.costo AS efecto_costo,
    c.venta - c.costo AS efecto_margen
FROM (
    SELECT
        k.fecha, k.id_movimiento, bool_or(k.reverso) AS deshace, max(k.capa) AS capa,
        sum(k.variacion) AS existencias,
        sum(t.signo * k.costo_total + k.ajuste) AS valor,
        coalesce(sum(
            CASE WHEN t.resta <> k.reverso THEN -1 ELSE 1 END
            * coalesce(k.importe, round(k.cantidad * k.precio_unitario, 6))
        ) FILTER (WHERE t.clase = 'ventas'), 0) AS venta,
        coalesce(sum(-t.signo * k.costo_total) FILTER (WHERE t.clase = 'ventas'), 0) AS costo
    FROM dw.kardex AS k
    INNER JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo
    WHERE k.fecha_documento < k.fecha OR k.capa > 0
    GROUP BY k.fecha, k.id_movimiento
) AS c
LEFT JOIN dw.kardex AS n ON n.id_movimiento = c.id_movimiento AND n.capa = c.capa AND NOT n.reverso
LEFT JOIN dw.kardex AS a
    ON c.deshace AND a.id_movimiento = c.id_movimiento
    AND a.capa = c.capa - CASE WHEN n.id_movimiento IS NULL THEN 1 ELSE 2 END
LEFT JOIN dw.producto AS p ON p.id_producto = a.id_producto
LEFT JOIN dw.producto AS q ON q.id_producto = n.id_producto;
COMMENT ON VIEW dw.v_correcciones IS
    'Lo que llegó, se corrigió o se anuló con su período cerrado: qué era, qué es, y qué cambió donde está asentado';
COMMENT ON COLUMN dw.v_correcciones.efecto_venta IS 'Con el impuesto que su precio incluya';
SELECT etl.conceder('SELECT', 'dw.v_correcciones', 'bi_lector');
