-- ETL_STOCK_DIFFERENCES=adjust: the ledger gets what was booked to make the stock the shop's own

CREATE OR REPLACE VIEW etl.v_ajuste AS
SELECT
    a.id_movimiento, CASE WHEN a.cantidad > 0 THEN 'AJUSTE_ENTRADA' ELSE 'AJUSTE_SALIDA' END AS tipo,
    a.id_producto, a.id_sucursal, a.fecha, a.cantidad + q.deshecha AS cantidad,
    a.cantidad + q.deshecha <> 0 AND coalesce(p.vigente, false) AND a.fecha >= coalesce(c.desde_inicial, '-infinity')
    AND (o.fecha IS NULL OR a.fecha >= o.fecha) AS cuenta,
    coalesce(p.vigente, false) AS vigente
FROM dw.ajuste_existencias AS a
CROSS JOIN etl.control AS c
CROSS JOIN LATERAL (
    SELECT coalesce(sum(d.cantidad), 0) AS deshecha
    FROM dw.ajuste_existencias AS d
    WHERE d.deshace = a.id_movimiento
    OFFSET 0
) AS q
LEFT JOIN dw.producto AS p ON p.id_producto = a.id_producto
LEFT JOIN dw.apertura AS o ON o.id_producto = a.id_producto
WHERE a.deshace IS NULL;
COMMENT ON VIEW etl.v_ajuste IS
    'Lo que queda de cada ajuste (cantidad, con su signo), y si cuenta: en el alcance como cualquier movimiento';

CREATE OR REPLACE FUNCTION etl.ajustes_por_llevar(p_ajustes bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM dw.ajuste_existencias) THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(
        SELECT v.id_movimiento
        FROM etl.v_ajuste AS v
        LEFT JOIN LATERAL (
            SELECT k.id_movimiento, k.reverso, k.cantidad, min(k.fecha) OVER () AS primera
            FROM dw.kardex AS k
            WHERE k.id_movimiento = v.id_movimiento
            ORDER BY k.capa DESC
            LIMIT 1
        ) AS k ON true
        WHERE (p_ajustes IS NULL OR v.id_movimiento = ANY (p_ajustes)) AND CASE
            WHEN v.cuenta THEN k.id_movimiento IS NULL OR k.reverso OR k.cantidad <> abs(v.cantidad)
            -- What is closed of a product that the catalogue has no more is archived.
            ELSE k.id_movimiento IS NOT NULL AND NOT k.reverso
                AND (v.vigente OR k.primera >= (SELECT etl.cerrado_hasta()))
        END
    );
END
$$;
COMMENT ON FUNCTION etl.ajustes_por_llevar(bigint[]) IS
    'De esos ajustes, o de todos (nulo), los que el kardex no tiene como quedan: los recién asentados o deshechos, los que se importaron, o los que una apertura o el catálogo sacan o devuelven';

CREATE OR REPLACE FUNCTION etl.corregir_asientos(p_cerrado timestamptz) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO etl.descarte (id_movimiento, fuera)
    SELECT e.id_movimiento, 'anulado' FROM etl.etapa AS e WHERE e.anulado;
    PERFORM etl.comparar(false);
    DELETE FROM etl.etapa AS e WHERE e.anulado;
    DELETE FROM etl.etapa AS e USING etl.baja AS b
    WHERE b.igual AND NOT b.reverso AND b.id_movimiento = e.id_movimiento;
    DELETE FROM etl.baja AS b WHERE b.igual;
    IF p_cerrado > '-infinity' THEN
        PERFORM etl.asentar(p_cerrado);
    END IF;
END
$$;
COMMENT ON FUNCTION etl.corregir_asientos(timestamptz) IS
    'Lo que está en etl.etapa, como está y sin juzgarlo, frente a lo asentado: deja en etl.etapa las altas y en etl.baja las bajas; lo anulado sale';

CREATE OR REPLACE FUNCTION etl.llevar_ajustes(
    p_ajustes bigint[], p_numero bigint, p_opciones jsonb, p_corte date
) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    v_ajustes bigint[] := etl.ajustes_por_llevar(p_ajustes);
BEGIN
    IF cardinality(v_ajustes) = 0 THEN
        RETURN 0;
    END IF;
    PERFORM etl.vaciar_trabajo();
    INSERT INTO etl.etapa (id_movimiento, tipo, id_producto, id_sucursal, cantidad, fecha, anulado)
    SELECT v.id_movimiento, v.tipo, v.id_producto, v.id_sucursal, abs(v.cantidad), v.fecha, NOT v.cuenta
    FROM etl.v_ajuste AS v
    WHERE v.id_movimiento = ANY (v_ajustes);
    PERFORM etl.corregir_asientos(etl.cerrado_hasta());
    PERFORM etl.revaluar(p_numero, p_opciones, p_corte, false);
    -- A name by which people know them.
    DELETE FROM dw.documento_movimiento AS d WHERE d.id_movimiento = ANY (v_ajustes);
    INSERT INTO dw.documento_movimiento (id_movimiento, documento)
    SELECT v.id_movimiento, 'Existencias de la tienda'
    FROM etl.v_ajuste AS v
    WHERE v.id_movimiento = ANY (v_ajustes)
        AND (SELECT true FROM dw.kardex AS k WHERE k.id_movimiento = v.id_movimiento LIMIT 1);
    RETURN cardinality(v_ajustes);
END
$$;
COMMENT ON FUNCTION etl.llevar_ajustes(bigint[], bigint, jsonb, date) IS
    'Pone en el kardex los ajustes, de esos o de todos (nulo), que no están en él como quedan, y repite sus productos; devuelve cuántos';
