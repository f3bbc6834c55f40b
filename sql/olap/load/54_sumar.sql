-- What the load adds to the sums by day and by month, into etl.delta.

CREATE OR REPLACE FUNCTION etl.sumar_movil() RETURNS void
LANGUAGE sql
AS $$
INSERT INTO etl.delta
SELECT
    3, NULL, NULL, NULL, NULL, NULL, d.id_producto, 0, sum(d.unidades_vendidas), 0,
    sum(d.venta_neta), sum(d.costo_ventas), 0, 0, 0,
    coalesce(sum(d.unidades_vendidas) FILTER (WHERE d.franja = 2), 0)
FROM etl.delta AS d
WHERE d.nivel = 2 AND d.franja > 0
GROUP BY d.id_producto
$$;
COMMENT ON FUNCTION etl.sumar_movil() IS
    'Saca de los meses de etl.delta, partidos en franjas, lo que gana o pierde dw.resumen_movil';

CREATE OR REPLACE FUNCTION etl.franja(p_dia date, p_corte date) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT (CASE
    WHEN p_dia > p_corte OR p_dia <= p_corte - 365 THEN 0
    WHEN p_dia > p_corte - 90 THEN 2
    ELSE 1
END)::smallint
$$;
COMMENT ON FUNCTION etl.franja(date, date) IS
    '2: de los 90 días que terminan en el corte; 1: de los 365, no de los 90; 0: de ninguno';

CREATE OR REPLACE FUNCTION etl.inicio_del_dia(p_dia date, p_zona text) RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
-- Of a midnight that comes twice, PostgreSQL means the second. The first is the one by the clock of
-- the day before.
SELECT CASE WHEN (a.primera AT TIME ZONE p_zona)::date >= p_dia
    THEN least(a.primera, a.segunda) ELSE a.segunda END
FROM (
    SELECT
        m.medianoche AS segunda,
        (p_dia::timestamp - ((v.vispera AT TIME ZONE p_zona) - (v.vispera AT TIME ZONE 'UTC')))
            AT TIME ZONE 'UTC' AS primera
    FROM (SELECT p_dia::timestamp AT TIME ZONE p_zona AS medianoche) AS m
    CROSS JOIN LATERAL (SELECT m.medianoche - interval '1 day' AS vispera) AS v
) AS a
$$;
COMMENT ON FUNCTION etl.inicio_del_dia(date, text) IS
    'El primer instante de un día en una zona, también donde el reloj se atrasa a medianoche';

CREATE OR REPLACE VIEW etl.v_clase AS
SELECT
    t.tipo, c.con_costo, c.inicial, t.signo, t.resta,
    d.clase IS NOT DISTINCT FROM 'ventas' AS ventas,
    d.clase IS NOT DISTINCT FROM 'compras' AS compras,
    d.clase IS NOT DISTINCT FROM 'merma' AS merma
FROM dw.tipo_movimiento AS t
CROSS JOIN (VALUES (true, false), (false, false), (false, true)) AS c (con_costo, inicial)
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.inicial THEN NULL WHEN c.con_costo THEN coalesce(t.clase_con_costo, t.clase) ELSE t.clase END AS clase
) AS d
-- Joined by both columns at once, and its expressions worked out once a type.
OFFSET 0;
COMMENT ON VIEW etl.v_clase IS 'En qué clase se informa cada tipo, con costo propio y sin él; en ninguna, si es el saldo con que un producto empieza';

CREATE OR REPLACE VIEW etl.v_diferencia AS
-- Of the products with a tail: what enters; of a row that only changes cost, the difference.
SELECT
    r.fecha, r.fecha_documento, r.id_movimiento, r.capa, r.reverso, r.id_sucursal, p.categoria, r.id_producto, r.tipo,
    r.costo_unitario IS NOT NULL AS con_costo,
    CASE WHEN e.entra THEN 1 ELSE 0 END AS movimientos,
    CASE WHEN e.entra THEN r.cantidad END AS cantidad,
    r.precio_unitario, r.importe, r.impuesto AS impuesto_linea, r.precio_con_impuesto AS con_impuesto_linea,
    p.impuesto, p.tasas, p.precio_con_impuesto,
    CASE WHEN e.entra THEN r.variacion ELSE r.variacion - r.variacion_anterior END AS variacion,
    CASE WHEN e.entra THEN r.costo_total ELSE r.costo_total - r.costo_total_anterior END
        AS costo_total,
    CASE WHEN e.entra THEN r.ajuste ELSE r.ajuste - r.ajuste_anterior END AS ajuste
