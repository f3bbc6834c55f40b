-- Which django-oscar the shop runs. Its database does not say so: the last migrations of the three
-- applications that these queries read do. A shop that has forked one of them has others, and is not
-- one that these queries were tried with.
-- It wants this setting beside:
-- ETL_PRICES_INCLUDE_TAX=false
SELECT
    'django-oscar' AS sistema,
    CASE string_agg(u.ultima, ' ' ORDER BY u.app)
        WHEN
            '0032_category_exclude_from_menu_category_long_description'
            ' 0021_billingaddress_code_shippingaddress_code'
            ' 0007_partneraddress_code'
            THEN '4.2'
        ELSE string_agg(u.app || ' ' || u.ultima, ', ' ORDER BY u.app)
    END AS version,
    '4.2' AS probadas
FROM (
    SELECT
        m.app,
        max(m.name) AS ultima
    FROM public.django_migrations AS m
    WHERE m.app IN ('catalogue', 'order', 'partner')
    GROUP BY m.app
) AS u
