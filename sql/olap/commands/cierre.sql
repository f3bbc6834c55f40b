-- Closing a period, and opening the last one again.

CREATE OR REPLACE FUNCTION etl.esperan_cierre(p_desde timestamptz, p_hasta timestamptz) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
WITH esperan AS (
    SELECT
        true AS es_rechazo, r.fecha, r.id_movimiento, r.tipo, r.id_producto, r.motivo
    FROM etl.rechazo AS r
    WHERE r.fecha IS NULL OR r.fecha < p_hasta
    UNION ALL
    SELECT false, k.fecha, k.id_movimiento, k.tipo, k.id_producto, 'costo provisional'
    FROM (
        SELECT
            f.*,
            -- What is in stock again has had the receipt that it waited for.
            bool_or(f.existencias >= 0) OVER (
                PARTITION BY f.id_producto
                ORDER BY f.fecha DESC, f.fecha_documento DESC, f.orden DESC, f.id_movimiento DESC, f.capa DESC
            ) AS saldada
        FROM dw.kardex AS f
        WHERE f.fecha >= p_desde AND f.fecha < p_hasta
    ) AS k
    WHERE k.provisional AND NOT k.saldada
)
SELECT jsonb_build_object(
    'rechazos', (SELECT count(*) FROM esperan AS e WHERE e.es_rechazo),
    'provisionales', (SELECT count(*) FROM esperan AS e WHERE NOT e.es_rechazo),
    'esperan', (
        SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.es_rechazo DESC, e.fecha, e.id_movimiento), '[]')
        FROM (
            SELECT * FROM esperan AS e ORDER BY e.es_rechazo DESC, e.fecha, e.id_movimiento LIMIT 10
        ) AS e
    )
)
$$;
COMMENT ON FUNCTION etl.esperan_cierre(timestamptz, timestamptz) IS
    'De lo que un cierre cerraría, cuántos rechazos esperan y cuántas ventas aún tienen un costo provisional, y los primeros diez';

CREATE OR REPLACE FUNCTION etl.marcar_con_costos(p_desde timestamptz, p_hasta timestamptz, p_costos timestamptz)
RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO etl.tramo (id_producto, desde)
    SELECT k.id_producto, min(o.fecha)
    FROM dw.kardex AS k
    INNER JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo AND t.regla = 'sumar_costo'
    CROSS JOIN LATERAL (
        SELECT f.id_producto, f.fecha FROM dw.kardex AS f WHERE f.id_movimiento = k.id_origen OFFSET 0
    ) AS o
    WHERE k.id_origen IS NOT NULL AND k.fecha >= p_costos AND o.id_producto = k.id_producto
        AND o.fecha >= p_desde AND o.fecha < p_hasta
    GROUP BY k.id_producto;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION etl.marcar_con_costos(timestamptz, timestamptz, timestamptz) IS
    'Pone en etl.tramo los productos con entradas de un período a las que se añaden costos fechados desde p_costos; dice si hay alguno';

CREATE OR REPLACE FUNCTION etl.cerrar(p_dia date, p_zona text, p_opciones jsonb, p_igual boolean) RETURNS jsonb
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_zona);
    v_antes timestamptz := etl.cerrado_hasta();
    v_hasta timestamptz := etl.inicio_del_dia(p_dia + 1, p_zona);
    v_anterior text := (SELECT c.huella FROM dw.cierre AS c ORDER BY c.hasta DESC LIMIT 1);
    v_pendiente jsonb;
