-- The rules, applied in order: what enters, and what is valued again.

CREATE OR REPLACE FUNCTION etl.valorizar(p_cola boolean, p_numero bigint, p_factor numeric)
RETURNS TABLE (
    fila dw.kardex, es_alta boolean, reclasificado boolean, difiere boolean,
    costo_total_anterior numeric, ajuste_anterior numeric, variacion_anterior numeric,
    ctid_kardex tid
)
LANGUAGE sql STABLE
AS $$
-- In the order of the ledger's columns. As one expression the row is taken apart by the planner where
-- (fila).* is inserted, and costs nothing.
SELECT
    ROW(
        v.id_producto, v.fecha, v.id_movimiento, v.id_sucursal, p_numero, v.orden, v.provisional,
        v.tipo, v.cantidad, v.precio_unitario,
        CASE WHEN v.tipo = 'VENTA' AND NOT v.reverso THEN (v.paso).costo_promedio ELSE v.costo_unitario END,
        (v.paso).costo_total, (v.paso).ajuste, (v.paso).existencias, (v.paso).valor,
        (v.paso).costo_promedio, v.salto, (v.paso).variacion, v.importe, v.id_origen,
        v.id_sucursal_destino, v.de_todo, v.fecha_documento, v.capa, v.reverso, v.impuesto,
        v.precio_con_impuesto
    )::dw.kardex,
    v.ctid_kardex IS NULL,
    v.reclasificado,
    -- A rule of the shop's own that yields no value must not pass for one that changes nothing.
    v.ctid_kardex IS NULL OR v.salto IS DISTINCT FROM v.salto_anterior
    OR v.provisional IS DISTINCT FROM v.provisional_anterior OR (
        (v.paso).existencias, (v.paso).valor, (v.paso).costo_promedio, (v.paso).costo_total,
        (v.paso).ajuste, (v.paso).variacion
    ) IS DISTINCT FROM (
        (v.anterior).existencias, (v.anterior).valor, (v.anterior).costo_promedio,
        (v.anterior).costo_total, (v.anterior).ajuste, v.variacion_anterior
    ),
    (v.anterior).costo_total, (v.anterior).ajuste, v.variacion_anterior, v.ctid_kardex
FROM (
    SELECT
        s.*,
        (s.paso).al_promedio AND ((s.paso).existencias < 0 OR (s.paso).costo_promedio = 0)
            AS provisional,
        CASE WHEN s.tipo = 'ENTRADA_MERCANCIA' AND NOT s.reverso AND s.regla <> 'ninguna'
            THEN etl.salto_costo((s.paso).promedio_previo, s.costo_unitario, p_factor)
        END AS salto
    FROM (
        SELECT
            m.*,
            dw.valuar(m.regla, m.cantidad, m.costo_unitario, m.circunstancia) OVER (
                PARTITION BY m.id_producto ORDER BY m.fecha, m.fecha_documento, m.orden, m.id_movimiento, m.capa
                ROWS UNBOUNDED PRECEDING
            ) AS paso
        FROM etl.tramos(p_cola) AS m
    ) AS s
) AS v
WHERE v.tipo <> 'SALDO'
$$;
COMMENT ON FUNCTION etl.valorizar(boolean, bigint, numeric) IS
    'Lo que da etl.tramos(), valorizado: cada fila como ha de quedar en el kardex, si es alta, y si lo que dice su estado es otra cosa que antes; el factor es el de etl.salto_costo';

CREATE OR REPLACE FUNCTION etl.salto_costo(anterior numeric, costo numeric, factor numeric)
RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
    WHEN costo = 0 THEN 0
    WHEN anterior > 0 AND (costo > anterior * factor OR anterior > costo * factor)
        -- 0 is what tells that it was free.
        THEN greatest(round(costo * 1.00000000000000000000 / anterior, 6), 0.000001)
END
$$;
COMMENT ON FUNCTION etl.salto_costo(numeric, numeric, numeric) IS
    'Costo de una entrada sobre el promedio anterior, si se aleja más que el factor, al menos 0.000001; 0 si es gratis; si no, nulo';

CREATE OR REPLACE FUNCTION etl.repetir(p_numero bigint, p_factor numeric) RETURNS void
LANGUAGE sql
AS $$
INSERT INTO etl.repeticion
SELECT
    (v.fila).*, v.es_alta, v.difiere, v.costo_total_anterior, v.ajuste_anterior,
    v.variacion_anterior, v.ctid_kardex
FROM etl.valorizar(true, p_numero, p_factor) AS v
WHERE v.difiere OR v.reclasificado
$$;
COMMENT ON FUNCTION etl.repetir(bigint, numeric) IS
    'Valoriza de nuevo los tramos con cola y deja en etl.repeticion las altas y las filas que cambian';
