-- verify compared by md5 alone, and replayed a sample.
DROP VIEW IF EXISTS etl.v_contenido;
DROP FUNCTION IF EXISTS
    etl.huella(text, timestamptz, text), etl.verificar_bloques(timestamptz, bigint, text),
    etl.verificar_filas(timestamptz, bigint[], bigint, text), etl.verificar_cuadre(),
    etl.verificar_repeticion(bigint, double precision), etl.verificar_libros(bigint, double precision);
