-- Until when the data reach, and which day that is in the shop's zone.
SELECT datos_al, dia, zona FROM dw.mv_datos_al;
