-- LedgerSMB's one table of lines, of sales, purchases, counts and kits alike: what leaves is positive
-- and what enters negative, whoever's document it is. A draft is one that nobody has approved.
--
-- What a line is worth is what it left in the accounts: in the company's currency, after its discount
-- and without its taxes. Cost of sales stands there too, twice, and cancels out. The accounts,
-- counts and lots of a line are written with it and never change, so that they have no version here.
SELECT
    i.id AS id_movimiento,
    CASE
        WHEN v.id IS NOT NULL THEN 'VENTA'
        WHEN c.id IS NOT NULL THEN 'ENTRADA_MERCANCIA'
        WHEN l.parts_id IS NOT NULL THEN 'CONTEO'
        -- A lot of kits: its parts leave, the kits enter.
        WHEN d.trans_type_code = 'as' AND i.qty < 0 THEN 'AJUSTE_ENTRADA'
        WHEN d.trans_type_code = 'as' THEN 'AJUSTE_SALIDA'
        ELSE d.trans_type_code
    END AS tipo,
    i.parts_id AS id_producto,
    NULL::bigint AS id_sucursal,
    CASE
        WHEN v.id IS NOT NULL THEN i.qty
        WHEN c.id IS NOT NULL THEN -i.qty
        WHEN l.parts_id IS NOT NULL THEN l.counted
        ELSE abs(i.qty)
    END AS cantidad,
    CASE WHEN v.id IS NOT NULL THEN i.sellprice END AS precio_unitario,
    CASE
        WHEN c.id IS NOT NULL THEN i.sellprice
        -- What the parts of a kit had cost, with the wrong sign.
        WHEN d.trans_type_code = 'as' AND i.qty < 0 THEN abs(i.sellprice)
    END AS costo_unitario,
    CASE WHEN c.id IS NOT NULL THEN -cuenta.suma WHEN v.id IS NOT NULL THEN cuenta.suma END AS importe,
    false AS precio_con_impuesto,
    coalesce(v.transdate, c.transdate, d.transdate) AS fecha,
    NOT coalesce(v.approved, c.approved, d.approved, false) AS anulado,
    -- A voided sale is a sale still, and a second document takes it back under its date.
    CASE
        WHEN v.reverse AND v.invnumber LIKE '%-VOID' THEN (
            SELECT min(o.id)
            FROM public.ar AS s
            INNER JOIN public.invoice AS o ON o.trans_id = s.id
            WHERE s.invnumber || '-VOID' = v.invnumber
                AND s.entity_credit_account = v.entity_credit_account
                AND s.transdate = v.transdate
                AND o.parts_id = i.parts_id
                AND o.qty = -i.qty
        )
    END AS id_origen,
    i.trans_id AS id_documento,
    coalesce(v.invnumber, c.invnumber, d.reference) AS documento,
    i.xmin AS version_1,
    v.xmin AS version_2,
    c.xmin AS version_3,
    d.xmin AS version_4
FROM public.invoice AS i
LEFT JOIN public.ar AS v ON v.id = i.trans_id
LEFT JOIN public.ap AS c ON c.id = i.trans_id
LEFT JOIN public.gl AS d ON d.id = i.trans_id
LEFT JOIN public.inventory_report AS r ON r.trans_id = d.id
LEFT JOIN public.inventory_report_line AS l ON l.adjust_id = r.id AND l.parts_id = i.parts_id
LEFT JOIN LATERAL (
    SELECT sum(a.amount) AS suma
    FROM public.acc_trans AS a
    WHERE a.invoice_id = i.id
) AS cuenta ON true
