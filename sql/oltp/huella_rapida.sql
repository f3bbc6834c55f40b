-- verify: the fingerprint of what is valued, as etl.huella_rapida() makes it. Each value is hashed
-- into the hash of those before it, so that values that change places do not cancel out.
hash_numeric_extended(
    coalesce(CASE WHEN c.tipo <> 'VENTA' THEN round(c.costo_unitario, 6) END, 1e13),
    hash_numeric_extended(
        coalesce(CASE
            WHEN c.tipo = 'VENTA' OR (c.precio_unitario > -1e11 AND c.precio_unitario < 1e11)
                THEN round(c.precio_unitario, 6)
        END + 1e11, 1e13),
        hash_numeric_extended(
            round(c.cantidad, 6),
            hashtextextended(
                c.tipo COLLATE "C",
                timestamp_hash_extended(
                    c.reloj,
                    hashint4extended(
                        c.reloj::date - '2000-01-01'::date,
                        hashint8extended(3, coalesce(c.id_sucursal, 0) # hashint8extended(
                            2, c.id_producto # hashint8extended(1, c.id_movimiento)
                        ))
                    )
                )
            )
        )
    )
) & 9223372036854775807
