-- What was booked late: what came, was corrected or was voided once its period was closed.

CREATE OR REPLACE VIEW dw.v_correcciones AS
SELECT
    c.fecha AS asentado,
    c.id_movimiento,
    CASE WHEN NOT c.reverso THEN 'llegó tarde' WHEN n.id_movimiento IS NULL THEN 'anulado' ELSE 'corregido' END
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
    e.existencias AS efecto_existencias,
    e.valor AS efecto_valor,
    e.venta AS efecto_venta,
    e.costo AS efecto_costo,
    e.venta - e.costo AS efecto_margen
FROM dw.kardex AS c
-- What it was, and what it is: the rows before a reversal and after it.
LEFT JOIN dw.kardex AS a ON c.reverso AND a.id_movimiento = c.id_movimiento AND a.capa = c.capa - 1
LEFT JOIN dw.kardex AS n
    ON n.id_movimiento = c.id_movimiento AND n.capa = CASE WHEN c.reverso THEN c.capa + 1 ELSE c.capa END
LEFT JOIN dw.producto AS p ON p.id_producto = a.id_producto
LEFT JOIN dw.producto AS q ON q.id_producto = n.id_producto
CROSS JOIN LATERAL (
    SELECT
        sum(k.variacion) AS existencias,
        sum(t.signo * k.costo_total + k.ajuste) AS valor,
        coalesce(sum(dw.venta_neta(
            CASE WHEN k.importe IS NULL THEN k.cantidad ELSE 1.000000 END
            * CASE WHEN t.resta <> k.reverso THEN -1 ELSE 1 END,
            coalesce(k.importe, k.precio_unitario),
            etl.tasa_de_venta(
                k.impuesto, k.precio_con_impuesto, v.precio_con_impuesto, v.impuesto, v.tasas,
                (k.fecha_documento AT TIME ZONE h.zona)::date
            )
        )) FILTER (WHERE t.clase = 'ventas'), 0) AS venta,
        coalesce(sum(-t.signo * k.costo_total) FILTER (WHERE t.clase = 'ventas'), 0) AS costo
    FROM dw.kardex AS k
    INNER JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo
    CROSS JOIN dw.v_corte AS h
    -- A reversal has the tax of what it undoes.
    INNER JOIN etl.v_producto_en_su_fecha AS v
        ON v.id_producto = k.id_producto
        AND CASE WHEN k.reverso THEN a.fecha ELSE k.fecha END >= v.desde
        AND CASE WHEN k.reverso THEN a.fecha ELSE k.fecha END < v.hasta
    WHERE k.id_movimiento = c.id_movimiento AND k.capa IN (c.capa, n.capa)
) AS e
WHERE c.reverso OR c.capa = 0 AND c.fecha_documento < c.fecha;
COMMENT ON VIEW dw.v_correcciones IS
    'Lo que llegó, se corrigió o se anuló con su período cerrado: qué era, qué es, y qué cambió donde está asentado';
COMMENT ON COLUMN dw.v_correcciones.efecto_venta IS 'Sin el impuesto que su precio incluya';
SELECT etl.conceder('SELECT', 'dw.v_correcciones', 'bi_lector');
-- Whoever reads the view runs what it calls.
SELECT etl.conceder('EXECUTE', f.funcion, 'bi_lector')
FROM unnest(ARRAY[
    'dw.venta_neta(numeric, numeric, numeric)',
    'etl.tasa_de_venta(numeric, boolean, boolean, numeric, dw.tasa[], date)',
    'dw.buscar_tasa(numeric, dw.tasa[], date)',
    'etl.cerrado_hasta()'
]) AS f (funcion);
