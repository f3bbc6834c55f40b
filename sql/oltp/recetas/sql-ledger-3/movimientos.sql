-- SQL-Ledger's one table of lines, of sales and purchases alike: what leaves is positive and what
-- enters negative. A posted invoice stays open: whoever posts it again has all its lines deleted, and
-- inserted with other numbers under the same header, by which such a correction is understood.
--
-- What a line is worth is what it left in the accounts of goods and services: in the company's
-- currency, after its discount and without its taxes. It is deleted and inserted with the line, so
-- that it has no version here.
--
-- Where it sold a set (kit), the accounts mix it up with its neighbours: there the lines' own prices
-- count.
--
-- What is put together (assembly) or sold as a set (kit) is no stock: its parts are, and leave with its
-- sale, by lines of their own. Those of an assembly are worth nothing, its own line is; of a kit it is
-- the other way round.
SELECT
    i.id AS id_movimiento,
    CASE WHEN v.id IS NOT NULL THEN 'VENTA' WHEN c.id IS NOT NULL THEN 'ENTRADA_MERCANCIA' END AS tipo,
    i.parts_id AS id_producto,
    NULL::bigint AS id_sucursal,
    CASE WHEN v.id IS NOT NULL THEN i.qty::numeric ELSE -i.qty::numeric END AS cantidad,
    CASE WHEN v.id IS NOT NULL THEN i.sellprice::numeric END AS precio_unitario,
    CASE WHEN c.id IS NOT NULL THEN i.sellprice::numeric END AS costo_unitario,
    CASE
        WHEN con_juego.hay AND p.income_accno_id IS NULL AND p.expense_accno_id IS NULL THEN 0
        WHEN con_juego.hay THEN round(i.qty::numeric * i.sellprice::numeric, 2)
        WHEN v.id IS NOT NULL THEN cuenta.suma
        ELSE -cuenta.suma
    END AS importe,
    false AS precio_con_impuesto,
    coalesce(v.transdate, c.transdate) AS fecha,
    coalesce(v.approved, c.approved) IS FALSE AS anulado,
    i.trans_id AS id_documento,
    coalesce(v.invnumber, c.invnumber) AS documento,
    i.xmin AS version_1,
    v.xmin AS version_2,
    c.xmin AS version_3
FROM public.invoice AS i
LEFT JOIN public.ar AS v ON v.id = i.trans_id
LEFT JOIN public.ap AS c ON c.id = i.trans_id
LEFT JOIN public.parts AS p ON p.id = i.parts_id
CROSS JOIN LATERAL (
    SELECT
        EXISTS (
            SELECT 1
            FROM public.invoice AS j
            WHERE j.trans_id = i.trans_id AND j.kititem
        ) AS hay
) AS con_juego
-- Payments have numbers of their own in that column, and so has what an earlier purchase had cost.
CROSS JOIN LATERAL (
    SELECT coalesce(sum(a.amount), 0)::numeric AS suma
    FROM public.acc_trans AS a
    INNER JOIN public.chart AS k ON k.id = a.chart_id
    WHERE a.trans_id = i.trans_id AND a.id = i.id AND k.link LIKE '%IC%' AND k.link NOT LIKE '%tax%'
) AS cuenta
