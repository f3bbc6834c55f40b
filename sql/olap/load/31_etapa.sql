-- What was read is whole, and what waits is tried again.

CREATE OR REPLACE FUNCTION etl.revisar_etapa() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_repetido record;
    v_filas bigint;
    v_distintas bigint;
BEGIN
    SELECT count(*), count(DISTINCT e.id_movimiento) INTO v_filas, v_distintas FROM etl.etapa AS e;
    IF v_distintas = v_filas THEN
        RETURN v_filas;
    END IF;
    SELECT e.id_movimiento, count(*) AS veces INTO v_repetido
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
        HINT = 'correct its joins so that each movement is one row, then run again';
END
$$;
COMMENT ON FUNCTION etl.revisar_etapa() IS
    'Cuenta las filas leídas; falla si un movimiento viene sin número o dos veces, pues la consulta está mal';

CREATE OR REPLACE FUNCTION etl.reintentar_rechazos(p_revisados jsonb) RETURNS void
LANGUAGE sql
AS $$
INSERT INTO etl.etapa (
    id_movimiento, tipo, id_producto, id_sucursal, cantidad, precio_unitario, costo_unitario,
    fecha, anulado, id_origen, id_sucursal_destino, importe
)
SELECT
    r.id_movimiento, r.tipo, r.id_producto, r.id_sucursal, r.cantidad, r.precio_unitario,
    r.costo_unitario, r.fecha, false, r.id_origen, r.id_sucursal_destino, r.importe
FROM etl.rechazo AS r
WHERE NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = r.id_movimiento)
    -- One that was looked for and not found was deleted in the OLTP.
    AND NOT EXISTS (
        SELECT FROM jsonb_array_elements_text(coalesce(nullif(p_revisados, 'null'), '[]')) AS v (id)
        WHERE v.id::bigint = r.id_movimiento
    )
$$;
COMMENT ON FUNCTION etl.reintentar_rechazos(jsonb) IS
    'Pone a prueba otra vez los rechazos que no vinieron en esta lectura';
