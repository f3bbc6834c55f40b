-- What is on the shelves, in one line.
SELECT
    count(*) FILTER (WHERE i.existencias > 0), sum(i.valor),
    count(*) FILTER (WHERE i.existencias < 0)
FROM dw.mv_inventario_valorizado AS i
