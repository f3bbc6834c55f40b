-- The dashboards' account and its role; no row where the account does not exist.
SELECT
    u.rolcanlogin AS entra,
    u.rolsuper AS superusuario,
    coalesce(pg_has_role(u.oid, r.oid, 'USAGE'), false) AS miembro
FROM pg_roles AS u
LEFT JOIN pg_roles AS r ON r.rolname = 'bi_lector'
WHERE u.rolname = %(user)s
