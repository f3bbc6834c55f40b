-- What each branch has; nothing where there is one branch alone. Nothing here asks for the pace at
-- which it sells, so that the planner leaves it out.
WITH suma AS (
    SELECT
        r.id_sucursal, r.sucursal,
        coalesce(sum(r.valor) FILTER (WHERE r.existencias > 0), 0) AS valor,
        count(*) FILTER (WHERE r.existencias > 0) AS con_existencias,
        count(*) FILTER (WHERE r.existencias = 0) AS sin_existencias,
        count(*) FILTER (WHERE r.existencias < 0) AS bajo_cero,
        count(*) OVER () AS total
    FROM dw.v_reposicion_sucursal AS r
    GROUP BY r.id_sucursal, r.sucursal
)
SELECT s.* FROM suma AS s WHERE s.total > 1 ORDER BY s.valor DESC, s.id_sucursal LIMIT %(limite)s;
