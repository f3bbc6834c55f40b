-- What no run carries though nobody meant it, for the dashboard of health.

CREATE OR REPLACE VIEW dw.v_fuera_de_alcance AS
SELECT
    CASE u.fuera WHEN 'tipo' THEN 'tipo desconocido' ELSE 'fecha anterior' END AS motivo,
    u.tipo,
    sum(u.movimientos)::bigint AS movimientos,
    max(u.hasta) AS ultima_hasta
FROM (
    SELECT f.fuera, f.tipo, 1::bigint AS movimientos, f.hasta
    FROM etl.fuera_de_alcance AS f
    CROSS JOIN etl.control AS c
    LEFT JOIN dw.apertura AS a ON a.id_producto = f.id_producto
    -- Earlier history, or another opening, may have taken it in since.
    WHERE f.fuera = 'tipo' OR f.fecha < c.desde_inicial OR f.fecha < a.fecha
    UNION ALL
    SELECT s.fuera, s.tipo, s.movimientos, NULL FROM etl.fuera_sin_lista AS s
) AS u
GROUP BY u.fuera, u.tipo;
COMMENT ON VIEW dw.v_fuera_de_alcance IS
    'Lo que está fuera de alcance sin que nadie lo quisiera, por tipo: de un tipo que no se conoce, o con una fecha anterior a la inicial o a la apertura';
SELECT etl.conceder('SELECT', 'dw.v_fuera_de_alcance', 'bi_lector');
