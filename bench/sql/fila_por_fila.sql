-- The method that the pipeline replaces: one function call from the client for each
-- movement, each updating its product's row. The same rules as sql/olap/rules/,
-- written again, so that both results can be compared.

CREATE TABLE producto (
    id_producto    bigint PRIMARY KEY,
    existencias    numeric NOT NULL DEFAULT 0,
    valor          numeric NOT NULL DEFAULT 0,
    costo_promedio numeric NOT NULL DEFAULT 0
);
COMMENT ON TABLE producto IS 'Estado de cada producto';

CREATE TABLE libro (
    id_movimiento   bigint PRIMARY KEY,
    id_producto     bigint NOT NULL,
    fecha           timestamptz NOT NULL,
    tipo            text NOT NULL,
    cantidad        numeric NOT NULL,
    precio_unitario numeric,
    costo_unitario  numeric,
    existencias     numeric NOT NULL,
    valor           numeric NOT NULL,
    costo_promedio  numeric NOT NULL
);
CREATE INDEX libro_producto ON libro (id_producto, fecha);
COMMENT ON TABLE libro IS 'Libro de movimientos valorizados';

CREATE FUNCTION recibir(p_producto bigint, p_cantidad numeric, p_costo numeric) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE producto AS p
    SET existencias = p.existencias + p_cantidad,
        valor = CASE
            WHEN p.existencias > 0 THEN p.valor + round(p_cantidad * p_costo, 6)
            ELSE round((p.existencias + p_cantidad) * p_costo, 6)
        END,
        costo_promedio = CASE
            WHEN p.existencias > 0 THEN round(
                (p.valor + round(p_cantidad * p_costo, 6)) * 1.00000000000000000000
                / (p.existencias + p_cantidad), 6
            )
            ELSE p_costo
        END
    WHERE p.id_producto = p_producto;
END
$$;
COMMENT ON FUNCTION recibir(bigint, numeric, numeric) IS 'Entrada de mercancía';

CREATE FUNCTION vender(p_producto bigint, p_cantidad numeric) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE producto AS p
    SET existencias = p.existencias - p_cantidad,
        valor = round((p.existencias - p_cantidad) * p.costo_promedio, 6)
    WHERE p.id_producto = p_producto;
END
$$;
COMMENT ON FUNCTION vender(bigint, numeric) IS 'Venta';
