-- SQL-Ledger's parts, services and sets. A part is stock where it has an account for it: of what is put
-- together (assembly, kit) only the parts are.
SELECT
    p.id AS id_producto,
    nullif(p.partnumber, '') AS codigo,
    coalesce(nullif(p.description, ''), p.partnumber) AS nombre,
    g.partsgroup AS categoria,
    p.inventory_accno_id IS NOT NULL AS inventariable,
    p.obsolete IS NOT TRUE AS activo,
    p.xmin AS version_1,
    g.xmin AS version_2
FROM public.parts AS p
LEFT JOIN public.partsgroup AS g ON g.id = p.partsgroup_id
