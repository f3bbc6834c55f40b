-- verify: the hash of some bytes, by the OLTP and by the OLAP: only where both make the same,
-- whatever their versions and processors, are hashes compared, else md5.
SELECT string_agg(({fingerprint})::text, ' ' ORDER BY c.contenido)
FROM (
    SELECT record_send(ROW(n.n, 'VENTA'::text, NULL::bigint, round(n.n / 7.0, 6))) AS contenido
    FROM generate_series(1::bigint, 40) AS n (n)
) AS c
