-- Sales, what came back, margin and shrinkage of each branch in the 30 whole days before the day of
-- the cut; nothing where there is one branch alone.
WITH suma AS (
    SELECT
        v.id_sucursal, v.sucursal,
        sum(v.venta_neta) AS venta,
        sum(v.devoluciones) AS devoluciones,
        sum(v.margen) AS margen,
        sum(v.mermas) AS mermas,
        count(*) OVER () AS total
    FROM dw.mv_ventas_diarias AS v
    WHERE v.dia BETWEEN %(dia)s::date - 30 AND %(dia)s::date - 1
    GROUP BY v.id_sucursal, v.sucursal
)
SELECT s.* FROM suma AS s WHERE s.total > 1 ORDER BY s.venta DESC, s.id_sucursal LIMIT %(limite)s;
