-- The ledger, the stock, and the summaries that the views stand on.

CREATE TABLE IF NOT EXISTS dw.kardex (
    id_producto     bigint NOT NULL,
    fecha           timestamptz NOT NULL,
    id_movimiento   bigint NOT NULL,
    id_sucursal     bigint NOT NULL,
    version         bigint NOT NULL,
    orden           smallint NOT NULL,
    provisional     boolean NOT NULL,
    tipo            text NOT NULL,
    cantidad        numeric(38, 6) NOT NULL,
    precio_unitario numeric(38, 6),
    costo_unitario  numeric(38, 6) NOT NULL,
    costo_total     numeric(38, 6) NOT NULL,
    ajuste          numeric(38, 6) NOT NULL,
    existencias     numeric(38, 6) NOT NULL,
    valor           numeric(38, 6) NOT NULL,
    costo_promedio  numeric(38, 6) NOT NULL,
    salto_costo     numeric
)
-- Room for as many rows again: those that are valued anew stay on their page, and no index needs
-- an entry more (see also the index for notices).
WITH (fillfactor = 50);
COMMENT ON TABLE dw.kardex IS 'Libro de movimientos valorizados; la clave es el orden en que se valorizan';
COMMENT ON COLUMN dw.kardex.id_sucursal IS '0 si el documento no tiene sucursal';
COMMENT ON COLUMN dw.kardex.version IS 'Número de la corrida que escribió la fila por última vez';
COMMENT ON COLUMN dw.kardex.orden IS 'En la misma fecha, las entradas (0) van antes que las ventas (1)';
COMMENT ON COLUMN dw.kardex.provisional IS 'Venta que dejó existencias negativas o salió a costo 0';
COMMENT ON COLUMN dw.kardex.costo_unitario IS 'De una entrada, el suyo; de una venta, el promedio aplicado';
COMMENT ON COLUMN dw.kardex.costo_total IS 'Costo que entra (entrada) o que sale (venta)';
COMMENT ON COLUMN dw.kardex.ajuste IS 'Corrección del costo de lo vendido antes de recibirse';
COMMENT ON COLUMN dw.kardex.salto_costo IS
    'De una entrada cuyo costo se aleja del promedio anterior más que ETL_COST_JUMP_FACTOR: costo / promedio, al menos 0.000001; 0 si entró gratis; si no, nulo';
COMMENT ON COLUMN dw.kardex.existencias IS 'Después del movimiento, como valor y costo_promedio';

CREATE OR REPLACE FUNCTION etl.muchas_filas() RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 20000::bigint $$;
COMMENT ON FUNCTION etl.muchas_filas() IS
    'Desde cuántas filas, leídas o repetidas, vale la pena cargar en dos procesos';

CREATE OR REPLACE FUNCTION etl.es_carga_grande() RETURNS boolean
LANGUAGE sql STABLE
AS $$
SELECT count(*) = etl.muchas_filas() FROM (SELECT FROM etl.etapa LIMIT etl.muchas_filas()) AS e
$$;
COMMENT ON FUNCTION etl.es_carga_grande() IS
    'Si lo leído es tanto que vale la pena cargarlo de otra manera';

CREATE OR REPLACE VIEW etl.v_tabla_kardex AS
SELECT 'dw.kardex'::regclass AS tabla
UNION ALL
SELECT h.inhrelid::regclass FROM pg_inherits AS h WHERE h.inhparent = 'dw.kardex'::regclass;
COMMENT ON VIEW etl.v_tabla_kardex IS
    'Las tablas en que están las filas del kardex: dw.kardex y sus lotes, que son las altas de las cargas muy grandes. Quien lee o cambia dw.kardex los alcanza todos';

