-- What SQL-Ledger has on hand. What is in assemblies that are put together counts as their parts, and
-- what was sold before it was put together (below zero) is taken off them.
SELECT
    p.id AS id_producto,
    p.onhand::numeric + coalesce(armado.cantidad, 0) AS existencias
FROM public.parts AS p
LEFT JOIN (
    WITH RECURSIVE piezas AS (
        SELECT
            a.parts_id,
            k.onhand::numeric * a.qty::numeric AS cantidad
        FROM public.parts AS k
        INNER JOIN public.assembly AS a ON a.aid = k.id
        WHERE k.assembly AND k.onhand <> 0
        UNION ALL
        SELECT
            a.parts_id,
            z.cantidad * a.qty::numeric
        FROM piezas AS z
        INNER JOIN public.parts AS k ON k.id = z.parts_id AND k.assembly
        INNER JOIN public.assembly AS a ON a.aid = k.id
    )
    SELECT
        z.parts_id,
        sum(z.cantidad) AS cantidad
    FROM piezas AS z
    GROUP BY z.parts_id
) AS armado ON armado.parts_id = p.id
WHERE p.inventory_accno_id IS NOT NULL
