-- What was booked so that the stock is the shop's own; no row where nothing was.
SELECT ajustes, ajustes_productos, ajustes_valor, ajustes_desde, ajustes_hasta
FROM dw.mv_datos_al
WHERE ajustes > 0;
