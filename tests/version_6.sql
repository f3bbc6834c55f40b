-- What an OLAP of version 6 had and one of today has not: pages without room, a free receipt without
-- a mark, an index for notices that names the cost. Run on an OLAP of today it makes one that init
-- upgrades.
DO $$
DECLARE
    v_tabla regclass;
    v_nombre text;
BEGIN
    FOR v_tabla, v_nombre IN
        SELECT t.tabla, c.relname FROM etl.v_tabla_kardex AS t INNER JOIN pg_class AS c ON c.oid = t.tabla
    LOOP
        EXECUTE format(
            'UPDATE ONLY %s SET salto_costo = CASE WHEN costo_unitario > 0 THEN 0 END'
            ' WHERE salto_costo <= 0.000001',
            v_tabla
        );
        EXECUTE format('ALTER TABLE %s RESET (fillfactor)', v_tabla);
        EXECUTE format('DROP INDEX dw.%I', v_nombre || '_avisos');
        EXECUTE format(
            'CREATE INDEX %I ON %s (id_producto, fecha) WHERE tipo = ''ENTRADA_MERCANCIA'''
            ' AND (costo_unitario = 0 OR salto_costo IS NOT NULL)',
            v_nombre || '_avisos', v_tabla
        );
    END LOOP;
END
$$;
ALTER TABLE dw.resumen_diario RESET (fillfactor);
ALTER TABLE dw.resumen_mensual RESET (fillfactor);
CREATE OR REPLACE VIEW dw.v_saltos_costo AS
SELECT
    k.id_movimiento, k.id_producto, p.codigo, p.nombre, p.categoria, k.fecha, k.cantidad,
    k.costo_unitario, round(k.costo_unitario / k.salto_costo, 6) AS costo_promedio_anterior,
    k.salto_costo AS veces
FROM dw.kardex AS k
INNER JOIN dw.producto AS p ON p.id_producto = k.id_producto
WHERE k.tipo = 'ENTRADA_MERCANCIA' AND k.salto_costo IS NOT NULL;
-- Until a loop took its place, the aggregate valued what is valued again.
CREATE FUNCTION etl.valorizar_parte(p_factor numeric, p_parte bigint) RETURNS SETOF etl.repeticion
LANGUAGE sql AS 'SELECT * FROM etl.repeticion';
UPDATE etl.control SET esquema = 6;
