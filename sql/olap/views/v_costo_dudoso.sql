-- The sales whose margin is not to be relied on yet: of what costs nothing, or was not received.

CREATE OR REPLACE VIEW dw.v_costo_dudoso AS
SELECT
    v.dia,
    v.id_sucursal,
    coalesce(s.nombre, 'Sucursal ' || v.id_sucursal) AS sucursal,
    v.id_producto,
    p.codigo,
    p.nombre,
    p.categoria,
    v.motivo,
    v.unidades,
    v.venta_bruta,
    t.venta_bruta AS venta_total
FROM (
    SELECT
        (k.fecha AT TIME ZONE h.zona)::date AS dia, k.id_sucursal, r.id_producto, k.motivo,
        sum(k.cantidad) AS unidades, sum(k.importe) AS venta_bruta
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
    INNER JOIN dw.inventario AS i ON i.id_producto = r.id_producto
    CROSS JOIN LATERAL (
        SELECT
            f.fecha, f.id_sucursal, f.cantidad,
            round(CASE WHEN f.importe IS NULL THEN f.cantidad * f.precio_unitario ELSE f.importe END, 6) AS importe,
            CASE
                WHEN f.provisional AND i.existencias < 0 AND f.existencias < 0 THEN 'sin recibir'
                WHEN f.costo_total = 0 AND f.existencias >= 0 THEN 'sin costo'
            END AS motivo
        FROM dw.kardex AS f
        WHERE f.id_producto = r.id_producto AND f.fecha >= h.desde AND f.fecha < h.hasta
            AND f.tipo = 'VENTA' AND NOT f.reverso
        OFFSET 0
    ) AS k
    WHERE k.motivo IS NOT NULL
    GROUP BY 1, 2, 3, 4
) AS v
INNER JOIN dw.producto AS p ON p.id_producto = v.id_producto AND p.inventariable
LEFT JOIN dw.sucursal AS s ON s.id_sucursal = v.id_sucursal
CROSS JOIN (
    SELECT sum(r.venta_bruta) AS venta_bruta
    FROM dw.resumen_diario AS r
    CROSS JOIN dw.v_corte AS c
    WHERE r.dia BETWEEN c.dia - 90 AND c.dia
) AS t;
COMMENT ON VIEW dw.v_costo_dudoso IS
    'Las ventas de los últimos 91 días cuyo margen aún no es firme: sin recibir, las de un producto que está bajo cero, hechas bajo cero; sin costo, las que salieron a costo 0';
COMMENT ON COLUMN dw.v_costo_dudoso.venta_bruta IS 'Lo cobrado, como el precio lo dice';
COMMENT ON COLUMN dw.v_costo_dudoso.venta_total IS 'Todo lo cobrado en esos 91 días, en cada fila: de qué son parte las demás';
SELECT etl.conceder('SELECT', 'dw.v_costo_dudoso', 'bi_lector');
