-- What has been carried: one row, whose lock puts the loads in an order.

CREATE TABLE IF NOT EXISTS etl.control (
    unico            boolean PRIMARY KEY DEFAULT true CHECK (unico),
    esquema          integer NOT NULL,
    version          uuid NOT NULL DEFAULT gen_random_uuid(),
    corridas         bigint NOT NULL DEFAULT 0,
    desde_inicial    timestamptz,
    hasta            timestamptz,
    horizonte        xid8,
    identidad        jsonb,
    lsn              pg_lsn,
    zona             text,
    politica         text,
    aceptar_fuente   text,
    movimientos_oltp bigint,
    catalogo         text,
    ajenas           bigint NOT NULL DEFAULT 0,
    consultas        jsonb,
    ultimo_previsto  bigint,
    revaluar         boolean NOT NULL DEFAULT false,
    existencias      text,
    existencias_enteras timestamptz,
    ajusta          text,
    aceptar_ajustes boolean NOT NULL DEFAULT false,
    borradas_buscadas timestamptz,
    tienda          text
);
ALTER TABLE etl.control
    ADD COLUMN IF NOT EXISTS existencias text, ADD COLUMN IF NOT EXISTS existencias_enteras timestamptz,
    ADD COLUMN IF NOT EXISTS ajusta text, ADD COLUMN IF NOT EXISTS aceptar_ajustes boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS borradas_buscadas timestamptz, ADD COLUMN IF NOT EXISTS tienda text;
COMMENT ON TABLE etl.control IS
    'Una sola fila: la verdad sobre lo cargado. Su bloqueo ordena las cargas entre sí';
COMMENT ON COLUMN etl.control.version IS
    'Ficha aleatoria, nueva en cada carga; un extracto leído de otra versión no se carga';
COMMENT ON COLUMN etl.control.corridas IS 'Número de la última corrida; dw.kardex.version lo cita';
COMMENT ON COLUMN etl.control.desde_inicial IS
    'Fecha inicial del alcance; se fija en la primera carga y no se desliza';
COMMENT ON COLUMN etl.control.hasta IS 'Fin de la última ventana cargada (last_run); nulo antes de la primera';
COMMENT ON COLUMN etl.control.horizonte IS
    'Transacción más antigua aún abierta en el OLTP al leer; nulo obliga a leer todo';
COMMENT ON COLUMN etl.control.identidad IS 'Servidor, línea de tiempo, base y tablas de donde se leyó';
COMMENT ON COLUMN etl.control.consultas IS
    'Huella de las consultas de la tienda y de las vistas que leen; si cambia, se lee todo';
COMMENT ON COLUMN etl.control.movimientos_oltp IS
    'Cuántos movimientos tenía el OLTP en la última lectura, según su planificador';
COMMENT ON COLUMN etl.control.ajenas IS
    'Filas que llegaron con el número de otro documento en las últimas ventanas, mientras fueron la mayoría de cada una';
COMMENT ON COLUMN etl.control.catalogo IS
    'Huella de los productos que dio productos.sql en la última ventana; si la de hoy es otra, o esta es nula, el catálogo se lee entero';
COMMENT ON COLUMN etl.control.ultimo_previsto IS
    'El mayor número de movimiento de la última lectura completa, o de cuando se dio la última apertura: hasta él, lo que una fecha deja fuera ya estaba allí';
COMMENT ON COLUMN etl.control.revaluar IS
    'Se editó una regla de dw.tipo_movimiento: la carga siguiente valoriza y suma todo de nuevo, como rebuild';
COMMENT ON COLUMN etl.control.existencias IS
    'Huella de existencias.sql, si la tienda la tiene; si cambia, se lee entera';
COMMENT ON COLUMN etl.control.existencias_enteras IS 'Fin de la última ventana que la leyó entera';
COMMENT ON COLUMN etl.control.ajusta IS
    'Qué base aceptó asentar ajustes: su servidor, línea de tiempo y número; en otra, o nula, la próxima que los asiente pregunta';
COMMENT ON COLUMN etl.control.aceptar_ajustes IS 'La carga de esta transacción asienta sus ajustes sin preguntar; confirmado, es siempre falso';
COMMENT ON COLUMN etl.control.borradas_buscadas IS
    'Fin de la última ventana que buscó lo que el OLTP ya no tiene, o que lo leyó todo';
COMMENT ON COLUMN etl.control.tienda IS
    'De qué tienda es, donde son muchas: la primera que corrió con este OLAP; otra no carga en él';
COMMENT ON COLUMN etl.control.zona IS 'Zona en que se cortan días y meses; fija desde la primera carga';
COMMENT ON COLUMN etl.control.politica IS
    'Huella de la política de precios y del ajuste de impuesto con que se calculó lo cargado; nula si no todo con la misma';
