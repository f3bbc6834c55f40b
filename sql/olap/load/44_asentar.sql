-- What is closed stays: what of it was read otherwise, or not at all, and what corrects it.

CREATE OR REPLACE FUNCTION etl.puede_irse(p_documento timestamptz, p_capa smallint, p_cerrado timestamptz)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT p_documento >= p_cerrado AND p_capa = 0
$$;
COMMENT ON FUNCTION etl.puede_irse(timestamptz, smallint, timestamptz) IS
    'Si un movimiento que el OLTP ya no tiene sale del kardex; si no, está archivado: es de un período cerrado, o corrige uno';

CREATE OR REPLACE FUNCTION etl.apartar_cerradas(p_cerrado timestamptz) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    -- A product that is archived takes nothing of what is closed with it; one that a correction names is
    -- not known.
    v_archivados bigint[] := ARRAY(
        SELECT b.id_movimiento
        FROM (
            SELECT DISTINCT ON (f.id_movimiento)
                f.id_movimiento, f.id_producto, f.reverso,
                min(f.fecha) OVER (PARTITION BY f.id_movimiento) AS primera
            FROM etl.baja AS f
            INNER JOIN etl.descarte AS d
                ON d.id_movimiento = f.id_movimiento AND d.motivo = 'producto desconocido'
            ORDER BY f.id_movimiento, f.capa DESC
        ) AS b
        INNER JOIN etl.etapa AS e ON e.id_movimiento = b.id_movimiento AND e.id_producto = b.id_producto
        WHERE b.primera < p_cerrado AND NOT b.reverso
    );
BEGIN
    DELETE FROM etl.etapa AS e WHERE e.id_movimiento = ANY (v_archivados);
    DELETE FROM etl.descarte AS d WHERE d.id_movimiento = ANY (v_archivados);
    DELETE FROM etl.baja AS b WHERE b.id_movimiento = ANY (v_archivados);

    INSERT INTO etl.cerrada SELECT * FROM etl.baja AS b WHERE b.fecha < p_cerrado AND NOT b.igual;
    DELETE FROM etl.baja AS b WHERE b.fecha < p_cerrado AND NOT b.igual;
    -- The reversal of a closed row stays, where the ledger opens, as long as that row says something
    -- else; and if it says the same, all goes that had corrected it.
    UPDATE etl.baja AS b
    SET igual = (b.igual OR b.reverso AND b.orden = t.orden AND b.fecha = p_cerrado) AND EXISTS (
        SELECT FROM etl.cerrada AS c
        WHERE c.id_movimiento = b.id_movimiento
            AND b.capa = c.capa + CASE WHEN c.reverso OR b.reverso THEN 1 ELSE 2 END
            -- As etl.asentar() makes it: who changed one by hand gets another from a rebuild.
            AND (NOT b.reverso OR (
                b.id_producto, b.tipo, b.fecha_documento, b.cantidad, b.precio_unitario, b.costo_unitario, b.importe,
                b.id_origen, b.de_todo, b.impuesto, b.precio_con_impuesto, b.id_sucursal, b.id_sucursal_destino
            ) IS NOT DISTINCT FROM (
                c.id_producto, c.tipo, c.fecha_documento, c.cantidad, c.precio_unitario, c.costo_unitario, c.importe,
                c.id_origen, c.de_todo, c.impuesto, c.precio_con_impuesto,
                coalesce(c.id_sucursal_destino, c.id_sucursal),
                CASE WHEN c.id_sucursal_destino IS NOT NULL THEN c.id_sucursal END
            ))
    )
    FROM dw.tipo_movimiento AS t
    WHERE t.tipo = b.tipo AND b.capa > 0 AND b.fecha >= p_cerrado;
END
$$;
COMMENT ON FUNCTION etl.apartar_cerradas(timestamptz) IS
    'Saca de etl.baja lo cerrado: lo que difiere de lo leído pasa a etl.cerrada; y dice qué queda de lo que ya lo corregía';

CREATE OR REPLACE VIEW etl.v_por_reversar AS
SELECT c.*
FROM etl.cerrada AS c
LEFT JOIN LATERAL (
    SELECT f.id_movimiento, f.capa FROM dw.kardex AS f
    WHERE f.id_movimiento = c.id_movimiento AND f.capa = c.capa + 1
    OFFSET 0
) AS k ON true
LEFT JOIN etl.baja AS b ON b.id_movimiento = k.id_movimiento AND b.capa = k.capa AND NOT b.igual
WHERE NOT c.reverso AND (k.id_movimiento IS NULL OR b.id_movimiento IS NOT NULL);
COMMENT ON VIEW etl.v_por_reversar IS 'Las filas cerradas que esta carga reversa';

CREATE OR REPLACE FUNCTION etl.asentar(p_cerrado timestamptz) RETURNS void
LANGUAGE sql
AS $$
UPDATE etl.etapa AS e
SET fecha = greatest(e.fecha, p_cerrado),
    fecha_documento = e.fecha,
    capa = coalesce(c.capa + CASE WHEN c.reverso THEN 1 ELSE 2 END, 0)
FROM etl.etapa AS o
LEFT JOIN etl.cerrada AS c ON c.id_movimiento = o.id_movimiento
WHERE o.id_movimiento = e.id_movimiento AND (o.fecha < p_cerrado OR c.id_movimiento IS NOT NULL);

INSERT INTO etl.etapa (
    id_movimiento, tipo, id_producto, id_sucursal, cantidad, precio_unitario, costo_unitario, fecha,
    id_origen, id_sucursal_destino, importe, impuesto, precio_con_impuesto, fecha_documento, capa, reverso
)
SELECT
    c.id_movimiento, c.tipo, c.id_producto,
    -- A transfer goes back the way it came.
    CASE WHEN NOT c.de_todo IS TRUE THEN coalesce(c.id_sucursal_destino, c.id_sucursal) END,
    c.cantidad, c.precio_unitario, c.costo_unitario, p_cerrado, c.id_origen,
    CASE WHEN c.id_sucursal_destino IS NOT NULL THEN c.id_sucursal END,
    c.importe, c.impuesto, c.precio_con_impuesto, c.fecha_documento, c.capa + 1, true
FROM etl.v_por_reversar AS c
$$;
COMMENT ON FUNCTION etl.asentar(timestamptz) IS
    'Lo que entra de un período cerrado, o corrige una fila cerrada, se asienta desde donde está abierto, tras el reverso de esa fila';

CREATE OR REPLACE VIEW etl.v_reversada AS
SELECT k.id_movimiento, k.capa - 1 AS capa
FROM dw.kardex AS k
WHERE k.reverso AND NOT EXISTS (
    SELECT FROM etl.baja AS b WHERE b.id_movimiento = k.id_movimiento AND b.capa = k.capa
)
UNION ALL
SELECT e.id_movimiento, e.capa - 1 FROM etl.etapa AS e WHERE e.reverso;
COMMENT ON VIEW etl.v_reversada IS 'Las filas del kardex que, con esta carga, tienen su reverso';
