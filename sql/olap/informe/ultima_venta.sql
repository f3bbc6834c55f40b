-- When something was sold last.
SELECT max(p.ultima_venta) AS dia FROM dw.mv_precios AS p;
