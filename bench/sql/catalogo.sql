-- The shop's products, and the view that dlt reads. Parameter: how many products.
INSERT INTO public.sucursales (id_sucursal, nombre)
SELECT g.n, 'Sucursal ' || g.n FROM generate_series(1, 3) AS g (n);

INSERT INTO public.productos (id_producto, codigo, nombre, categoria)
SELECT g.n, 'P' || g.n, 'Producto ' || g.n, 'Categoría ' || g.n %% 20
FROM generate_series(1, %(products)s) AS g (n);

CREATE SCHEMA bench;
COMMENT ON SCHEMA bench IS 'Lo que el banco de pruebas añade al OLTP de ejemplo';
CREATE VIEW bench.movimientos AS
SELECT
    d.id_detalle AS id_movimiento, t.tipo, d.id_producto, t.id_sucursal, d.cantidad,
    d.precio_unitario, d.costo_unitario, t.fecha, t.anulada AS anulado
FROM public.detalle_transaccion AS d
INNER JOIN public.transacciones AS t ON t.id_transaccion = d.id_transaccion;
COMMENT ON VIEW bench.movimientos IS 'Las mismas columnas que sql/oltp/movimientos.sql';

-- Numbers that a till gives are above all that are generated.
SELECT
    setval(pg_get_serial_sequence('public.transacciones', 'id_transaccion'), 1000000000),
    setval(pg_get_serial_sequence('public.detalle_transaccion', 'id_detalle'), 1000000000);