FROM etl.repeticion AS r
INNER JOIN etl.tramo AS t ON t.id_producto = r.id_producto
INNER JOIN dw.producto AS p ON p.id_producto = r.id_producto
CROSS JOIN LATERAL (SELECT r.es_alta OR t.categoria_anterior IS NOT NULL AS entra) AS e
UNION ALL
-- What leaves, from where it was counted.
SELECT
    b.fecha, b.fecha_documento, b.id_movimiento, b.capa, b.reverso, b.id_sucursal,
    coalesce(t.categoria_anterior, p.categoria), b.id_producto,
    b.tipo, b.costo_unitario IS NOT NULL, -1, -b.cantidad, b.precio_unitario, -b.importe,
    b.impuesto, b.precio_con_impuesto,
    coalesce(t.impuesto_anterior, p.impuesto),
    CASE WHEN t.impuesto_anterior IS NULL THEN p.tasas ELSE t.tasas_anterior END,
    coalesce(t.con_impuesto_anterior, p.precio_con_impuesto), -b.variacion,
    -b.costo_total, -b.ajuste
FROM etl.baja AS b
INNER JOIN etl.tramo AS t ON t.id_producto = b.id_producto
INNER JOIN dw.producto AS p ON p.id_producto = b.id_producto
UNION ALL
SELECT
    r.fecha, r.fecha_documento, r.id_movimiento, r.capa, r.reverso, r.id_sucursal, t.categoria_anterior, r.id_producto, r.tipo,
    r.costo_unitario IS NOT NULL, -1, -r.cantidad, r.precio_unitario, -r.importe, r.impuesto,
    r.precio_con_impuesto,
    t.impuesto_anterior, t.tasas_anterior, t.con_impuesto_anterior, -r.variacion_anterior, -r.costo_total_anterior,
    -r.ajuste_anterior
FROM etl.repeticion AS r
INNER JOIN etl.tramo AS t ON t.id_producto = r.id_producto
WHERE t.categoria_anterior IS NOT NULL AND NOT r.es_alta;
COMMENT ON VIEW etl.v_diferencia IS
    'De los productos con cola, lo que esta carga suma, quita (en negativo) o solo revaloriza (0 movimientos, sin cantidad), de cada movimiento';

