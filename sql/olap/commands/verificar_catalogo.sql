-- Proof, of what the OLAP copies from the shop beside the ledger: its catalogue, its branches and its
-- documents. The client compares.

CREATE OR REPLACE VIEW etl.v_catalogo AS
-- Columns and types as sql/oltp/huella_catalogo.sql and huella_sucursales.sql have them.
SELECT
    'productos' AS consulta,
    p.id_producto AS numero,
    record_send(ROW(
        p.id_producto, textsend(p.codigo), textsend(p.nombre), textsend(nullif(p.categoria, 'Sin categoría')),
        textsend(p.proveedor), p.inventariable, p.activo, round(p.costo_catalogo, 6), textsend(p.clave)
    )) AS contenido,
    coalesce(p.clave, nullif(btrim(p.codigo), ''), p.id_producto::text) AS nombrado
FROM dw.producto AS p
-- Of one that left the catalogue, or only has an opening, the shop says nothing.
WHERE p.vigente
UNION ALL
SELECT
    'sucursales', s.id_sucursal, record_send(ROW(s.id_sucursal, textsend(s.nombre), textsend(s.clave))),
    coalesce(s.clave, s.id_sucursal::text)
FROM dw.sucursal AS s;
COMMENT ON VIEW etl.v_catalogo IS
    'Lo que se copió de productos.sql y de sucursales.sql, para compararlo: de los productos, los vigentes';

CREATE OR REPLACE FUNCTION etl.sumar_catalogo(p_rapida boolean) RETURNS text
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT count(*) || '-' || coalesce(sum(etl.huella(c.contenido, NULL, p_rapida)), 0)
FROM etl.v_catalogo AS c
WHERE c.consulta = 'productos'
$$;
COMMENT ON FUNCTION etl.sumar_catalogo(boolean) IS
    'Cuántos productos vigentes hay y la suma de sus huellas, rápidas o de md5';
SELECT etl.conceder('EXECUTE', 'etl.sumar_catalogo(boolean)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.verificar_catalogo(p_consulta text, p_rapida boolean)
RETURNS TABLE (numero bigint, huella bigint, nombrado text)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.numero, etl.huella(c.contenido, NULL, p_rapida), c.nombrado
FROM etl.v_catalogo AS c
WHERE c.consulta = p_consulta
$$;
COMMENT ON FUNCTION etl.verificar_catalogo(text, boolean) IS
    'La huella de cada producto vigente, o de cada sucursal, y cómo se llama';
SELECT etl.conceder('EXECUTE', 'etl.verificar_catalogo(text, boolean)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.huella_de_documento(d dw.documento_movimiento, p_rapida boolean) RETURNS bigint
-- STABLE, as textsend() is: else it is not written into what asks, and takes ten times as long.
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT etl.huella(record_send(ROW(
    d.id_movimiento, d.id_documento, textsend(d.documento), textsend(d.clave), textsend(d.clave_documento)
)), NULL, p_rapida)
$$;
COMMENT ON FUNCTION etl.huella_de_documento(dw.documento_movimiento, boolean) IS
    'Huella de lo que se sabe del documento de un movimiento';

CREATE OR REPLACE FUNCTION etl.verificar_documentos(p_desde timestamptz, p_limites bigint[], p_rapida boolean)
RETURNS TABLE (bloque integer, huella numeric)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT width_bucket(c.id_movimiento, p_limites), sum(etl.huella_de_documento(d, p_rapida))
FROM etl.v_contenido AS c
INNER JOIN dw.documento_movimiento AS d ON d.id_movimiento = c.id_movimiento
WHERE c.fecha IS NULL OR c.fecha >= p_desde
GROUP BY 1
$$;
COMMENT ON FUNCTION etl.verificar_documentos(timestamptz, bigint[], boolean) IS
    'Suma de las huellas de los documentos de lo que da etl.verificar_bloques(), por los mismos bloques';
SELECT etl.conceder('EXECUTE', 'etl.verificar_documentos(timestamptz, bigint[], boolean)', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.huellas_de_documentos(p_movimientos bigint[], p_rapida boolean)
RETURNS TABLE (id_movimiento bigint, huella bigint)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT d.id_movimiento, etl.huella_de_documento(d, p_rapida)
FROM dw.documento_movimiento AS d
WHERE d.id_movimiento = ANY (p_movimientos)
$$;
COMMENT ON FUNCTION etl.huellas_de_documentos(bigint[], boolean) IS
    'La huella del documento de cada uno de esos movimientos que lo tenga';
SELECT etl.conceder('EXECUTE', 'etl.huellas_de_documentos(bigint[], boolean)', 'etl_cargador');
