-- Which Medusa the shop runs. Its database does not say so; the names of its migrations, which begin with
-- their time, do. A module of the shop's own has some as well: one that is younger than Medusa's is
-- told here as another version, until it is named in the list of propias, in a copy of this recipe.
-- It wants this beside:
-- ETL_PRICES_INCLUDE_TAX=false
SELECT
    'Medusa' AS sistema,
    CASE
        WHEN max(m.name) = 'Migration20260911115931' THEN '2.21'
        ELSE coalesce(
            string_agg(m.name, ', ' ORDER BY m.name) FILTER (
                WHERE m.name > 'Migration20260911115931'
            ),
            max(m.name)
        )
    END AS version,
    '2.21' AS probadas
FROM public.mikro_orm_migrations AS m
WHERE m.name NOT IN (
    -- propias
    ''
)