CREATE OR REPLACE FUNCTION etl.sumar(p_zona text, p_corte date, p_todo boolean)
RETURNS SETOF etl.delta
LANGUAGE plpgsql STABLE
SET enable_mergejoin = off
AS $$
BEGIN
    -- What a row brings to its class is what it changes, with the sign of the class: a sale lowers
    -- the value by what it sells, and a return takes that off again. A FILTER that knows of
    -- nulls and zeros spares most groups most of their sums, and their memory.
    RETURN QUERY
    SELECT
        (CASE WHEN grouping(c.categoria) = 0 THEN 1 ELSE 2 END)::smallint,
        c.dia, c.mes, c.franja, c.id_sucursal, c.categoria, c.id_producto,
        sum(c.movimientos),
        coalesce(-sum(c.variacion) FILTER (WHERE c.vendido), 0)
        + coalesce(sum(c.sin_existencias) FILTER (WHERE c.sin_existencias IS NOT NULL), 0),
        coalesce(sum(c.bruta) FILTER (WHERE c.vendido), 0),
        coalesce(sum(c.neta) FILTER (WHERE c.vendido), 0),
        coalesce(-sum(c.entra) FILTER (WHERE c.ventas), 0),
        coalesce(sum(c.ajuste) FILTER (WHERE c.ajuste <> 0), 0),
        coalesce(sum(c.variacion) FILTER (WHERE c.compras), 0),
        coalesce(sum(c.entra) FILTER (WHERE c.compras), 0),
        0::numeric,
        coalesce(-sum(c.neta) FILTER (WHERE c.resta), 0),
        coalesce(sum(c.variacion) FILTER (WHERE c.resta AND c.vendido), 0)
        - coalesce(sum(c.sin_existencias) FILTER (WHERE c.resta AND c.sin_existencias IS NOT NULL), 0),
        coalesce(-sum(c.entra) FILTER (WHERE c.merma), 0),
        coalesce(-sum(c.variacion) FILTER (WHERE c.merma), 0),
        -- What is of no class moves nothing, but for what a product begins with.
        coalesce(sum(c.variacion) FILTER (WHERE c.vendido), 0)
        + coalesce(sum(c.variacion) FILTER (WHERE c.ventas AND NOT c.vendido), 0)
        + coalesce(sum(c.variacion) FILTER (WHERE c.compras), 0)
        + coalesce(sum(c.variacion) FILTER (WHERE c.merma), 0)
        + coalesce(sum(c.variacion) FILTER (WHERE c.inicial), 0)
    FROM (
        SELECT
            s.*,
            date_trunc('month', s.dia::timestamp)::date AS mes,
            etl.franja(s.dia, p_corte) AS franja,
            CASE WHEN s.vendido THEN round(s.unidades * s.precio, 6) END AS bruta,
            CASE WHEN s.vendido THEN dw.venta_neta(s.unidades, s.precio, s.tasa) END AS neta
        FROM (
            -- OFFSET 0: else the day, which costs more than a sum, is worked out for each expression
            -- that names it, and dw.venta_neta() is not written into what asks for a rate that is one.
            SELECT
                m.id_sucursal, m.categoria, m.id_producto, m.movimientos, m.variacion, m.ajuste,
                t.ventas, t.compras, t.merma, t.resta, t.inicial,
                (m.fecha AT TIME ZONE p_zona)::date AS dia,
                CASE WHEN m.reverso
                    THEN etl.tasa_asentada(
                        m.id_producto, m.fecha, m.id_movimiento, m.capa, true,
                        (m.fecha_documento AT TIME ZONE p_zona)::date, m.impuesto_linea, m.con_impuesto_linea
                    )
                    ELSE etl.tasa_de_venta(
                        m.impuesto_linea, m.con_impuesto_linea, m.precio_con_impuesto, m.impuesto, m.tasas,
                        (m.fecha_documento AT TIME ZONE p_zona)::date
                    )
                END AS tasa,
                t.ventas AND m.movimientos <> 0 AS vendido,
                CASE t.signo WHEN 1 THEN m.costo_total WHEN -1 THEN -m.costo_total ELSE 0 END AS entra,
                -- An amount of the line stands in the place of both.
                CASE WHEN t.resta <> m.reverso THEN -u.unidades ELSE u.unidades END AS unidades,
                coalesce(m.importe, m.precio_unitario) AS precio,
                -- The units of what is sold and changes no stock; a discount has none.
                CASE
                    WHEN m.variacion <> 0 OR t.signo = 0 OR NOT t.ventas THEN NULL
                    WHEN t.resta <> m.reverso THEN -m.cantidad
                    ELSE m.cantidad
                END AS sin_existencias
            FROM (
                SELECT
                    k.fecha, k.fecha_documento, k.id_movimiento, k.capa, k.reverso, k.id_sucursal, p.categoria, k.id_producto, k.tipo,
                    k.costo_unitario IS NOT NULL AS con_costo, 1 AS movimientos, k.cantidad,
                    k.precio_unitario, k.importe, k.impuesto AS impuesto_linea,
                    k.precio_con_impuesto AS con_impuesto_linea, p.impuesto, p.tasas, p.precio_con_impuesto,
                    k.variacion, k.costo_total, k.ajuste
                FROM dw.kardex AS k
                INNER JOIN etl.v_producto_en_su_fecha AS p
                    ON p.id_producto = k.id_producto AND k.fecha >= p.desde AND k.fecha < p.hasta
                WHERE p_todo
                UNION ALL
                -- Of a product that only grew, what the ledger has from its first new date is new.
                -- This OFFSET 0 keeps the planner from joining with a scan of the whole ledger.
                SELECT
                    k.fecha, k.fecha_documento, k.id_movimiento, k.capa, k.reverso, k.id_sucursal, p.categoria, t.id_producto, k.tipo,
                    k.costo_unitario IS NOT NULL, 1, k.cantidad, k.precio_unitario, k.importe,
                    k.impuesto, k.precio_con_impuesto, p.impuesto, p.tasas, p.precio_con_impuesto, k.variacion, k.costo_total, k.ajuste
                FROM etl.tramo AS t
                INNER JOIN dw.producto AS p ON p.id_producto = t.id_producto
                CROSS JOIN LATERAL (
                    SELECT * FROM dw.kardex AS f
                    WHERE f.id_producto = t.id_producto AND f.fecha >= t.desde
                    OFFSET 0
                ) AS k
                WHERE NOT p_todo AND NOT t.cola
                UNION ALL
                SELECT * FROM etl.v_diferencia AS v WHERE NOT p_todo
            ) AS m
            INNER JOIN etl.v_clase AS t
                ON t.tipo = m.tipo AND t.con_costo = m.con_costo AND t.inicial = etl.es_inicial(m.id_movimiento)
            CROSS JOIN LATERAL (
                SELECT CASE WHEN m.importe IS NULL THEN m.cantidad ELSE 1.000000 END AS unidades
            ) AS u
            OFFSET 0
        ) AS s
    ) AS c
    GROUP BY GROUPING SETS (
        (c.dia, c.id_sucursal, c.categoria),
        (c.mes, c.franja, c.id_sucursal, c.id_producto)
    );