CREATE OR REPLACE FUNCTION etl.indexar_kardex(p_tabla text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    v_llave record;
BEGIN
    PERFORM set_config('maintenance_work_mem', '128MB', true);
    FOR v_llave IN
        SELECT l.nombre, l.llave
        FROM (VALUES
            (p_tabla || '_pk', 'PRIMARY KEY (id_producto, fecha, orden, id_movimiento)'),
            (p_tabla || '_movimiento_unico', 'UNIQUE (id_movimiento)')
        ) AS l (nombre, llave)
        WHERE NOT EXISTS (
            SELECT FROM pg_constraint AS c
            WHERE c.conrelid = ('dw.' || p_tabla)::regclass AND c.conname = l.nombre
        )
    LOOP
        EXECUTE format(
            'ALTER TABLE dw.%I ADD CONSTRAINT %I %s', p_tabla, v_llave.nombre, v_llave.llave
        );
    END LOOP;
    -- The receipts that somebody should look at: for nothing, or of another cost. Neither this
    -- index nor a key names a column that changes when a sale is valued anew.
    EXECUTE format(
        'CREATE INDEX IF NOT EXISTS %I ON dw.%I (id_producto, fecha) WHERE salto_costo IS NOT NULL',
        p_tabla || '_avisos', p_tabla
    );
END
$$;
COMMENT ON FUNCTION etl.indexar_kardex(text) IS
    'Pone las llaves y los índices que le falten al kardex, o a un lote suyo';

DO $$
DECLARE
    v_tabla regclass;
    v_indice regclass;
BEGIN
    -- Up to version 6 the index for notices, of which there were two up to version 5, named the
    -- cost, since a free receipt had no mark; and the pages were full.
    IF NOT EXISTS (SELECT FROM etl.control AS c WHERE c.esquema >= 7) THEN
        FOR v_tabla IN SELECT t.tabla FROM etl.v_tabla_kardex AS t LOOP
            EXECUTE format(
                'UPDATE ONLY %s SET salto_costo = CASE WHEN costo_unitario = 0 THEN 0 ELSE 0.000001 END'
                ' WHERE tipo = %L AND (costo_unitario = 0 OR salto_costo = 0)',
                v_tabla, 'ENTRADA_MERCANCIA'
            );
        END LOOP;
        -- What a trigger of the shop's has put off would stop the rest.
        SET CONSTRAINTS ALL IMMEDIATE;
        FOR v_tabla, v_indice IN
            SELECT t.tabla, i.indexrelid
            FROM etl.v_tabla_kardex AS t
            INNER JOIN pg_class AS c ON c.oid = t.tabla
            INNER JOIN pg_index AS i ON i.indrelid = t.tabla
            INNER JOIN pg_class AS n ON n.oid = i.indexrelid
            WHERE n.relname IN (c.relname || '_gratis', c.relname || '_saltos', c.relname || '_avisos')
        LOOP
            EXECUTE format('DROP INDEX %s', v_indice);
        END LOOP;
        FOR v_tabla IN
            SELECT c.oid
            FROM pg_class AS c
            WHERE (
                c.oid IN (SELECT t.tabla FROM etl.v_tabla_kardex AS t)
                OR c.oid IN (to_regclass('dw.resumen_diario'), to_regclass('dw.resumen_mensual'))
            ) AND NOT EXISTS (
                SELECT FROM pg_options_to_table(c.reloptions) AS o WHERE o.option_name = 'fillfactor'
            )
        LOOP
            EXECUTE format('ALTER TABLE %s SET (fillfactor = 50)', v_tabla);
        END LOOP;
    END IF;
    PERFORM etl.indexar_kardex(c.relname)
    FROM etl.v_tabla_kardex AS t
    INNER JOIN pg_class AS c ON c.oid = t.tabla;
END
$$;

CREATE OR REPLACE FUNCTION etl.revisar_kardex(p_corridas bigint) RETURNS void
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_tabla regclass;
    v_hay boolean;
BEGIN
    SELECT t.tabla INTO v_tabla
    FROM etl.v_tabla_kardex AS t
    WHERE 2 > (
        SELECT count(*) FROM pg_constraint AS c
        WHERE c.conrelid = t.tabla AND c.contype IN ('p', 'u')
    )
    LIMIT 1;
    IF v_tabla IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETS01',
            MESSAGE = format('%s lacks a key, without which a movement could be in it twice', v_tabla),
            HINT = 'run `python -m pipeline init`, which makes it; if it cannot, a backup was restored over this database: restore it into an empty one';
    END IF;
    FOR v_tabla IN
        SELECT t.tabla
        FROM etl.v_tabla_kardex AS t
        INNER JOIN pg_class AS c ON c.oid = t.tabla
        WHERE substring(c.relname FROM '^kardex_lote_(\d+)$')::numeric > p_corridas
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', v_tabla) INTO v_hay;
        IF v_hay THEN
            RAISE EXCEPTION USING
                ERRCODE = 'ETS01',
                MESSAGE = format('%s holds movements of a run that this database has not had', v_tabla),
                HINT = 'a backup was restored over a later state: restore it into an empty database';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION etl.revisar_kardex(bigint) IS
    'Se niega si a una tabla del kardex le falta una llave, o si tiene filas de una corrida posterior a la última';

CREATE TABLE IF NOT EXISTS dw.inventario (
    id_producto     bigint PRIMARY KEY,
    existencias     numeric(38, 6) NOT NULL,
    valor           numeric(38, 6) NOT NULL,
    costo_promedio  numeric(38, 6) NOT NULL,
    precio_sugerido numeric,
    version         bigint NOT NULL
);
COMMENT ON TABLE dw.inventario IS 'Estado actual de cada producto: la última fila de su kardex o su apertura';

CREATE TABLE IF NOT EXISTS dw.resumen_diario (
    dia                date NOT NULL,
    id_sucursal        bigint NOT NULL,
    categoria          text NOT NULL,
    movimientos        bigint NOT NULL,
    unidades_vendidas  numeric(38, 6) NOT NULL,
    venta_bruta        numeric(38, 6) NOT NULL,
    venta_neta         numeric(38, 6) NOT NULL,
    costo_ventas       numeric(38, 6) NOT NULL,
    ajuste             numeric(38, 6) NOT NULL,
    unidades_recibidas numeric(38, 6) NOT NULL,
    costo_recibido     numeric(38, 6) NOT NULL,
    PRIMARY KEY (dia, id_sucursal, categoria)
)
-- For the same reason as the ledger: a window changes many sums, and no key.
WITH (fillfactor = 50);
COMMENT ON TABLE dw.resumen_diario IS 'Sumas del kardex por día, sucursal y categoría';

CREATE TABLE IF NOT EXISTS dw.resumen_mensual (
    mes                date NOT NULL,
    id_sucursal        bigint NOT NULL,
    id_producto        bigint NOT NULL,
    movimientos        bigint NOT NULL,
    unidades_vendidas  numeric(38, 6) NOT NULL,
    venta_bruta        numeric(38, 6) NOT NULL,
    venta_neta         numeric(38, 6) NOT NULL,
    costo_ventas       numeric(38, 6) NOT NULL,
    ajuste             numeric(38, 6) NOT NULL,
    unidades_recibidas numeric(38, 6) NOT NULL,
    costo_recibido     numeric(38, 6) NOT NULL,
    PRIMARY KEY (mes, id_sucursal, id_producto)
)
WITH (fillfactor = 50);
COMMENT ON TABLE dw.resumen_mensual IS 'Sumas del kardex por mes, sucursal y producto';

CREATE TABLE IF NOT EXISTS dw.resumen_movil (
    id_producto      bigint PRIMARY KEY,
    unidades_90      numeric(38, 6) NOT NULL,
    unidades_365     numeric(38, 6) NOT NULL,
    venta_neta_365   numeric(38, 6) NOT NULL,
    costo_ventas_365 numeric(38, 6) NOT NULL
);
COMMENT ON TABLE dw.resumen_movil IS
    'Ventas de cada producto en los últimos 90 y 365 días, contados desde el día del último hasta; sin ventas no hay fila';

-- Working tables of the replay (see 01_control.sql for the rules of such tables).

CREATE UNLOGGED TABLE IF NOT EXISTS etl.descarte (
    id_movimiento bigint NOT NULL,
    motivo        text
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.descarte IS 'De lo leído, lo que no entra al kardex';
COMMENT ON COLUMN etl.descarte.motivo IS 'Por qué se rechaza; nulo si está fuera de alcance';

CREATE UNLOGGED TABLE IF NOT EXISTS etl.baja (
    LIKE dw.kardex,
    igual boolean NOT NULL DEFAULT false
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.baja IS
    'Filas del kardex que se van: cambiadas, anuladas, borradas o fuera de alcance';
COMMENT ON COLUMN etl.baja.igual IS 'Leída de nuevo sin cambio: se queda; existe solo mientras se compara';

CREATE UNLOGGED TABLE IF NOT EXISTS etl.tramo (
    id_producto        bigint PRIMARY KEY,
    desde              timestamptz NOT NULL,
    cola               boolean NOT NULL DEFAULT false,
    altas              bigint NOT NULL DEFAULT 0,
    ventas             bigint NOT NULL DEFAULT 0,
    primera            bigint,
    categoria_anterior text,
    impuesto_anterior  numeric
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.tramo IS 'Productos tocados, y la fecha desde la que se repiten';
COMMENT ON COLUMN etl.tramo.cola IS
    'El kardex ya tiene movimientos desde esa fecha, que se repiten; si no, las altas solo se añaden';
COMMENT ON COLUMN etl.tramo.altas IS 'Cuántos movimientos entran al kardex; de ellos, cuántas ventas';
COMMENT ON COLUMN etl.tramo.primera IS 'El menor número de las altas';
COMMENT ON COLUMN etl.tramo.categoria_anterior IS
    'Si cambió la categoría o el impuesto: lo que valía para lo ya sumado; nulo si no cambió';

CREATE UNLOGGED TABLE IF NOT EXISTS etl.repeticion (
    id_producto          bigint NOT NULL,
    fecha                timestamptz NOT NULL,
    id_movimiento        bigint NOT NULL,
    id_sucursal          bigint NOT NULL,
    orden                smallint NOT NULL,
    es_alta              boolean NOT NULL,
    difiere              boolean NOT NULL,
    tipo                 text NOT NULL,
    provisional          boolean NOT NULL,
    cantidad             numeric NOT NULL,
    precio_unitario      numeric,
    costo_unitario       numeric,
    costo_total          numeric NOT NULL,
    ajuste               numeric NOT NULL,
    existencias          numeric NOT NULL,
    valor                numeric NOT NULL,
    costo_promedio       numeric NOT NULL,
    salto_costo          numeric,
    costo_total_anterior numeric,
    ajuste_anterior      numeric,
    tabla_kardex         oid,
    ctid_kardex          tid
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.repeticion IS
    'Los tramos con cola valorizados de nuevo: altas y filas que cambian, con lo que el kardex decía';
COMMENT ON COLUMN etl.repeticion.difiere IS
    'Si no, la fila del kardex se queda como está, y solo se suma en otra categoría o con otro impuesto';
COMMENT ON COLUMN etl.repeticion.salto_costo IS 'Como en dw.kardex';
COMMENT ON COLUMN etl.repeticion.tabla_kardex IS
    'De una fila del kardex, en cuál de sus tablas está: dw.kardex o un lote';
COMMENT ON COLUMN etl.repeticion.ctid_kardex IS
    'Y en qué lugar de ella; vale mientras dura la transacción de la carga';

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
    unidades_90        numeric NOT NULL DEFAULT 0
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE etl.delta IS 'Lo que cada resumen gana o pierde en esta carga';
COMMENT ON COLUMN etl.delta.nivel IS
    '1: dw.resumen_diario; 2: dw.resumen_mensual; 3: dw.resumen_movil, con sus unidades, venta y costo de 365 días';
COMMENT ON COLUMN etl.delta.franja IS 'En el nivel 2, de qué días del mes: ver etl.franja()';
