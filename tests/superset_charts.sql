-- What each chart of superset/charts must show, by the name of its file; the moments are the
-- shop's local ones. Compared with Superset's answers by test_superset.py.

-- datos_al
SELECT max(hasta AT TIME ZONE 'America/Lima') FROM etl.control
-- venta_neta
SELECT sum(venta_neta) FROM dw.resumen_diario
-- margen
SELECT sum(venta_neta - costo_ventas + ajuste) FROM dw.resumen_diario
-- margen_porcentaje
SELECT sum(venta_neta - costo_ventas + ajuste) / sum(venta_neta) FROM dw.resumen_diario
-- unidades
SELECT sum(unidades_vendidas) FROM dw.resumen_diario
-- venta_y_margen_por_dia
SELECT dia, sum(venta_neta), sum(venta_neta - costo_ventas + ajuste) FROM dw.resumen_diario GROUP BY dia
-- venta_por_categoria
SELECT categoria, sum(venta_neta) FROM dw.resumen_diario GROUP BY categoria
-- venta_por_sucursal_y_dia
SELECT r.dia, s.nombre, sum(r.venta_neta) FROM dw.resumen_diario AS r
JOIN dw.sucursal AS s USING (id_sucursal) GROUP BY r.dia, s.nombre
-- margen_por_sucursal
SELECT s.nombre, sum(venta_neta), sum(costo_ventas), sum(ajuste), sum(venta_neta - costo_ventas + ajuste),
    sum(venta_neta - costo_ventas + ajuste) / nullif(sum(venta_neta), 0), sum(devoluciones), sum(mermas)
FROM dw.resumen_diario JOIN dw.sucursal AS s USING (id_sucursal) GROUP BY s.nombre
-- margen_por_categoria
SELECT categoria, sum(venta_neta), sum(costo_ventas), sum(ajuste), sum(venta_neta - costo_ventas + ajuste),
    sum(venta_neta - costo_ventas + ajuste) / nullif(sum(venta_neta), 0), sum(devoluciones), sum(mermas)
FROM dw.resumen_diario GROUP BY categoria
-- margen_por_producto
SELECT p.codigo, p.nombre, p.categoria, sum(unidades_vendidas), sum(venta_neta), sum(costo_ventas), sum(ajuste),
    sum(venta_neta - costo_ventas + ajuste), sum(venta_neta - costo_ventas + ajuste) / nullif(sum(venta_neta), 0),
    sum(devoluciones), sum(mermas)
FROM dw.resumen_mensual JOIN dw.producto AS p USING (id_producto) GROUP BY p.codigo, p.nombre, p.categoria
-- devoluciones
SELECT sum(devoluciones) FROM dw.resumen_diario
-- unidades_devueltas
SELECT sum(unidades_devueltas) FROM dw.resumen_diario
-- mermas
SELECT sum(mermas) FROM dw.resumen_diario
-- margen_tras_mermas
SELECT sum(venta_neta - costo_ventas + ajuste - mermas) FROM dw.resumen_diario
-- devoluciones_y_mermas_por_dia
SELECT dia, sum(devoluciones), sum(mermas) FROM dw.resumen_diario GROUP BY dia
-- valor_inventario
SELECT sum(valor) FROM dw.inventario WHERE existencias > 0
-- con_existencias
SELECT count(*) FROM dw.inventario WHERE existencias > 0
-- agotados
SELECT count(*) FROM dw.inventario JOIN dw.resumen_movil AS v USING (id_producto)
WHERE existencias <= 0 AND v.unidades_90 > 0
-- por_reponer
SELECT count(*) FROM dw.inventario AS i JOIN dw.resumen_movil AS v USING (id_producto) CROSS JOIN etl.control AS c
WHERE i.existencias > 0 AND i.existencias * least(90, greatest(
    1, (c.hasta AT TIME ZONE c.zona)::date
        - (SELECT min(k.fecha AT TIME ZONE c.zona)::date FROM dw.kardex AS k WHERE k.id_producto = i.id_producto)
)) <= 15 * v.unidades_90
-- valor_por_dia
SELECT dia, (SELECT sum(u.costo_recibido - u.costo_ventas - u.mermas + u.ajuste) FROM dw.resumen_diario AS u WHERE u.dia <= r.dia)
FROM dw.resumen_diario AS r GROUP BY dia
-- movimiento_por_dia
SELECT dia, sum(costo_recibido), sum(costo_ventas), sum(ajuste), sum(mermas) FROM dw.resumen_diario
WHERE dia > (SELECT min(dia) FROM dw.resumen_diario) GROUP BY dia
-- valor_por_categoria
SELECT p.categoria, sum(greatest(i.valor, 0)) FROM dw.inventario AS i JOIN dw.producto AS p USING (id_producto)
GROUP BY p.categoria
-- clases_abc
SELECT clase, count(*), sum(venta_neta_365_dias), sum(participacion) FROM dw.mv_abc GROUP BY clase
-- rotacion_por_categoria
SELECT categoria, sum(costo_ventas_365_dias), sum(valor_promedio),
    sum(costo_ventas_365_dias) / nullif(sum(valor_promedio), 0)
