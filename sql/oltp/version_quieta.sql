-- A row version that may be none: one of its values, whether it has another, and how many rows
-- there are, up to those that tell something.
SELECT
    v.version::text,
    EXISTS (
        SELECT 1
        FROM (
{query}
        ) AS m
        WHERE m.{column} <> v.version
    ),
    (
        SELECT count(*)
        FROM (
            SELECT 1
            FROM (
{query}
            ) AS m
            LIMIT {enough}
        ) AS f
    )
FROM (
    SELECT m.{column} AS version
    FROM (
{query}
    ) AS m
    WHERE m.{column} IS NOT NULL
    LIMIT 1
) AS v
