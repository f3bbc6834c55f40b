-- What is there and not sold yet, which goes down when an order is placed. It is overwritten by hand
-- when goods come in.
SELECT
    s.partner_sku AS id_producto,
    sum(s.num_in_stock - coalesce(s.num_allocated, 0)) AS existencias
FROM public.partner_stockrecord AS s
INNER JOIN public.catalogue_product AS p ON p.id = s.product_id
LEFT JOIN public.catalogue_product AS padre ON padre.id = p.parent_id
LEFT JOIN public.catalogue_productclass AS clase
    ON clase.id = coalesce(p.product_class_id, padre.product_class_id)
WHERE clase.track_stock IS NOT FALSE AND s.num_in_stock IS NOT NULL
GROUP BY s.partner_sku
