-- What no run carries though nobody meant it, by type.
SELECT f.motivo, f.tipo, f.movimientos, count(*) OVER () AS total
FROM dw.v_fuera_de_alcance AS f
ORDER BY f.movimientos DESC, f.tipo
LIMIT %(limite)s;
