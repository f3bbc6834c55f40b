-- verify's read of sucursales.sql: as that of productos.sql, of each branch.
SELECT
    c.id_sucursal,
    min(c.huella) AS huella,
    bool_or(c.pendiente) AS pendiente,
    min(c.nombrado) AS nombrado
FROM (
    SELECT v.id_sucursal, {fingerprint} AS huella, v.pendiente, v.nombrado
    FROM (
        SELECT
            m.id_sucursal::bigint AS id_sucursal,
            coalesce({nombre}, textsend('Sucursal ') || coalesce({clave}, textsend(m.id_sucursal::text))) AS nombre,
            {clave} AS clave,
            coalesce({own}, m.id_sucursal::text) AS nombrado,
            coalesce({pending}, false) AS pendiente
        FROM (
{query}
        ) AS m
        WHERE m.id_sucursal IS NOT NULL
        OFFSET 0
    ) AS v
) AS c
GROUP BY c.id_sucursal
