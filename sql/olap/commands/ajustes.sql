-- What was booked to make the stock the shop's own: listed, and carried to another OLAP.

CREATE OR REPLACE FUNCTION etl.listar_ajustes(p_limite bigint) RETURNS TABLE (
    id_movimiento bigint, desde timestamptz, hasta timestamptz, fecha timestamptz, id_producto bigint,
    id_sucursal bigint, cantidad numeric, deshace bigint, codigo text, nombre text, sucursal text, valor numeric
)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT
    a.id_movimiento, a.desde, a.hasta, a.fecha, a.id_producto, a.id_sucursal, a.cantidad, a.deshace, p.codigo, p.nombre,
    s.nombre, t.signo * k.costo_total
FROM dw.ajuste_existencias AS a
LEFT JOIN dw.producto AS p ON p.id_producto = a.id_producto
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = a.id_sucursal
LEFT JOIN LATERAL (
    SELECT f.tipo, f.costo_total FROM dw.kardex AS f
    WHERE f.id_movimiento = a.id_movimiento
    ORDER BY f.capa DESC
    LIMIT 1
) AS k ON true
LEFT JOIN dw.tipo_movimiento AS t ON t.tipo = k.tipo
ORDER BY a.hasta DESC, a.fecha DESC, a.id_producto, a.id_sucursal, a.id_movimiento
LIMIT p_limite
$$;
COMMENT ON FUNCTION etl.listar_ajustes(bigint) IS
    'Los últimos ajustes, o todos (nulo), con lo que vale en el kardex lo que queda de cada uno';
SELECT etl.conceder('EXECUTE', 'etl.listar_ajustes(bigint)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.importar_ajustes(p_ajustes jsonb, p_opciones jsonb) RETURNS jsonb
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_control etl.control := etl.bloquear_control(p_opciones ->> 'zona');
    v_mala record;
    v_nuevos bigint;
    v_llevados bigint := 0;
    v_tocados bigint[];
BEGIN
    PERFORM etl.preparar_carga();
    CREATE TEMP TABLE ajuste_nuevo ON COMMIT DROP AS
    SELECT * FROM jsonb_populate_recordset(NULL::dw.ajuste_existencias, p_ajustes);

    -- Each number is made of its line: a line that was edited is no adjustment.
    SELECT n.* INTO v_mala
    FROM pg_temp.ajuste_nuevo AS n
    LEFT JOIN dw.ajuste_existencias AS a ON a.id_movimiento = n.id_movimiento
    LEFT JOIN (
        SELECT f.* FROM pg_temp.ajuste_nuevo AS f
        UNION
        SELECT b.* FROM dw.ajuste_existencias AS b
    ) AS d ON d.id_movimiento = n.deshace
    CROSS JOIN LATERAL (
        SELECT ARRAY[extract(epoch FROM n.desde)::text, extract(epoch FROM n.hasta)::text] AS ventana
    ) AS v
    WHERE a.id_movimiento IS NOT NULL AND a IS DISTINCT FROM ROW(n.*)::dw.ajuste_existencias
        OR n.deshace IS NULL AND n.id_movimiento NOT IN (
            etl.numero_de_ajuste(false, VARIADIC v.ventana || ARRAY[n.id_producto::text, n.id_sucursal::text]),
            etl.numero_de_ajuste(true, VARIADIC v.ventana || ARRAY[n.id_producto::text, n.id_sucursal::text])
        )
        OR n.deshace IS NOT NULL AND (
            n.id_movimiento <> etl.numero_de_ajuste(false, VARIADIC v.ventana || ARRAY['deshace', n.deshace::text])
            OR (
                d.deshace IS NULL AND d.fecha = n.fecha AND d.id_producto = n.id_producto
                AND d.id_sucursal IS NOT DISTINCT FROM n.id_sucursal AND d.cantidad * n.cantidad < 0
            ) IS NOT TRUE
        )
    ORDER BY n.hasta, n.id_movimiento
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('the adjustment %s is not as it was booked; nothing was changed', v_mala.id_movimiento),
            HINT = 'import the file that `python -m pipeline adjustments --output` wrote, as it is';
    END IF;
    -- Both would be in the stock.
    SELECT a.id_producto, a.fecha, (a.id_sucursal IS NULL) <> (o.id_sucursal IS NULL) AS de_otro_modo INTO v_mala
    FROM dw.ajuste_existencias AS a
    INNER JOIN (
        SELECT n.id_producto, n.id_sucursal, min(n.fecha) AS primera
        FROM pg_temp.ajuste_nuevo AS n
        WHERE NOT EXISTS (SELECT FROM dw.ajuste_existencias AS b WHERE b.id_movimiento = n.id_movimiento)
        GROUP BY n.id_producto, n.id_sucursal
    ) AS o
        ON o.id_producto = a.id_producto AND (
            o.id_sucursal IS NOT DISTINCT FROM a.id_sucursal AND a.fecha >= o.primera
            OR (a.id_sucursal IS NULL) <> (o.id_sucursal IS NULL)
        )
    WHERE NOT EXISTS (SELECT FROM pg_temp.ajuste_nuevo AS n WHERE n.id_movimiento = a.id_movimiento)
    ORDER BY de_otro_modo, a.fecha
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = CASE WHEN v_mala.de_otro_modo
                THEN format('of product %s this OLAP has booked an adjustment itself, at %s, and one of both is of the whole, the other of a branch; nothing was changed',
                            v_mala.id_producto, v_mala.fecha)
                ELSE format('this OLAP has booked an adjustment of product %s itself since then, at %s; nothing was changed',
                            v_mala.id_producto, v_mala.fecha)
            END,
            HINT = 'import them into an OLAP before it books any: make it anew with `python -m pipeline init`, import, then run';
    END IF;

    INSERT INTO dw.ajuste_existencias
    SELECT * FROM pg_temp.ajuste_nuevo AS n
    WHERE NOT EXISTS (SELECT FROM dw.ajuste_existencias AS b WHERE b.id_movimiento = n.id_movimiento);
    GET DIAGNOSTICS v_nuevos = ROW_COUNT;
    IF v_nuevos > 0 AND v_control.hasta IS NOT NULL THEN
        v_llevados := etl.llevar_ajustes(
            NULL, v_control.corridas + 1, p_opciones, (SELECT c.dia FROM dw.v_corte AS c)
        );
        v_tocados := ARRAY(SELECT t.id_producto FROM etl.tramo AS t);
        PERFORM etl.comparar_existencias(v_tocados, v_control.hasta);
        UPDATE etl.diferencia_existencias AS d SET atrasada = 0, atrasada_desde = NULL, atrasada_menor = NULL
        WHERE d.id_producto = ANY (v_tocados) AND d.atrasada <> 0;
        PERFORM etl.anotar_revaluacion(false);
    END IF;
    RETURN jsonb_build_object('nuevos', v_nuevos, 'llevados', v_llevados);
END
$$;
COMMENT ON FUNCTION etl.importar_ajustes(jsonb, jsonb) IS
    'Añade los ajustes que asentó otra base de la misma tienda, y los lleva al kardex; se niega si esta asentó ya alguno del mismo producto y sucursal desde el primero de ellos, o del producto entero si son por sucursal, y a la inversa';
SELECT etl.conceder('EXECUTE', 'etl.importar_ajustes(jsonb, jsonb)', 'etl_cargador');