BEGIN
    IF v_hasta <= v_antes THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('%s is closed already, as all up to %s is; nothing was changed', p_dia,
                             (SELECT max(c.dia) FROM dw.cierre AS c));
    ELSIF v_hasta > now() THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('%s is not over yet; nothing was changed', p_dia),
            HINT = 'close a day that is over';
    -- Nor is it while the ledger is to be valued anew by types that were edited.
    ELSIF v_control.hasta IS NULL OR v_control.hasta < v_hasta OR v_control.revaluar THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('%s is not loaded to its end yet; nothing was changed', p_dia),
            HINT = 'run `luigi --module pipeline RunDue`, and close it then';
    END IF;
    v_pendiente := etl.esperan_cierre(v_antes, v_hasta);
    IF NOT p_igual AND jsonb_array_length(v_pendiente -> 'esperan') > 0 THEN
        RETURN v_pendiente;
    END IF;

    INSERT INTO dw.cierre (hasta, dia) VALUES (v_hasta, p_dia);
    -- A receipt of the period loses the costs that have a later date.
    PERFORM etl.vaciar_trabajo();
    PERFORM etl.preparar_carga();
    IF etl.marcar_con_costos(v_antes, v_hasta, v_hasta) THEN
        PERFORM etl.revaluar(
            v_control.corridas + 1, p_opciones, (SELECT c.dia FROM dw.v_corte AS c), false
        );
        PERFORM etl.anotar_revaluacion(false);
    END IF;

    PERFORM etl.cerrar_productos(v_antes, v_hasta);
    UPDATE dw.cierre AS c
    SET movimientos = (SELECT count(*) FROM dw.kardex AS k WHERE k.fecha >= v_antes AND k.fecha < v_hasta),
        existencias = s.existencias,
        valor = s.valor
    FROM (
        SELECT
            coalesce(sum(coalesce(u.existencias, a.existencias)), 0) AS existencias,
            coalesce(sum(coalesce(u.valor, round(a.existencias * a.costo_promedio, 6))), 0) AS valor
        FROM dw.inventario AS i
        LEFT JOIN etl.v_apertura AS a ON a.id_producto = i.id_producto AND a.fecha < v_hasta
        LEFT JOIN LATERAL (
            SELECT k.existencias, k.valor
            FROM dw.kardex AS k
            WHERE k.id_producto = i.id_producto AND k.fecha < v_hasta
            ORDER BY k.fecha DESC, k.fecha_documento DESC, k.orden DESC, k.id_movimiento DESC, k.capa DESC
            LIMIT 1
        ) AS u ON true
    ) AS s
    WHERE c.hasta = v_hasta;
    UPDATE dw.cierre AS c
    SET huella = etl.huella_del_periodo(
        c, (SELECT s.suma FROM etl.sumar_periodos(ARRAY[v_antes, v_hasta]) AS s), v_anterior
    )
    WHERE c.hasta = v_hasta;
    RETURN v_pendiente - 'esperan' || (SELECT to_jsonb(c) FROM dw.cierre AS c WHERE c.hasta = v_hasta);
END
$$;
COMMENT ON FUNCTION etl.cerrar(date, text, jsonb, boolean) IS
    'Cierra hasta el fin de un día, bajo el bloqueo de las cargas; se niega si falta cargarlo y, salvo que se pida, si algo de él espera: entonces no hace más que decirlo, como etl.esperan_cierre()';
SELECT etl.conceder('EXECUTE', 'etl.cerrar(date, text, jsonb, boolean)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.anotar_revaluacion(p_releer boolean) RETURNS void
LANGUAGE sql
AS $$
UPDATE etl.control AS c
SET corridas = c.corridas + 1,
    version = gen_random_uuid(),
    horizonte = CASE WHEN NOT p_releer THEN c.horizonte END,
    -- What was valued now has prices of a policy that the others have not yet.
    politica = CASE WHEN etl.misma_politica() THEN c.politica END
$$;
COMMENT ON FUNCTION etl.anotar_revaluacion(boolean) IS
    'Cuenta en etl.control que un cierre, o su reapertura, valorizó de nuevo; y si la corrida siguiente lee todo';

CREATE OR REPLACE FUNCTION etl.reabrir(p_dia date, p_motivo text, p_zona text, p_opciones jsonb) RETURNS jsonb
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_zona);
    v_cierre dw.cierre;
    v_cerrado timestamptz;
    v_otros bigint[];
