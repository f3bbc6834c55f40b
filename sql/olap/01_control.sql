-- Control of the load: what has been carried, by which run, and what waits.

CREATE SCHEMA IF NOT EXISTS etl;

CREATE SCHEMA IF NOT EXISTS dw;
COMMENT ON SCHEMA etl IS 'Control y tablas de trabajo de la carga';
COMMENT ON SCHEMA dw IS 'Inventario valorizado, resúmenes y vistas para los tableros';

CREATE TABLE IF NOT EXISTS etl.control (
    unico          boolean PRIMARY KEY DEFAULT true CHECK (unico),
    esquema        integer NOT NULL,
    version        uuid NOT NULL DEFAULT gen_random_uuid(),
    corridas       bigint NOT NULL DEFAULT 0,
    desde_inicial  timestamptz,
    hasta          timestamptz,
    horizonte      xid8,
    identidad      jsonb,
    lsn            pg_lsn,
    zona           text,
    politica       text,
    aceptar_fuente text
);
-- Since version 6.
ALTER TABLE etl.control ADD COLUMN IF NOT EXISTS movimientos_oltp bigint;
-- Since version 9.
ALTER TABLE etl.control ADD COLUMN IF NOT EXISTS catalogo text;
ALTER TABLE etl.control ADD COLUMN IF NOT EXISTS ajenas bigint NOT NULL DEFAULT 0;
ALTER TABLE etl.control ADD COLUMN IF NOT EXISTS consultas jsonb;
ALTER TABLE etl.control ADD COLUMN IF NOT EXISTS ultimo_previsto bigint;
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
COMMENT ON COLUMN etl.control.zona IS 'Zona en que se cortan días y meses; fija desde la primera carga';
COMMENT ON COLUMN etl.control.politica IS
    'Huella de la política de precios y del ajuste de impuesto con que se calculó lo cargado';

CREATE TABLE IF NOT EXISTS etl.refresco (
    unico   boolean PRIMARY KEY DEFAULT true CHECK (unico),
    version uuid
);
-- Apart from etl.control, whose row a load locks for as long as it lasts.
COMMENT ON TABLE etl.refresco IS 'Una sola fila: hasta dónde están al día las vistas materializadas';
COMMENT ON COLUMN etl.refresco.version IS
    'La de etl.control que muestran las vistas propias; si es otra o nula, hay que refrescarlas';

CREATE TABLE IF NOT EXISTS etl.corrida (
    desde                timestamptz NOT NULL,
    hasta                timestamptz NOT NULL,
    numero               bigint NOT NULL,
    version              uuid NOT NULL,
    id_corrida           text,
    leida                timestamptz NOT NULL,
    cargada              timestamptz NOT NULL DEFAULT now(),
    horizonte            xid8,
    lsn                  pg_lsn,
    identidad            jsonb,
    imagen_completa      boolean NOT NULL,
    motivo_completa      text,
    sha256               text,
    filas_leidas         bigint NOT NULL,
    nuevas               bigint NOT NULL,
    cambiadas            bigint NOT NULL,
    retiradas            bigint NOT NULL,
    iguales              bigint NOT NULL,
    fuera_de_alcance     bigint NOT NULL,
    rechazadas           bigint NOT NULL,
    ventas               bigint NOT NULL,
    entradas             bigint NOT NULL,
    productos_tocados    bigint NOT NULL,
    revaluadas           bigint NOT NULL,
    segundos_extraccion  numeric(12, 3),
    segundos_carga       numeric(12, 3),
    segundos_vistas      numeric(12, 3),
    PRIMARY KEY (desde, hasta)
);
COMMENT ON TABLE etl.corrida IS 'Una fila por ventana cargada, escrita en la misma transacción que sus datos';
COMMENT ON COLUMN etl.corrida.nuevas IS 'Movimientos que el kardex no tenía';
COMMENT ON COLUMN etl.corrida.cambiadas IS 'Movimientos cuyo contenido cambió en el OLTP';
COMMENT ON COLUMN etl.corrida.retiradas IS 'Movimientos que dejaron el alcance (anulados, borrados, con otra fecha o tipo)';
COMMENT ON COLUMN etl.corrida.iguales IS 'Leídos de nuevo sin cambio: los que están cerca del horizonte';
COMMENT ON COLUMN etl.corrida.ventas IS 'De las nuevas y cambiadas, cuántas son VENTA';
COMMENT ON COLUMN etl.corrida.entradas IS 'De las nuevas y cambiadas, cuántas son ENTRADA_MERCANCIA';
COMMENT ON COLUMN etl.corrida.revaluadas IS 'Movimientos anteriores cuyo valor cambió al repetir su producto';

CREATE TABLE IF NOT EXISTS etl.rechazo (
    id_movimiento   bigint PRIMARY KEY,
    tipo            text,
    id_producto     bigint,
    id_sucursal     bigint,
    cantidad        numeric,
    precio_unitario numeric,
    costo_unitario  numeric,
    fecha           timestamptz,
    motivo          text NOT NULL,
    primera_desde   timestamptz NOT NULL,
    primera_hasta   timestamptz NOT NULL,
    ultima_desde    timestamptz NOT NULL,
    ultima_hasta    timestamptz NOT NULL
);
COMMENT ON TABLE etl.rechazo IS
    'Movimientos del alcance que no se pueden valorizar; se intentan de nuevo en cada ventana';
COMMENT ON COLUMN etl.rechazo.primera_desde IS 'Ventana en que se rechazó por primera vez';
COMMENT ON COLUMN etl.rechazo.ultima_desde IS 'Última ventana en que se intentó';

CREATE TABLE IF NOT EXISTS etl.fuera_de_alcance (
    id_movimiento bigint PRIMARY KEY,
    fuera         text NOT NULL,
    tipo          text,
    id_producto   bigint,
    fecha         timestamptz,
    desde         timestamptz NOT NULL,
    hasta         timestamptz NOT NULL
);
COMMENT ON TABLE etl.fuera_de_alcance IS
    'Movimientos que nadie quiso dejar fuera: de un tipo que no se conoce, o con una fecha anterior al alcance y escritos después de empezar; a lo más mil por tipo';
COMMENT ON COLUMN etl.fuera_de_alcance.fuera IS 'tipo o fecha, como en etl.descarte';
COMMENT ON COLUMN etl.fuera_de_alcance.desde IS 'Ventana que lo vio por primera vez';

CREATE TABLE IF NOT EXISTS etl.fuera_sin_lista (
    fuera       text NOT NULL,
    tipo        text,
    movimientos bigint NOT NULL
);
COMMENT ON TABLE etl.fuera_sin_lista IS
    'Cuántos más hay de cada tipo que los de etl.fuera_de_alcance; los que se corrigen salen de la cuenta con la siguiente lectura completa';
