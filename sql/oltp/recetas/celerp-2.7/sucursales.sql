-- Celerp's locations, of the first company.
SELECT
    u.id::text AS id_sucursal,
    u.name AS nombre,
    u.xmin AS version_1
FROM public.locations AS u
WHERE u.company_id = (SELECT c.id FROM public.companies AS c ORDER BY c.created_at, c.id LIMIT 1)
