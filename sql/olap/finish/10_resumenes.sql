-- The sums of what is loaded, where a migration asked for them.

SELECT etl.recalcular_resumenes(c.zona, (c.hasta AT TIME ZONE c.zona)::date)
FROM etl.control AS c
WHERE current_setting('etl.sumar_de_nuevo', true) = 'true' AND EXISTS (SELECT FROM dw.kardex);
