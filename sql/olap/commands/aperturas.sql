-- Opening balances: given or corrected by the operator, and replayed at once.

CREATE OR REPLACE FUNCTION etl.aplicar_aperturas(
    p_aperturas jsonb, p_opciones jsonb, p_quitar_anteriores boolean
) RETURNS jsonb
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_opciones ->> 'zona');
    v_cerrado timestamptz := etl.cerrado_hasta();
    v_anteriores text;
    v_releer boolean;
    v_aplicadas bigint;
    v_conteo jsonb;
BEGIN
    PERFORM etl.vaciar_trabajo();
    PERFORM etl.preparar_carga();
    CREATE TEMP TABLE apertura_nueva ON COMMIT DROP AS
    SELECT
        f.id_producto, s.existencias, round(f.costo_promedio, 6) AS costo_promedio,
        coalesce(f.fecha, v_control.desde_inicial) AS fecha, f.sucursales
    FROM jsonb_to_recordset(p_aperturas) AS f (
        id_producto bigint, sucursales jsonb, costo_promedio numeric, fecha timestamptz
    )
    CROSS JOIN LATERAL (
        SELECT sum(round(v.value::numeric, 6)) AS existencias FROM jsonb_each_text(f.sucursales) AS v
    ) AS s;

    SELECT string_agg(concat('product ', coalesce(p.clave, n.id_producto::text), ' (' || p.codigo || ')'), ', ' ORDER BY n.id_producto)
    INTO v_anteriores
    FROM pg_temp.apertura_nueva AS n
    LEFT JOIN dw.producto AS p ON p.id_producto = n.id_producto
    WHERE n.fecha < v_cerrado
        OR EXISTS (SELECT FROM dw.apertura AS a WHERE a.id_producto = n.id_producto AND a.fecha < v_cerrado)
        OR EXISTS (SELECT FROM dw.kardex AS k WHERE k.id_producto = n.id_producto AND k.fecha < v_cerrado);
    IF v_anteriores IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('the opening would change what is closed up to %s (%s); nothing was changed',
                             (SELECT max(c.dia) FROM dw.cierre AS c), v_anteriores),
            HINT = 'tell it by a count (CONTEO), or open the last closing again: `python -m pipeline close --reopen`';
    END IF;

    INSERT INTO etl.baja
    SELECT k.*, false
    FROM pg_temp.apertura_nueva AS n
    CROSS JOIN LATERAL (
        SELECT * FROM dw.kardex AS f
        WHERE f.id_producto = n.id_producto AND f.fecha_documento < n.fecha
        OFFSET 0
    ) AS k;
    SELECT string_agg(
        concat('product ', coalesce(p.clave, b.id_producto::text), ' (' || p.codigo || ')')
        || format(': %s movements before %s', b.movimientos, b.fecha),
        ', ' ORDER BY b.id_producto
    ) INTO v_anteriores
    FROM (
        SELECT b.id_producto, count(*) AS movimientos, min(n.fecha) AS fecha
        FROM etl.baja AS b
        INNER JOIN pg_temp.apertura_nueva AS n ON n.id_producto = b.id_producto
        GROUP BY b.id_producto
        ORDER BY b.id_producto
        LIMIT 10
    ) AS b
    LEFT JOIN dw.producto AS p ON p.id_producto = b.id_producto;
    IF v_anteriores IS NOT NULL AND NOT p_quitar_anteriores THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('the opening is dated after movements that are already in the ledger (%s); nothing was changed',
                             v_anteriores),
            HINT = 'give --drop-earlier to let them go, or correct the date';
    END IF;

    -- Movements that an earlier opening had left out were dropped: they must be read again.
    SELECT EXISTS (
        SELECT FROM pg_temp.apertura_nueva AS n
        INNER JOIN dw.apertura AS a ON a.id_producto = n.id_producto
        WHERE n.fecha < a.fecha AND a.fecha > v_control.desde_inicial
    ) INTO v_releer;

    INSERT INTO dw.apertura AS a (id_producto, existencias, costo_promedio, fecha)
    SELECT n.id_producto, n.existencias, n.costo_promedio, n.fecha
    FROM pg_temp.apertura_nueva AS n
    ON CONFLICT (id_producto) DO UPDATE SET
        existencias = excluded.existencias, costo_promedio = excluded.costo_promedio,
        fecha = excluded.fecha;
    GET DIAGNOSTICS v_aplicadas = ROW_COUNT;
    DELETE FROM dw.apertura_sucursal AS s USING pg_temp.apertura_nueva AS n
    WHERE s.id_producto = n.id_producto;
    INSERT INTO dw.apertura_sucursal (id_producto, id_sucursal, existencias)
    SELECT n.id_producto, v.key::bigint, round(v.value::numeric, 6)
    FROM pg_temp.apertura_nueva AS n
    CROSS JOIN LATERAL jsonb_each_text(n.sucursales) AS v;
    -- What waits from before an opening is out of scope, as the next window would find.
    DELETE FROM etl.rechazo AS r USING pg_temp.apertura_nueva AS n
    WHERE r.id_producto = n.id_producto AND r.fecha < n.fecha;

    IF v_control.hasta IS NOT NULL THEN
        INSERT INTO etl.tramo (id_producto, desde)
        SELECT n.id_producto, '-infinity'
        FROM pg_temp.apertura_nueva AS n
        INNER JOIN dw.producto AS p ON p.id_producto = n.id_producto;
        v_conteo := etl.revaluar(
            v_control.corridas + 1, p_opciones, (SELECT c.dia FROM dw.v_corte AS c), false
        );
        PERFORM etl.comparar_tocados();
    END IF;
    -- A window that is under way was read without knowing of this: it will be read again.
    UPDATE etl.control AS c
    SET version = gen_random_uuid(),
        corridas = c.corridas + CASE WHEN v_conteo IS NULL THEN 0 ELSE 1 END,
        -- What was valued now has prices of a policy that the others have not yet.
        politica = CASE
            WHEN etl.misma_politica() THEN c.politica
        END,
        horizonte = CASE WHEN v_releer THEN NULL ELSE c.horizonte END,
        -- What the counts leave out lies there as planned.
        ultimo_previsto = greatest(
            c.ultimo_previsto, (SELECT max(k.id_movimiento) FROM dw.kardex AS k)
        );
    RETURN jsonb_build_object(
        'aplicadas', v_aplicadas,
        'quitadas', (SELECT count(*) FROM etl.baja),
        'releer', v_releer
    ) || coalesce(v_conteo, '{}');
END
$$;
COMMENT ON FUNCTION etl.aplicar_aperturas(jsonb, jsonb, boolean) IS
    'Pone o corrige saldos de apertura, por sucursal (un objeto: sucursal, existencias; la 0 si no la tienen), y repite sus productos; se niega a dejar fuera movimientos ya cargados, salvo que se pida';
SELECT etl.conceder('EXECUTE', 'etl.aplicar_aperturas(jsonb, jsonb, boolean)', 'etl_cargador');
