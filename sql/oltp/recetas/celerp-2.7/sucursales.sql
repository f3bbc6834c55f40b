-- Celerp's locations, of the first company, and one for what is at none.
SELECT
    u.id::text AS id_sucursal,
    u.name AS nombre,
    u.xmin AS version_1
FROM public.locations AS u
WHERE u.company_id = (SELECT c.id FROM public.companies AS c ORDER BY c.created_at, c.id LIMIT 1)
UNION ALL
SELECT
    'sin-lugar',
    'Sin lugar',
    c.xmin
FROM public.companies AS c
WHERE c.id = (SELECT e.id FROM public.companies AS e ORDER BY e.created_at, e.id LIMIT 1)
