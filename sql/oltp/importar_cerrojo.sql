-- `import`, step 3: readers go on, writers wait for the few seconds of the
-- merge. Without it, a sale typed in between step 6's look at a sequence and its
-- setval() could have its number given out again, and two imports at once could
-- deadlock. An idle session that holds a lock must not hold the import for ever.
SET LOCAL lock_timeout = '30s';
LOCK TABLE
    public.productos, public.sucursales, public.transacciones, public.detalle_transaccion
    IN SHARE ROW EXCLUSIVE MODE;
