-- What is valued and summed is divided between processes.

DROP FUNCTION IF EXISTS
    etl.agregar_al_kardex(bigint, numeric, text, date), etl.sumar_kardex(text, date),
    etl.valorizar(boolean, numeric), etl.tramos(boolean);