FROM dw.mv_rotacion GROUP BY categoria
-- reponer
SELECT CASE WHEN agotado THEN 'Agotado' ELSE 'Reponer' END, codigo, nombre, existencias, venta_diaria, greatest(dias_cobertura, 0),
    greatest(ceil(venta_diaria * 30 - existencias), 0)
FROM dw.mv_reposicion WHERE agotado OR reponer
-- venta_por_producto
SELECT categoria, sum(venta_neta), sum(unidades), sum(margen), sum(margen) / nullif(sum(venta_neta), 0)
FROM dw.v_ventas_producto WHERE meses_atras <= 3 GROUP BY categoria
-- venta_interanual
SELECT to_char(dia, 'YYYY-MM'), sum(venta_neta), sum(venta_neta_antes) FROM dw.v_ventas_interanual GROUP BY 1
-- existencias_por_sucursal
SELECT sucursal, coalesce(sum(valor) FILTER (WHERE existencias > 0), 0), count(*) FILTER (WHERE existencias > 0),
    count(*) FILTER (WHERE agotado), count(*) FILTER (WHERE reponer), count(*) FILTER (WHERE existencias < 0)
FROM dw.v_reposicion_sucursal GROUP BY sucursal
-- reponer_por_sucursal
SELECT CASE WHEN agotado THEN 'Agotado' ELSE 'Reponer' END, sucursal, codigo, nombre, existencias, venta_diaria,
    greatest(dias_cobertura, 0), greatest(ceil(venta_diaria * 30 - existencias), 0), greatest(existencias_producto - existencias, 0)
FROM dw.v_reposicion_sucursal WHERE agotado OR reponer
-- conteos_por_categoria
SELECT p.categoria, count(*), count(*) FILTER (WHERE k.variacion <> 0), -sum(least(k.costo_total, 0)),
    sum(greatest(k.costo_total, 0))
FROM dw.kardex AS k JOIN dw.producto AS p USING (id_producto) WHERE k.tipo = 'CONTEO' GROUP BY p.categoria
-- conteos
SELECT k.fecha AT TIME ZONE 'America/Lima', NULL, s.nombre, p.codigo, p.nombre, k.cantidad - k.variacion,
    k.cantidad, k.variacion, k.costo_total
FROM dw.kardex AS k JOIN dw.producto AS p USING (id_producto) JOIN dw.sucursal AS s USING (id_sucursal)
WHERE k.tipo = 'CONTEO' AND k.variacion <> 0
-- precios_sugeridos
SELECT codigo, nombre, categoria, ultima_venta, costo_promedio, precio, precio_sugerido, diferencia,
    diferencia_relativa, CASE WHEN bajo_costo THEN 'Bajo el costo' ELSE '' END
FROM dw.mv_precios
-- existencias
SELECT p.codigo, p.nombre, p.categoria, i.existencias, i.costo_promedio, greatest(i.valor, 0)
FROM dw.inventario AS i JOIN dw.producto AS p USING (id_producto)
-- bajo_cero
SELECT p.codigo, p.nombre, i.existencias, i.costo_promedio, i.valor
FROM dw.inventario AS i JOIN dw.producto AS p USING (id_producto) WHERE i.existencias < 0
-- corridas
SELECT count(*) FROM etl.corrida
-- filas_leidas
SELECT sum(filas_leidas) FROM etl.corrida
-- rechazos
SELECT count(*) FROM etl.rechazo
-- productos_bajo_cero
SELECT count(*) FROM dw.inventario WHERE existencias < 0
-- filas_por_dia
SELECT (hasta AT TIME ZONE 'America/Lima')::date, sum(nuevas), sum(cambiadas), sum(retiradas), sum(rechazadas),
    sum(revaluadas) FROM etl.corrida GROUP BY 1
-- duracion
SELECT (hasta AT TIME ZONE 'America/Lima')::date, max(segundos_extraccion), max(segundos_carga), max(segundos_vistas)
FROM etl.corrida GROUP BY 1
-- ultimas_corridas
SELECT numero, desde AT TIME ZONE 'America/Lima', hasta AT TIME ZONE 'America/Lima',
    date_trunc('second', cargada) AT TIME ZONE 'America/Lima', filas_leidas, nuevas, cambiadas, retiradas, rechazadas,
    revaluadas, segundos_extraccion + segundos_carga + segundos_vistas
