-- What a window asks to find out what of the open ledger the OLTP has no more.

CREATE OR REPLACE VIEW etl.v_borrable AS
SELECT k.id_movimiento
FROM dw.kardex AS k
-- OFFSET 0: else it is asked for each row.
CROSS JOIN (SELECT etl.cerrado_hasta() AS hasta OFFSET 0) AS c
-- What no OLTP has does not leave for that.
WHERE etl.puede_irse(k.fecha_documento, k.capa, c.hasta) AND NOT etl.es_ajuste(k.id_movimiento)
UNION ALL
SELECT r.id_movimiento FROM etl.rechazo AS r;
COMMENT ON VIEW etl.v_borrable IS
    'Los movimientos que salen del OLAP si el OLTP ya no los tiene: los del kardex que no están cerrados, y los rechazos';

CREATE OR REPLACE FUNCTION etl.numeros_por_bloque(p_limites bigint[])
RETURNS TABLE (bloque integer, filas bigint, suma numeric)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT width_bucket(b.id_movimiento, p_limites), count(*), sum(hashint8(b.id_movimiento))::numeric
FROM etl.v_borrable AS b
GROUP BY 1
$$;
COMMENT ON FUNCTION etl.numeros_por_bloque(bigint[]) IS
    'Cuántos movimientos borrables hay en cada bloque de números de etl.bloques(), y la suma de sus huellas';
SELECT etl.conceder('EXECUTE', 'etl.numeros_por_bloque(bigint[])', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.numeros_de_bloques(p_limites bigint[], p_bloques integer[])
RETURNS SETOF bigint
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT b.id_movimiento
FROM etl.v_borrable AS b
WHERE width_bucket(b.id_movimiento, p_limites) = ANY (p_bloques)
$$;
COMMENT ON FUNCTION etl.numeros_de_bloques(bigint[], integer[]) IS
    'Los movimientos borrables de esos bloques';
SELECT etl.conceder('EXECUTE', 'etl.numeros_de_bloques(bigint[], integer[])', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.numeros_fuera() RETURNS TABLE (id_movimiento bigint, clave text)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT f.id_movimiento, d.clave
FROM etl.fuera_de_alcance AS f
LEFT JOIN dw.documento_movimiento AS d ON d.id_movimiento = f.id_movimiento
$$;
COMMENT ON FUNCTION etl.numeros_fuera() IS
    'Los movimientos fuera del alcance de los que se avisa, cada uno con la clave que le da la tienda: los que ella borró dejan de avisarse';
SELECT etl.conceder('EXECUTE', 'etl.numeros_fuera()', 'etl_cargador');
