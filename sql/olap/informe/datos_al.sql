-- Until when the data reach, which day that is in the shop's zone, and whether the tax is known.
SELECT datos_al, dia, zona, impuesto_dicho FROM dw.mv_datos_al;
