-- verify's read of productos.sql: of each product a fingerprint of what the OLAP copies, made as
-- etl.v_catalogo has it, what it is called, and whether some row of it is so new that it only comes
-- with the next window. Texts are bytes in UTF-8; the name that a missing category has in the OLAP is
-- as good as none.
SELECT
    c.id_producto,
    min(c.huella) AS huella,
    bool_or(c.pendiente) AS pendiente,
    min(c.nombrado) AS nombrado
FROM (
    SELECT
        v.id_producto,
        {fingerprint} AS huella,
        v.pendiente,
        v.nombrado
    FROM (
        SELECT
            m.id_producto::bigint AS id_producto,
            {codigo} AS codigo,
            {nombre} AS nombre,
            nullif({categoria}, decode('53696e2063617465676f72c3ad61', 'hex')) AS categoria,
            {proveedor} AS proveedor,
            coalesce({inventariable}::boolean, true) AS inventariable,
            coalesce({activo}::boolean, true) AS activo,
            CASE
                WHEN {costo_referencia}::numeric > 0 AND {costo_referencia}::numeric < 1e11
                    THEN nullif(round({costo_referencia}::numeric, 6), 0)
            END AS costo,
            {clave} AS clave,
            coalesce({own}, nullif(btrim(m.codigo::text), ''), m.id_producto::text) AS nombrado,
            coalesce({pending}, false) AS pendiente
        FROM (
{query}
        ) AS m
        WHERE m.id_producto IS NOT NULL
        OFFSET 0
    ) AS v
) AS c
GROUP BY c.id_producto