FROM etl.corrida
-- fuera_de_alcance
SELECT CASE fuera WHEN 'tipo' THEN 'tipo desconocido' ELSE 'fecha anterior' END, tipo, count(*)
FROM etl.fuera_de_alcance GROUP BY 1, 2
-- correcciones
-- All that came late here are sales, without tax.
SELECT k.fecha AT TIME ZONE 'America/Lima', k.id_movimiento, 'llegó tarde', NULL, p.codigo, p.nombre, NULL,
    k.fecha_documento AT TIME ZONE 'America/Lima', NULL, k.cantidad, NULL, k.cantidad * k.precio_unitario,
    -k.cantidad, -k.costo_total, k.cantidad * k.precio_unitario - k.costo_total
FROM dw.kardex AS k JOIN dw.producto AS p USING (id_producto) WHERE k.fecha_documento < k.fecha
-- diferencias
-- The shop says that it has 5 of product 3 and what was booked of 124, and tells nothing of others.
SELECT p.codigo, p.nombre, NULL, i.existencias, CASE p.id_producto WHEN 3 THEN 5 END,
    CASE p.id_producto WHEN 3 THEN 5 ELSE 0 END - i.existencias,
    (CASE p.id_producto WHEN 3 THEN 5 ELSE 0 END - i.existencias) * i.costo_promedio,
    (SELECT min(hasta) FROM etl.corrida) AT TIME ZONE 'America/Lima'
FROM dw.inventario AS i JOIN dw.producto AS p USING (id_producto) WHERE i.existencias <> 0 AND p.id_producto <> 124
-- ajustes
-- Of one product, of which there were 2 at 3.
SELECT 1, 1, 7 * 3, min(hasta) AT TIME ZONE 'America/Lima', min(hasta) AT TIME ZONE 'America/Lima' FROM etl.corrida
-- cierres
SELECT dia, date_trunc('second', cerrado) AT TIME ZONE 'America/Lima', movimientos, existencias, valor, huella
FROM dw.cierre
-- rechazos_por_motivo
SELECT motivo, count(*) FROM etl.rechazo GROUP BY motivo
-- rechazos_en_espera
SELECT id_movimiento, NULL, tipo, id_producto::text, fecha AT TIME ZONE 'America/Lima', motivo,
    primera_hasta AT TIME ZONE 'America/Lima'
FROM etl.rechazo
-- saltos_costo
-- This shop has no openings, from which a first receipt could jump.
SELECT k.fecha AT TIME ZONE 'America/Lima', NULL, p.codigo, p.nombre, k.costo_unitario,
    k.antes, k.salto_costo
FROM (
    SELECT *, lag(costo_promedio) OVER (PARTITION BY id_producto ORDER BY fecha, orden, id_movimiento) AS antes
    FROM dw.kardex
) AS k
JOIN dw.producto AS p USING (id_producto) WHERE k.salto_costo > 0
-- antiguedad
SELECT tramo, count(*), sum(valor) FROM dw.v_antiguedad GROUP BY tramo
-- venta_por_hora
SELECT extract(hour FROM fecha AT TIME ZONE 'America/Lima'),
    extract(isodow FROM fecha AT TIME ZONE 'America/Lima') || ' '
    || (ARRAY['lunes', 'martes', 'miércoles', 'jueves', 'viernes', 'sábado', 'domingo'])
        [extract(isodow FROM fecha AT TIME ZONE 'America/Lima')::integer],
    sum(CASE tipo WHEN 'VENTA' THEN 1 ELSE -1 END * cantidad * precio_unitario)
        / count(DISTINCT (fecha AT TIME ZONE 'America/Lima')::date)
FROM dw.kardex, (SELECT (hasta AT TIME ZONE zona)::date AS dia FROM etl.control) AS c
WHERE tipo IN ('VENTA', 'DEVOLUCION_VENTA', 'DESCUENTO_VENTA')
    AND (fecha AT TIME ZONE 'America/Lima')::date BETWEEN c.dia - 90 AND c.dia
GROUP BY 1, 2
-- costo_dudoso
SELECT coalesce(sum(d.venta_bruta) / (
    -- Of the whole shop, whatever is filtered.
    SELECT sum(r.venta_bruta) FROM "dw".resumen_diario AS r, etl.control AS c
    WHERE r.dia BETWEEN (c.hasta AT TIME ZONE c.zona)::date - 90 AND (c.hasta AT TIME ZONE c.zona)::date
), 0)
FROM dw.v_costo_dudoso AS d
