-- What the shop had of each product when it went live.

CREATE TABLE IF NOT EXISTS dw.apertura (
    id_producto    bigint PRIMARY KEY,
    existencias    numeric(38, 6) NOT NULL,
    costo_promedio numeric(38, 6) NOT NULL,
    fecha          timestamptz,
    CHECK (existencias >= 0 AND existencias < 1e11 AND costo_promedio >= 0 AND costo_promedio < 1e11)
);
COMMENT ON TABLE dw.apertura IS
    'Saldo con que se empieza a valorizar un producto; lo anterior a su fecha no cuenta';
COMMENT ON COLUMN dw.apertura.fecha IS 'Nula mientras no haya primera carga: entonces es la fecha inicial';
