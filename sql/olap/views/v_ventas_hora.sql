-- What is sold at which hour, and in how many tickets.

CREATE OR REPLACE VIEW dw.v_ventas_hora AS
SELECT
    v.dia,
    v.hora,
    extract(isodow FROM v.dia)::smallint AS dia_semana,
    v.id_sucursal,
    coalesce(s.nombre, 'Sucursal ' || v.id_sucursal) AS sucursal,
    v.tickets,
    v.renglones,
    v.unidades,
    v.venta_bruta
FROM (
    SELECT
        k.momento::date AS dia, extract(hour FROM k.momento)::smallint AS hora, k.id_sucursal,
        nullif(count(DISTINCT d.id_documento) FILTER (WHERE k.vendido), 0) AS tickets,
        count(*) FILTER (WHERE k.vendido) AS renglones,
        coalesce(sum(k.signo * k.cantidad) FILTER (WHERE k.con_unidades), 0) AS unidades,
        sum(k.signo * k.importe) AS venta_bruta
    FROM (
        SELECT
            h.dia, h.zona, etl.inicio_del_dia(h.dia - 90, h.zona) AS desde,
            etl.inicio_del_dia(h.dia + 1, h.zona) AS hasta
        FROM dw.v_corte AS h
        OFFSET 0
    ) AS h
    -- Product by product: its ledger is in order of date, the whole one is not; of one that did not move
    -- in these months nothing is read.
    CROSS JOIN LATERAL (
        SELECT DISTINCT m.id_producto
        FROM dw.resumen_mensual AS m
        WHERE m.mes >= date_trunc('month', (h.dia - 90)::timestamp)::date
    ) AS r
    CROSS JOIN LATERAL (
        SELECT
            f.id_movimiento, f.id_sucursal, f.cantidad, f.fecha AT TIME ZONE h.zona AS momento,
            CASE WHEN t.resta <> f.reverso THEN -1 ELSE 1 END AS signo,
            NOT t.resta AND NOT f.reverso AS vendido,
            t.signo <> 0 AS con_unidades,
            round(CASE WHEN f.importe IS NULL THEN f.cantidad * f.precio_unitario ELSE f.importe END, 6) AS importe
        FROM dw.kardex AS f
        INNER JOIN etl.v_clase AS t ON t.tipo = f.tipo AND t.con_costo = (f.costo_unitario IS NOT NULL)
        WHERE f.id_producto = r.id_producto AND f.fecha >= h.desde AND f.fecha < h.hasta AND t.ventas
        OFFSET 0
    ) AS k
    LEFT JOIN dw.documento_movimiento AS d ON d.id_movimiento = k.id_movimiento
    GROUP BY 1, 2, 3
) AS v
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = v.id_sucursal;
COMMENT ON VIEW dw.v_ventas_hora IS
    'Lo cobrado en los últimos 91 días, por día, hora y sucursal, como el precio lo dice: con impuesto si lo incluye, neto de devoluciones y descuentos';
COMMENT ON COLUMN dw.v_ventas_hora.dia_semana IS '1, lunes, a 7, domingo';
COMMENT ON COLUMN dw.v_ventas_hora.tickets IS
    'Cuántos documentos de venta; nulo si movimientos.sql no da id_documento';
COMMENT ON COLUMN dw.v_ventas_hora.renglones IS 'Cuántos renglones de venta, sin los de devoluciones';
SELECT etl.conceder('SELECT', 'dw.v_ventas_hora', 'bi_lector');