BEGIN
    SELECT * INTO v_cierre FROM dw.cierre AS c ORDER BY c.hasta DESC LIMIT 1;
    IF v_cierre.dia IS DISTINCT FROM p_dia THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = CASE WHEN v_cierre.dia IS NULL THEN 'there is no closing; nothing was changed'
                ELSE format('the last closing is that of %s; nothing was changed', v_cierre.dia) END;
    END IF;
    INSERT INTO dw.reapertura (motivo, hasta, dia, cerrado, movimientos, existencias, valor, huella)
    SELECT p_motivo, v_cierre.*;
    DELETE FROM dw.cierre AS c WHERE c.hasta = v_cierre.hasta;
    v_cerrado := etl.cerrado_hasta();
    v_otros := ARRAY(
        SELECT c.id_producto
        FROM etl.producto_cerrado AS c
        INNER JOIN dw.producto AS p ON p.id_producto = c.id_producto
        WHERE c.hasta = v_cierre.hasta AND c.inventariable <> p.inventariable
    );
    DELETE FROM etl.producto_cerrado AS p WHERE p.hasta = v_cierre.hasta AND p.desde >= v_cerrado;
    UPDATE etl.producto_cerrado AS p SET hasta = v_cerrado WHERE p.hasta = v_cierre.hasta;

    -- What was booked at its end, or corrects what it closed, is booked as if it had never been: from what
    -- each movement is now, the OLTP is not asked.
    PERFORM etl.vaciar_trabajo();
    PERFORM etl.preparar_carga();
    INSERT INTO etl.etapa (
        id_movimiento, tipo, id_producto, id_sucursal, cantidad, precio_unitario, costo_unitario, fecha, anulado,
        id_origen, id_sucursal_destino, importe, impuesto, precio_con_impuesto
    )
    SELECT DISTINCT ON (k.id_movimiento)
        k.id_movimiento, k.tipo, k.id_producto, CASE WHEN k.de_todo IS NOT TRUE THEN k.id_sucursal END,
        k.cantidad, k.precio_unitario, CASE WHEN k.tipo <> 'VENTA' THEN k.costo_unitario END,
        k.fecha_documento, k.reverso, k.id_origen, k.id_sucursal_destino, k.importe, k.impuesto,
        k.precio_con_impuesto
    FROM dw.kardex AS k
    WHERE k.id_movimiento IN (
        SELECT f.id_movimiento FROM dw.kardex AS f
        WHERE f.fecha >= v_cerrado AND (f.capa > 0 OR f.fecha_documento < f.fecha)
    )
    ORDER BY k.id_movimiento, k.capa DESC;
    -- Nothing is judged: a void stays one, and the rest is as it was booked.
    PERFORM etl.corregir_asientos(v_cerrado);
    PERFORM etl.marcar_con_costos(v_cerrado, v_cierre.hasta, '-infinity');
    -- What had a stock then and has none now, or the reverse.
    INSERT INTO etl.tramo AS t (id_producto, desde)
    SELECT i.id_producto, '-infinity' FROM dw.inventario AS i WHERE i.id_producto = ANY (v_otros)
    ON CONFLICT (id_producto) DO UPDATE SET desde = excluded.desde;
    -- What may have entered at a reference, which may be another by now.
    INSERT INTO etl.tramo AS t (id_producto, desde)
    SELECT DISTINCT k.id_producto, '-infinity'::timestamptz
    FROM dw.kardex AS k
    INNER JOIN dw.tipo_movimiento AS p
        ON p.tipo = k.tipo AND p.regla IN ('recibir', 'contar', 'devolver_venta')
    WHERE k.fecha >= v_cerrado AND k.fecha < v_cierre.hasta AND k.costo_unitario IS NULL AND NOT k.reverso
    ON CONFLICT (id_producto) DO UPDATE SET desde = excluded.desde;
    PERFORM etl.revaluar(
        v_control.corridas + 1, p_opciones, (SELECT c.dia FROM dw.v_corte AS c), false
    );
    PERFORM etl.comparar_tocados();
    -- In the categories and with the tax of today.
    PERFORM etl.recalcular_resumenes(p_zona, (SELECT c.dia FROM dw.v_corte AS c));
    -- What was archived with its product is to wait, now that it is open.
    PERFORM etl.anotar_revaluacion(EXISTS (
        SELECT FROM dw.kardex AS k
        INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto AND NOT p.vigente
        WHERE k.fecha >= v_cerrado AND k.fecha < v_cierre.hasta
    ));
    RETURN to_jsonb(v_cierre);
END
$$;
COMMENT ON FUNCTION etl.reabrir(date, text, text, jsonb) IS
    'Deshace el último cierre: lo que corregía su período se asienta en su fecha';
SELECT etl.conceder('EXECUTE', 'etl.reabrir(date, text, text, jsonb)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.movimientos_del_cierre(p_dia date) RETURNS bigint[]
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(array_agg(DISTINCT k.id_movimiento), '{}')
FROM (
    SELECT c.dia, c.hasta, coalesce(lag(c.hasta) OVER (ORDER BY c.hasta), '-infinity') AS desde FROM dw.cierre AS c
) AS c
INNER JOIN dw.kardex AS k ON k.fecha >= c.desde AND k.fecha < c.hasta
WHERE c.dia = p_dia
$$;
COMMENT ON FUNCTION etl.movimientos_del_cierre(date) IS 'Los movimientos asentados en el período de un cierre';
SELECT etl.conceder('EXECUTE', 'etl.movimientos_del_cierre(date)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.cierres() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(jsonb_agg(c.fila ORDER BY c.dia, c.cerrado), '[]')
FROM (
    SELECT d.dia, d.cerrado, to_jsonb(d) AS fila FROM dw.cierre AS d
    UNION ALL
    SELECT r.dia, r.cerrado, to_jsonb(r) FROM dw.reapertura AS r
) AS c
$$;
COMMENT ON FUNCTION etl.cierres() IS 'Los cierres, y los que se deshicieron con su motivo, en su orden';
SELECT etl.conceder('EXECUTE', 'etl.cierres()', 'etl_cargador');
