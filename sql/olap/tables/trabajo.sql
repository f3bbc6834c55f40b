-- Working tables: emptied under the lock of etl.control, never read outside a load.
-- Permanent and unlogged, so that a distributed database can hold them too.

CREATE UNLOGGED TABLE IF NOT EXISTS etl.etapa (
    id_movimiento   bigint,
    tipo            text,
    id_producto     bigint,
    id_sucursal     bigint,
    cantidad        numeric,
    precio_unitario numeric,
    costo_unitario  numeric,
    fecha           timestamptz,
    anulado         boolean,
    id_origen       bigint,
    id_sucursal_destino bigint,
    importe         numeric,
    impuesto        numeric,
    precio_con_impuesto boolean,
    fecha_documento timestamptz,
    capa            smallint NOT NULL DEFAULT 0,
    reverso         boolean NOT NULL DEFAULT false,
    id_documento    bigint,
    documento       text,
    clave           text,
    clave_documento text,
    clave_producto  text,
    clave_sucursal  text,
    clave_destino   text,
    clave_origen    text,
    atrasada        boolean NOT NULL DEFAULT false
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.etapa IS 'Movimientos tal como llegan del OLTP en esta ventana';
COMMENT ON COLUMN etl.etapa.fecha_documento IS
    'La que trajo, si se asienta en otra: lo pone etl.asentar(), como capa y reverso';
COMMENT ON COLUMN etl.etapa.clave IS
    'El id de la tienda, si no es un número; como él, clave_documento y las que siguen';
COMMENT ON COLUMN etl.etapa.atrasada IS 'Esperaba ya en etl.rechazo, la tienda lo contó antes que nosotros, o está en lugar de un renglón que ella borró';
COMMENT ON COLUMN etl.etapa.id_documento IS 'Como documento, va a dw.documento_movimiento';
SELECT etl.conceder('INSERT', 'etl.etapa', 'etl_cargador');

CREATE UNLOGGED TABLE IF NOT EXISTS etl.etapa_producto (
    id_producto bigint,
    codigo      text,
    nombre      text,
    categoria   text,
    inventariable boolean,
    activo      boolean,
    clave       text,
    costo_referencia numeric,
    proveedor   text
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.etapa_producto IS 'Productos nuevos o cambiados en el OLTP';
SELECT etl.conceder('INSERT', 'etl.etapa_producto', 'etl_cargador');

CREATE UNLOGGED TABLE IF NOT EXISTS etl.etapa_sucursal (
    id_sucursal bigint,
    nombre      text,
    clave       text
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.etapa_sucursal IS 'Sucursales nuevas o cambiadas en el OLTP';
SELECT etl.conceder('INSERT', 'etl.etapa_sucursal', 'etl_cargador');

CREATE UNLOGGED TABLE IF NOT EXISTS etl.descarte (
    id_movimiento bigint NOT NULL,
    motivo        text,
    fuera         text
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.descarte IS 'De lo leído, lo que no entra al kardex';
COMMENT ON COLUMN etl.descarte.motivo IS 'Por qué se rechaza; nulo si está fuera de alcance';
COMMENT ON COLUMN etl.descarte.fuera IS
    'Por qué está fuera de alcance: anulado, tipo, fecha o cantidad (0); nulo si se rechaza';

CREATE UNLOGGED TABLE IF NOT EXISTS etl.baja (
    LIKE dw.kardex,
    igual boolean NOT NULL DEFAULT false
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.baja IS
    'Filas del kardex que se van: cambiadas, anuladas, borradas o fuera de alcance';
COMMENT ON COLUMN etl.baja.igual IS 'Leída de nuevo sin cambio: se queda; existe solo mientras se compara';

CREATE UNLOGGED TABLE IF NOT EXISTS etl.cerrada (
    LIKE etl.baja,
    PRIMARY KEY (id_movimiento)
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.cerrada IS
    'De lo leído, la última fila cerrada que no dice lo mismo: la que hay que reversar, o que ya es un reverso';

CREATE UNLOGGED TABLE IF NOT EXISTS etl.tramo (
    id_producto        bigint PRIMARY KEY,
    desde              timestamptz NOT NULL,
    cola               boolean NOT NULL DEFAULT false,
    altas              bigint NOT NULL DEFAULT 0,
    ventas             bigint NOT NULL DEFAULT 0,
    entradas           bigint NOT NULL DEFAULT 0,
    categoria_anterior text,
    impuesto_anterior  numeric,
    tasas_anterior     dw.tasa[],
    con_impuesto_anterior boolean,
    nombra             boolean NOT NULL DEFAULT false,
    cuenta_sucursales  boolean NOT NULL DEFAULT false,
    sigue_sucursales   boolean NOT NULL DEFAULT false,
    inventariable      boolean NOT NULL DEFAULT true,
    cambia_existencias boolean NOT NULL DEFAULT false,
    referencia         numeric,
    cambia_referencia  boolean NOT NULL DEFAULT false
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.tramo IS 'Productos tocados, y la fecha desde la que se repiten';
COMMENT ON COLUMN etl.tramo.cola IS
    'El kardex ya tiene movimientos desde esa fecha, que se repiten; si no, las altas solo se añaden';
COMMENT ON COLUMN etl.tramo.altas IS 'Cuántos movimientos entran al kardex; de ellos, cuántas ventas y cuántas entradas';
COMMENT ON COLUMN etl.tramo.categoria_anterior IS
    'Si cambió la categoría o el impuesto: lo que valía para lo ya sumado; nulo si no cambió';
COMMENT ON COLUMN etl.tramo.nombra IS 'Algo de lo que entra o sale nombra a su origen';
COMMENT ON COLUMN etl.tramo.cuenta_sucursales IS
    'Algo se cuenta en una sucursal: hay que saber lo que había en ella';
COMMENT ON COLUMN etl.tramo.sigue_sucursales IS
    'Algo se cuenta en la sucursal 0, que también cambia con los conteos de todo: eso solo lo sabe la pasada';

COMMENT ON COLUMN etl.tramo.inventariable IS 'Si no, nada de lo que le pasa mueve existencias';
COMMENT ON COLUMN etl.tramo.cambia_existencias IS 'Si con esta carga empieza o deja de tener existencias';
COMMENT ON COLUMN etl.tramo.referencia IS 'A cuánto entra lo que no dice su costo mientras no hay promedio';
COMMENT ON COLUMN etl.tramo.cambia_referencia IS 'Si cambió, y algo de lo abierto puede haber entrado así';

CREATE UNLOGGED TABLE IF NOT EXISTS etl.circunstancia (
    id_movimiento bigint NOT NULL,
    capa          smallint NOT NULL,
    adicional     numeric,
    en_su_entrada boolean,
    recordar      boolean,
    id_origen     bigint,
    olvidar       boolean,
    costo_total   numeric,
    cantidad      numeric,
    existencias   numeric,
    costo_promedio numeric,
    habia         numeric,
    despues       numeric,
    PRIMARY KEY (id_movimiento, capa)
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.circunstancia IS
    'De los tramos, los movimientos que nombran a otro o son nombrados, y los conteos de una sucursal: lo que dw.circunstancia pide de ellos';

CREATE UNLOGGED TABLE IF NOT EXISTS etl.repeticion (
    LIKE dw.kardex,
    es_alta              boolean NOT NULL,
    difiere              boolean NOT NULL,
    costo_total_anterior numeric,
    ajuste_anterior      numeric,
    variacion_anterior   numeric,
    ctid_kardex          tid
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.repeticion IS
    'Los tramos con cola valorizados de nuevo: altas y filas que cambian, con lo que el kardex decía';
COMMENT ON COLUMN etl.repeticion.difiere IS
    'Si no, la fila del kardex se queda como está, y solo se suma en otra categoría o con otro impuesto';
COMMENT ON COLUMN etl.repeticion.ctid_kardex IS
    'De una fila del kardex, en qué lugar de él está; vale mientras dura la transacción de la carga';

CREATE UNLOGGED TABLE IF NOT EXISTS etl.delta (
    nivel              smallint NOT NULL,
    dia                date,
    mes                date,
    franja             smallint,
    id_sucursal        bigint,
    categoria          text,
    id_producto        bigint,
    movimientos        bigint NOT NULL,
    unidades_vendidas  numeric NOT NULL,
    venta_bruta        numeric NOT NULL,
    venta_neta         numeric NOT NULL,
    costo_ventas       numeric NOT NULL,
    ajuste             numeric NOT NULL,
    unidades_recibidas numeric NOT NULL,
    costo_recibido     numeric NOT NULL,
    unidades_90        numeric NOT NULL DEFAULT 0,
    devoluciones       numeric NOT NULL DEFAULT 0,
    unidades_devueltas numeric NOT NULL DEFAULT 0,
    mermas             numeric NOT NULL DEFAULT 0,
    unidades_merma     numeric NOT NULL DEFAULT 0,
    variacion          numeric NOT NULL DEFAULT 0
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.delta IS 'Lo que cada resumen gana o pierde en esta carga';
COMMENT ON COLUMN etl.delta.nivel IS
    '1: dw.resumen_diario; 2: dw.resumen_mensual; 3: dw.resumen_movil, con sus unidades, venta y costo de 365 días; 4: dw.resumen_sucursal';
COMMENT ON COLUMN etl.delta.franja IS 'En el nivel 2, de qué días del mes: ver etl.franja()';
