-- Whether the shop has a branch 0, and documents without a branch beside it.
SELECT EXISTS (
    SELECT FROM (
{branches}
    ) AS s
    WHERE s.id_sucursal = 0
) AND EXISTS (
    SELECT FROM (
{movements}
    ) AS m
    WHERE m.id_sucursal IS NULL
)