END
$$;
COMMENT ON FUNCTION etl.sumar(text, date, boolean) IS
    'Lo que la carga que está en el kardex suma a los resúmenes por día y por mes; con p_todo, las sumas de todo el kardex';

CREATE OR REPLACE FUNCTION etl.sumar_sucursales() RETURNS void
LANGUAGE sql
AS $$
INSERT INTO etl.delta (
    nivel, id_sucursal, id_producto, movimientos, unidades_vendidas, venta_bruta, venta_neta,
    costo_ventas, ajuste, unidades_recibidas, costo_recibido, variacion
)
SELECT
    4, s.id_sucursal, s.id_producto, sum(s.movimientos), 0, 0, 0, 0, 0, 0, 0, sum(s.variacion)
FROM (
    SELECT d.id_sucursal, d.id_producto, d.movimientos, d.variacion
    FROM etl.delta AS d
    WHERE d.nivel = 2
    UNION ALL
    SELECT m.id_sucursal, t.id_producto, m.movimientos, m.variacion
    FROM (
        SELECT
            e.id_producto, coalesce(e.id_sucursal, 0) AS origen, e.id_sucursal_destino AS destino,
            1 AS veces, round(e.cantidad, 6) AS cantidad
        FROM etl.etapa AS e
        WHERE e.id_sucursal_destino IS NOT NULL
        UNION ALL
        SELECT b.id_producto, b.id_sucursal, b.id_sucursal_destino, -1, -b.cantidad
        FROM etl.baja AS b
        WHERE b.id_sucursal_destino IS NOT NULL
    ) AS t
    CROSS JOIN LATERAL (
        VALUES (t.origen, 0, -t.cantidad), (t.destino, t.veces, t.cantidad)
    ) AS m (id_sucursal, movimientos, variacion)
) AS s
GROUP BY s.id_sucursal, s.id_producto
HAVING sum(s.movimientos) <> 0 OR sum(s.variacion) <> 0
$$;
COMMENT ON FUNCTION etl.sumar_sucursales() IS
    'Saca de los meses de etl.delta, y de los traslados que entran o salen, lo que gana o pierde dw.resumen_sucursal';
