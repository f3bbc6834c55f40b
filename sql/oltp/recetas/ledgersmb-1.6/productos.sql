-- LedgerSMB's parts, services and kits. A part is stock where it has an account for it. Its number
-- can be used again for another once the part is obsolete, so the product is the id.
SELECT
    p.id AS id_producto,
    nullif(p.partnumber, '') AS codigo,
    coalesce(nullif(p.description, ''), p.partnumber) AS nombre,
    g.partsgroup AS categoria,
    p.inventory_accno_id IS NOT NULL OR p.assembly AS inventariable,
    NOT coalesce(p.obsolete, false) AS activo,
    p.xmin AS version_1,
    g.xmin AS version_2
FROM public.parts AS p
LEFT JOIN public.partsgroup AS g ON g.id = p.partsgroup_id
