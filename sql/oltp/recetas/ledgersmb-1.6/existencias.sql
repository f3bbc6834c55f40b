-- What LedgerSMB has on hand, without what its drafts have moved already.
SELECT
    p.id AS id_producto,
    p.onhand + coalesce(borrador.cantidad, 0) AS existencias
FROM public.parts AS p
LEFT JOIN (
    SELECT
        i.parts_id,
        sum(i.qty) AS cantidad
    FROM public.invoice AS i
    WHERE EXISTS (SELECT 1 FROM public.ar AS v WHERE v.id = i.trans_id AND v.approved IS NOT TRUE)
        OR EXISTS (SELECT 1 FROM public.ap AS c WHERE c.id = i.trans_id AND c.approved IS NOT TRUE)
    GROUP BY i.parts_id
) AS borrador ON borrador.parts_id = p.id
WHERE p.inventory_accno_id IS NOT NULL OR p.assembly
