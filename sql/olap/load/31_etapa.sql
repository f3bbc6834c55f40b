-- What was read is whole, and what waits is tried again.

CREATE OR REPLACE FUNCTION etl.revisar_etapa() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_repetido record;
    v_filas bigint;
    v_distintas bigint;
    v_menor bigint;
BEGIN
    SELECT count(*), count(DISTINCT e.id_movimiento), min(e.id_movimiento)
    INTO v_filas, v_distintas, v_menor
    FROM etl.etapa AS e;
    IF etl.es_ajuste(v_menor) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETD01',
            MESSAGE = format('movimientos.sql yields id_movimiento %s: numbers below -2^60 are those of our own adjustments',
                             v_menor),
            HINT = 'make other numbers of its ids there, then run again';
    END IF;
    IF v_distintas = v_filas THEN
        RETURN v_filas;
    END IF;
    SELECT coalesce(min(e.clave), e.id_movimiento::text) AS id_movimiento, count(*) AS veces INTO v_repetido
    FROM etl.etapa AS e
    GROUP BY e.id_movimiento
    HAVING count(*) > 1 OR e.id_movimiento IS NULL
    LIMIT 1;
    RAISE EXCEPTION USING
        ERRCODE = 'ETD01',
        MESSAGE = CASE WHEN v_repetido.id_movimiento IS NULL
            THEN 'movimientos.sql yields rows without id_movimiento'
            ELSE format('movimientos.sql yields id_movimiento %s %s times in one read',
                        v_repetido.id_movimiento, v_repetido.veces) END,
        HINT = 'correct its joins so that each movement is one row, or make ids unique where tables have the same (year * 1000000000000 + id), then run again';
END
$$;
COMMENT ON FUNCTION etl.revisar_etapa() IS
    'Cuenta las filas leídas; falla si un movimiento viene sin número, con uno de los nuestros o dos veces, pues la consulta está mal';

CREATE OR REPLACE FUNCTION etl.reintentar_rechazos(p_revisados jsonb) RETURNS void
LANGUAGE sql
AS $$
-- Also one that the shop corrected: it had it before.
UPDATE etl.etapa AS e SET atrasada = true
WHERE EXISTS (SELECT FROM dw.ajuste_existencias)
    AND e.id_movimiento IN (SELECT r.id_movimiento FROM etl.rechazo AS r);

INSERT INTO etl.etapa (
    id_movimiento, tipo, id_producto, id_sucursal, cantidad, precio_unitario, costo_unitario,
    fecha, anulado, id_origen, id_sucursal_destino, importe, impuesto, precio_con_impuesto, id_documento,
    documento, clave, clave_documento, clave_producto, atrasada
)
SELECT
    r.id_movimiento, r.tipo, r.id_producto, r.id_sucursal, r.cantidad, r.precio_unitario,
    r.costo_unitario, r.fecha, false, r.id_origen, r.id_sucursal_destino, r.importe, r.impuesto,
    r.precio_con_impuesto, d.id_documento, d.documento, d.clave, d.clave_documento, r.clave_producto, true
FROM etl.rechazo AS r
LEFT JOIN LATERAL (
    SELECT * FROM dw.documento_movimiento AS a WHERE a.id_movimiento = r.id_movimiento OFFSET 0
) AS d ON true
WHERE NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = r.id_movimiento)
    -- One that was looked for and not found was deleted in the OLTP.
    AND NOT EXISTS (
        SELECT FROM jsonb_array_elements_text(coalesce(nullif(p_revisados, 'null'), '[]')) AS v (id)
        WHERE v.id::bigint = r.id_movimiento
    )
$$;
COMMENT ON FUNCTION etl.reintentar_rechazos(jsonb) IS
    'Pone a prueba otra vez los rechazos que no vinieron en esta lectura, y anota los que vinieron';

CREATE OR REPLACE VIEW etl.v_etapa AS
-- A negative quantity is its type's opposite; what a type does not look at is left out.
SELECT
    e.id_movimiento, t.tipo, t.regla, t.orden, e.id_producto, e.id_sucursal, e.fecha, e.anulado,
    CASE WHEN n.negativa THEN -n.cantidad ELSE n.cantidad END AS cantidad,
    CASE
        WHEN t.precio OR (e.precio_unitario > -1e11 AND e.precio_unitario < 1e11)
            THEN round(e.precio_unitario, 6)
    END AS precio_unitario,
    CASE WHEN t.costo <> 'no' THEN round(e.costo_unitario, 6) END AS costo_unitario,
    CASE
        WHEN NOT o.importe THEN NULL
        WHEN n.negativa THEN abs(round(e.importe, 6))
        ELSE round(e.importe, 6)
    END AS importe,
    CASE WHEN t.precio THEN round(e.impuesto, 6) END AS impuesto,
    CASE WHEN t.precio THEN e.precio_con_impuesto END AS precio_con_impuesto,
    CASE WHEN t.tipo_origen IS NOT NULL THEN e.id_origen END AS id_origen,
    CASE WHEN t.destino THEN e.id_sucursal_destino END AS id_sucursal_destino,
    CASE WHEN t.regla = 'contar' AND e.id_sucursal IS NULL THEN true END AS de_todo,
    -- What nearly every movement is, is understood as it was read.
    (e.cantidad < 0) IS NOT FALSE
    OR coalesce(e.importe, e.id_origen, e.id_sucursal_destino) IS NOT NULL AS por_entender
FROM etl.etapa AS e
LEFT JOIN dw.tipo_movimiento AS o ON o.tipo = e.tipo
CROSS JOIN LATERAL (
    SELECT
        q.cantidad,
        q.cantidad < 0 AND o.tipo_si_negativa IS NOT NULL AS negativa
    FROM (
        SELECT CASE
            WHEN e.cantidad IS NULL AND o.cantidad = 'uno si falta' THEN 1.000000
            ELSE round(e.cantidad, 6)
        END AS cantidad
    ) AS q
) AS n
LEFT JOIN dw.tipo_movimiento AS t
    ON t.tipo = CASE WHEN n.negativa THEN o.tipo_si_negativa ELSE o.tipo END;
COMMENT ON VIEW etl.v_etapa IS
    'Lo leído, como lo entienden las reglas: montos redondeados, y el tipo que dice el signo de su cantidad; nulo si no es de dw.tipo_movimiento';
