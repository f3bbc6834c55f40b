-- What a very large load adds is a table of its own; the ledger keeps its indexes meanwhile.

DROP FUNCTION IF EXISTS
    etl.soltar_indices(), etl.rehacer_indices(), etl.valorizar_tramos(boolean, numeric),
    etl.valorizar_parte(boolean, numeric, bigint), etl.tramos(boolean, bigint);
