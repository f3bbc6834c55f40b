-- The stock in one line; what is below zero does not count against its value.
SELECT
    coalesce(sum(i.valor), 0) AS valor,
    coalesce(sum(i.valor_negativo), 0) AS valor_negativo,
    count(*) FILTER (WHERE i.existencias > 0) AS con_existencias,
    count(*) FILTER (WHERE i.existencias_negativas < 0) AS bajo_cero
FROM dw.mv_inventario_valorizado AS i;
