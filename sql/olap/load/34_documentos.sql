-- The documents that movements are lines of: which lines they lost, and what is kept of them.

CREATE OR REPLACE FUNCTION etl.lineas_de_documentos(p_documentos bigint[])
RETURNS TABLE (id_movimiento bigint, clave text)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT d.id_movimiento, d.clave FROM dw.documento_movimiento AS d WHERE d.id_documento = ANY (p_documentos)
$$;
COMMENT ON FUNCTION etl.lineas_de_documentos(bigint[]) IS
    'Los movimientos que el OLAP tiene de esos documentos';
SELECT etl.conceder('EXECUTE', 'etl.lineas_de_documentos(bigint[])', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.documentos_de_movimientos(p_movimientos bigint[])
RETURNS TABLE (id_movimiento bigint, id_documento bigint, clave_documento text)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT d.id_movimiento, d.id_documento, d.clave_documento
FROM dw.documento_movimiento AS d
WHERE d.id_movimiento = ANY (p_movimientos) AND d.id_documento IS NOT NULL
$$;
COMMENT ON FUNCTION etl.documentos_de_movimientos(bigint[]) IS
    'De qué documento es cada uno de esos movimientos, si se sabe';
SELECT etl.conceder('EXECUTE', 'etl.documentos_de_movimientos(bigint[])', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.lineas_que_faltan(p_extracto jsonb) RETURNS bigint[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_cerrado timestamptz := etl.cerrado_hasta();
BEGIN
    IF NOT (p_extracto ->> 'imagen_completa')::boolean THEN
        RETURN ARRAY(
            SELECT v.id::bigint
            FROM jsonb_array_elements_text(
                coalesce(nullif(p_extracto -> 'lineas_borradas', 'null'), '[]')
            ) AS v (id)
        );
    ELSIF v_cerrado = '-infinity' THEN
        RETURN '{}';
    END IF;
    -- Of a complete image what is open leaves in any case.
    RETURN ARRAY(
        SELECT d.id_movimiento
        FROM dw.documento_movimiento AS d
        WHERE d.id_documento IN (SELECT e.id_documento FROM etl.etapa AS e)
            AND NOT EXISTS (SELECT FROM etl.etapa AS e WHERE e.id_movimiento = d.id_movimiento)
            AND NOT (
                SELECT etl.puede_irse(k.fecha_documento, k.capa, v_cerrado)
                FROM dw.kardex AS k
                WHERE k.id_movimiento = d.id_movimiento
                ORDER BY k.capa DESC
                LIMIT 1
            )
    );
END
$$;
COMMENT ON FUNCTION etl.lineas_que_faltan(jsonb) IS
    'Los movimientos que su documento, que se leyó, ya no tiene; de una imagen completa, los que sin eso quedarían archivados';

CREATE OR REPLACE FUNCTION etl.dar_de_baja_lineas(p_lineas bigint[]) RETURNS void
LANGUAGE sql
AS $$
-- A correction moves what both do: see etl.anotar_atrasadas().
UPDATE etl.etapa AS e SET atrasada = true
WHERE cardinality(p_lineas) > 0 AND EXISTS (SELECT FROM dw.ajuste_existencias)
    AND e.id_documento IN (
        SELECT d.id_documento FROM dw.documento_movimiento AS d WHERE d.id_movimiento = ANY (p_lineas)
    )
    AND (SELECT true FROM dw.kardex AS k WHERE k.id_movimiento = e.id_movimiento LIMIT 1) IS NULL;

-- As etl.clasificar() finds what was read: of what is closed, the last, which is reversed.
INSERT INTO etl.baja
SELECT k.*, false
FROM unnest(p_lineas) AS v (id_movimiento)
CROSS JOIN LATERAL (
    SELECT * FROM dw.kardex AS f
    WHERE f.id_movimiento = v.id_movimiento AND (
        f.fecha >= etl.cerrado_hasta()
        OR NOT EXISTS (
            SELECT FROM dw.kardex AS g
            WHERE g.id_movimiento = f.id_movimiento AND g.capa = f.capa + 1
                AND g.fecha < etl.cerrado_hasta()
        )
    )
    OFFSET 0
) AS k
$$;
COMMENT ON FUNCTION etl.dar_de_baja_lineas(bigint[]) IS
    'Lo que un documento ya no tiene sale del kardex o, si está cerrado, se reversa; anota lo que hay en su lugar';

CREATE OR REPLACE FUNCTION etl.contar_reescritas() RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM dw.documento_movimiento) THEN
        RETURN 0;
    END IF;
    RETURN (
        SELECT coalesce(sum(least(v.lineas, n.lineas)), 0)
        FROM (
            SELECT d.id_documento, count(*) AS lineas
            FROM etl.salidas() AS s
            CROSS JOIN LATERAL (
                SELECT a.id_documento FROM dw.documento_movimiento AS a
                WHERE a.id_movimiento = s.id_movimiento
                OFFSET 0
            ) AS d
            WHERE s.motivo = 'quitada'
            GROUP BY d.id_documento
        ) AS v
        INNER JOIN (
            SELECT e.id_documento, count(*) AS lineas
            FROM etl.etapa AS e
            WHERE NOT EXISTS (SELECT FROM etl.baja AS b WHERE b.id_movimiento = e.id_movimiento)
                AND NOT EXISTS (SELECT FROM etl.cerrada AS c WHERE c.id_movimiento = e.id_movimiento)
            GROUP BY e.id_documento
        ) AS n ON n.id_documento = v.id_documento
    );
END
$$;
COMMENT ON FUNCTION etl.contar_reescritas() IS
    'De lo que esta carga quita porque el OLTP ya no lo tiene, aquello en cuyo lugar su documento trae otros renglones: una corrección';

CREATE OR REPLACE FUNCTION etl.anotar_documentos() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM etl.etapa AS e WHERE coalesce(e.clave, e.documento, e.id_documento::text) IS NOT NULL
    ) AND NOT EXISTS (SELECT FROM dw.documento_movimiento) THEN
        RETURN;
    END IF;
    INSERT INTO dw.documento_movimiento AS d (id_movimiento, id_documento, documento, clave, clave_documento)
    SELECT e.id_movimiento, e.id_documento, e.documento, e.clave, e.clave_documento
    FROM etl.etapa AS e
    LEFT JOIN etl.descarte AS x ON x.id_movimiento = e.id_movimiento
    -- What is out of scope and nowhere listed is not kept.
    WHERE coalesce(e.clave, e.documento, e.id_documento::text) IS NOT NULL
        AND (
            x.fuera IS NULL
            OR EXISTS (SELECT FROM etl.fuera_de_alcance AS f WHERE f.id_movimiento = e.id_movimiento)
            OR (SELECT true FROM dw.documento_movimiento AS a WHERE a.id_movimiento = e.id_movimiento)
        )
    ON CONFLICT (id_movimiento) DO UPDATE
    SET id_documento = excluded.id_documento, documento = excluded.documento, clave = excluded.clave,
        clave_documento = excluded.clave_documento
    WHERE (d.id_documento, d.documento, d.clave, d.clave_documento)
        IS DISTINCT FROM (excluded.id_documento, excluded.documento, excluded.clave, excluded.clave_documento);

    DELETE FROM dw.documento_movimiento AS d
    WHERE d.id_movimiento = ANY (ARRAY(
        SELECT e.id_movimiento
        FROM etl.etapa AS e
        WHERE coalesce(e.clave, e.documento, e.id_documento::text) IS NULL
            AND (SELECT true FROM dw.documento_movimiento AS a WHERE a.id_movimiento = e.id_movimiento)
    ));
END
$$;
COMMENT ON FUNCTION etl.anotar_documentos() IS
    'Deja en dw.documento_movimiento el documento de cada renglón leído, cambiado o no';

CREATE OR REPLACE FUNCTION etl.olvidar_documentos(p_lineas bigint[], p_completa boolean) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM dw.documento_movimiento) THEN
        RETURN;
    END IF;
    IF p_completa THEN
        DELETE FROM dw.documento_movimiento AS d
        WHERE NOT EXISTS (SELECT FROM dw.kardex AS k WHERE k.id_movimiento = d.id_movimiento)
            AND NOT EXISTS (SELECT FROM etl.rechazo AS r WHERE r.id_movimiento = d.id_movimiento)
            AND NOT EXISTS (SELECT FROM etl.fuera_de_alcance AS f WHERE f.id_movimiento = d.id_movimiento);
        RETURN;
    END IF;
    -- Row by row, since a join would take all of the ledger: see etl.preparar_carga().
    DELETE FROM dw.documento_movimiento AS d
    WHERE d.id_movimiento = ANY (ARRAY(
            SELECT b.id_movimiento FROM etl.baja AS b
            UNION
            SELECT x.id_movimiento FROM etl.descarte AS x
            UNION
            SELECT unnest(p_lineas)
        ))
        AND (SELECT true FROM dw.kardex AS k WHERE k.id_movimiento = d.id_movimiento LIMIT 1) IS NULL
        AND (SELECT true FROM etl.rechazo AS r WHERE r.id_movimiento = d.id_movimiento) IS NULL
        AND (SELECT true FROM etl.fuera_de_alcance AS f WHERE f.id_movimiento = d.id_movimiento) IS NULL;
END
$$;
COMMENT ON FUNCTION etl.olvidar_documentos(bigint[], boolean) IS
    'Quita de dw.documento_movimiento lo que ya no está en ninguna parte: de lo que esta carga sacó o, de una imagen completa, de todo';
