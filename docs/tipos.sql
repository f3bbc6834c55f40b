-- What each type of movement is and does, in the order in which those of one date are valued.
SELECT
    t.tipo, t.descripcion, t.regla, t.orden, t.clase, t.clase_con_costo,
    t.tipo_si_negativa, t.sunat, t.sunat_con_costo, t.sunat_destino
FROM dw.tipo_movimiento AS t
ORDER BY t.orden, t.signo = 0, t.tipo_si_negativa IS NULL, t.tipo DESC
