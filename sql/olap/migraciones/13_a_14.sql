-- A movement may be in the ledger more than once: as it was booked, and what corrects it after a closing.

DO $$
BEGIN
    IF to_regclass('dw.kardex') IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass('dw.kardex') AND a.attname = 'fecha_documento'
    ) THEN
        ALTER TABLE dw.kardex
            DROP CONSTRAINT IF EXISTS kardex_pk,
            ADD COLUMN fecha_documento timestamptz,
            ADD COLUMN capa smallint NOT NULL DEFAULT 0,
            ADD COLUMN reverso boolean NOT NULL DEFAULT false,
            ADD COLUMN impuesto numeric(38, 6),
            ADD COLUMN precio_con_impuesto boolean;
        -- Written once more as a whole, and no row is left behind dead.
        ALTER TABLE dw.kardex ALTER COLUMN fecha_documento TYPE timestamptz USING fecha;
        ALTER TABLE dw.kardex
            ALTER COLUMN fecha_documento SET NOT NULL,
            ALTER COLUMN capa DROP DEFAULT,
            ALTER COLUMN reverso DROP DEFAULT;
    END IF;
    IF to_regclass('dw.producto') IS NOT NULL THEN
        ALTER TABLE dw.producto
            ADD COLUMN IF NOT EXISTS precio_con_impuesto boolean NOT NULL DEFAULT true,
            ADD COLUMN IF NOT EXISTS inventariable boolean NOT NULL DEFAULT true,
            ADD COLUMN IF NOT EXISTS activo boolean NOT NULL DEFAULT true;
        ALTER TABLE etl.rechazo
            ADD COLUMN IF NOT EXISTS impuesto numeric,
            ADD COLUMN IF NOT EXISTS precio_con_impuesto boolean;
        ALTER TABLE dw.inventario ADD COLUMN IF NOT EXISTS primera timestamptz;
        UPDATE dw.inventario AS i
        SET primera = (SELECT min(k.fecha) FROM dw.kardex AS k WHERE k.id_producto = i.id_producto);
        -- A rate of 0 that stands alone is init's own: nobody said it.
        ALTER TABLE dw.politica_precio
            DROP CONSTRAINT IF EXISTS politica_precio_general,
            ADD CONSTRAINT politica_precio_general CHECK (
                id_producto IS NOT NULL OR categoria IS NOT NULL OR desde IS NOT NULL
                OR (margen IS NOT NULL AND redondeo IS NOT NULL)
            );
        UPDATE dw.politica_precio SET impuesto = NULL
        WHERE 0 = ALL (SELECT p.impuesto FROM dw.politica_precio AS p WHERE p.impuesto IS NOT NULL)
            AND id_producto IS NULL AND categoria IS NULL AND desde IS NULL;
        -- The next load looks up each product's tax again: it was 0 where prices have none within.
        UPDATE etl.control SET politica = NULL;
    END IF;
    IF to_regtype('dw.circunstancia') IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_attribute AS a
        INNER JOIN pg_type AS t ON t.typrelid = a.attrelid
        WHERE t.oid = to_regtype('dw.circunstancia') AND a.attname = 'despues'
    ) THEN
        ALTER TYPE dw.circunstancia ADD ATTRIBUTE despues numeric, ADD ATTRIBUTE referencia numeric;
    END IF;
END
$$;
DROP TABLE IF EXISTS etl.etapa, etl.etapa_producto, etl.etapa_sucursal, etl.baja, etl.repeticion, etl.circunstancia, etl.tramo CASCADE;
DROP INDEX IF EXISTS dw.kardex_movimiento_unico;
DROP VIEW IF EXISTS etl.v_clase, etl.v_diferencia, etl.v_baja_desconocida, etl.v_contenido CASCADE;
DROP FUNCTION IF EXISTS
    etl.libro(date, date, text), etl.libro_producto(bigint, date, date, text), etl.buscar_producto(bigint, text),
    etl.verificar_bloques(timestamptz, bigint, text, boolean),
    etl.tasa_del_dia(numeric, dw.tasa[], date), etl.valor_promedio(bigint, timestamptz[]),
    etl.motivo_rechazo(
        dw.tipo_movimiento, boolean, numeric, numeric, numeric, numeric, timestamptz, timestamptz, bigint, bigint
    ),
    etl.verificar_filas(timestamptz, bigint[], bigint, text, boolean),
    etl.verificar_movimientos(bigint[], text, boolean), etl.valorizar(boolean, bigint, numeric), etl.tramos(boolean),
    dw.valuar_movimiento(dw.paso, text, numeric, numeric, numeric, numeric, boolean, dw.origen, numeric),
    etl.aconsejar_salidas(etl.control, jsonb, bigint, bigint, bigint);
