-- A load says which extract is staged; views that show what is loaded are passed over; what is valued
-- again says where it is.

DROP FUNCTION IF EXISTS
    etl.abrir_ventana(timestamptz, timestamptz, uuid, text), etl.vaciar_trabajo(),
    etl.vistas_por_refrescar(), etl.valorizar_tramos(boolean, numeric),
    etl.valorizar_parte(boolean, numeric, bigint), etl.tramos(boolean, bigint);
DROP TYPE IF EXISTS etl.valorizado;
