-- What an OLAP of version 6 had and one of today has not: pages without room, a free receipt without
-- a mark, an index for notices that names the cost. Run on an OLAP of today it makes one that init
-- upgrades.
UPDATE dw.kardex SET salto_costo = CASE WHEN costo_unitario > 0 THEN 0 END WHERE salto_costo <= 0.000001;
ALTER TABLE dw.kardex RESET (fillfactor);
DROP INDEX dw.kardex_avisos;
CREATE INDEX kardex_avisos ON dw.kardex (id_producto, fecha)
    WHERE tipo = 'ENTRADA_MERCANCIA' AND (costo_unitario = 0 OR salto_costo IS NOT NULL);
ALTER TABLE dw.resumen_diario RESET (fillfactor);
ALTER TABLE dw.resumen_mensual RESET (fillfactor);
DROP VIEW dw.v_saltos_costo;
CREATE VIEW dw.v_saltos_costo AS
SELECT
    k.id_movimiento, k.id_producto, p.codigo, p.nombre, p.categoria, k.fecha, k.cantidad,
    k.costo_unitario, round(k.costo_unitario / k.salto_costo, 6) AS costo_promedio_anterior,
    k.salto_costo AS veces
FROM dw.kardex AS k
INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
WHERE k.tipo = 'ENTRADA_MERCANCIA' AND k.salto_costo IS NOT NULL;
-- As it was then.
CREATE FUNCTION etl.valorizar_parte(p_factor numeric, p_parte bigint) RETURNS SETOF etl.repeticion
LANGUAGE sql AS 'SELECT * FROM etl.repeticion';
UPDATE etl.control SET esquema = 6;
