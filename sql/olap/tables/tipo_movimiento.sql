-- What each movement type does, as data: the one place that tells types apart.

CREATE TABLE IF NOT EXISTS dw.tipo_movimiento (
    tipo             text PRIMARY KEY,
    regla            text NOT NULL CHECK (regla IN (
        'recibir', 'al_promedio', 'devolver_venta', 'devolver_compra', 'sumar_costo', 'contar', 'ninguna'
    )),
    orden            smallint NOT NULL CHECK (orden BETWEEN 0 AND 3),
    signo            smallint NOT NULL CHECK (signo BETWEEN -1 AND 1),
    cantidad         text NOT NULL CHECK (cantidad IN ('positiva', 'cero o positiva', 'uno si falta')),
    tipo_si_negativa text REFERENCES dw.tipo_movimiento,
    precio           boolean NOT NULL,
    costo            text NOT NULL CHECK (costo IN ('no', 'puede', 'debe', 'debe, con signo')),
    importe          boolean NOT NULL,
    destino          boolean NOT NULL,
    tipo_origen      text REFERENCES dw.tipo_movimiento,
    clase            text CHECK (clase IN ('ventas', 'compras', 'merma')),
    clase_con_costo  text CHECK (clase_con_costo IN ('ventas', 'compras', 'merma')),
    resta            boolean NOT NULL,
    sunat            text,
    sunat_con_costo  text,
    sunat_destino    text,
    nombre           text NOT NULL,
    descripcion      text NOT NULL,
    CHECK ((regla = 'contar') = (orden = 3)),
    CHECK (clase IS NOT NULL OR regla = 'ninguna'),
    CHECK ((regla IN ('sumar_costo', 'devolver_venta', 'devolver_compra')) = (tipo_origen IS NOT NULL))
);
COMMENT ON TABLE dw.tipo_movimiento IS
    'Los tipos de movimiento que cuentan: con qué regla se valorizan, en qué orden, qué necesitan y dónde se informan';
COMMENT ON COLUMN dw.tipo_movimiento.tipo IS 'Como lo da movimientos.sql';
COMMENT ON COLUMN dw.tipo_movimiento.regla IS
    'La función de dw que da el estado; contar lleva las existencias a lo contado, ninguna no lo cambia';
COMMENT ON COLUMN dw.tipo_movimiento.orden IS
    'En la misma fecha: 0 lo que entra de fuera, 1 lo que sale o se mueve, 2 lo que devuelve el cliente, 3 los conteos';
COMMENT ON COLUMN dw.tipo_movimiento.signo IS
    'Con qué signo suma costo_total al valor: 1 entra, -1 sale, 0 nada';
COMMENT ON COLUMN dw.tipo_movimiento.cantidad IS 'Qué cantidad se acepta';
COMMENT ON COLUMN dw.tipo_movimiento.tipo_si_negativa IS
    'Lo que significa con cantidad negativa, que entonces se toma sin signo; nulo: se rechaza';
COMMENT ON COLUMN dw.tipo_movimiento.precio IS 'Si necesita precio_unitario';
COMMENT ON COLUMN dw.tipo_movimiento.costo IS
    'Si necesita costo_unitario: no lo mira, puede traerlo, lo necesita, o lo necesita y puede ser negativo';
COMMENT ON COLUMN dw.tipo_movimiento.importe IS
    'Si el importe de la línea, cuando viene, vale en lugar de cantidad por precio o costo';
COMMENT ON COLUMN dw.tipo_movimiento.destino IS 'Si necesita id_sucursal_destino';
COMMENT ON COLUMN dw.tipo_movimiento.tipo_origen IS
    'De qué tipo es el movimiento que su id_origen puede nombrar; nulo: no lo mira';
COMMENT ON COLUMN dw.tipo_movimiento.clase IS
    'Dónde se informa: ventas (por su precio), compras o merma (por su costo); nulo: en ninguna';
COMMENT ON COLUMN dw.tipo_movimiento.clase_con_costo IS 'La clase, si trae su costo; nulo: la misma';
COMMENT ON COLUMN dw.tipo_movimiento.resta IS 'Si es una devolución o un descuento, que resta de las ventas';
COMMENT ON COLUMN dw.tipo_movimiento.sunat IS
    'Código de la tabla 12 de SUNAT; nulo: 99 (otros) o, si no mueve nada, no está en el formato 13.1';
COMMENT ON COLUMN dw.tipo_movimiento.sunat_con_costo IS 'El código, si trae su costo; nulo: el mismo';
COMMENT ON COLUMN dw.tipo_movimiento.sunat_destino IS
    'De un traslado, el código de su entrada: en el formato son dos líneas';
COMMENT ON COLUMN dw.tipo_movimiento.nombre IS 'Cómo se llama en una página';
COMMENT ON COLUMN dw.tipo_movimiento.descripcion IS 'Para quien lleva la contabilidad';
SELECT etl.conceder('SELECT', 'dw.tipo_movimiento', 'bi_lector');

INSERT INTO dw.tipo_movimiento AS t (
    tipo, regla, orden, signo, cantidad, precio, costo, importe, destino, tipo_origen, clase,
    clase_con_costo, resta, sunat, sunat_con_costo, sunat_destino, nombre, descripcion
)
VALUES
    ('ENTRADA_MERCANCIA', 'recibir', 0, 1, 'positiva', false, 'debe', true, false, NULL,
        'compras', NULL, false, '02', NULL, NULL, 'Entrada de mercancía',
        'Compra que entra al almacén, con su costo y los que se le añaden'),
    ('AJUSTE_ENTRADA', 'recibir', 0, 1, 'positiva', false, 'puede', false, false, NULL,
        'merma', 'compras', false, '28', '19', NULL, 'Sobrante',
        'Sobrante o producción propia: entra a su costo o, sin él, al promedio'),
    ('COSTO_ADICIONAL', 'sumar_costo', 0, 1, 'uno si falta', false, 'debe, con signo', false, false,
        'ENTRADA_MERCANCIA', 'compras', NULL, false, '99', NULL, NULL, 'Costo adicional',
        'Flete, aduana o descuento del proveedor: es parte del costo de su compra'),
    ('VENTA', 'al_promedio', 1, -1, 'positiva', true, 'no', true, false, NULL,
        'ventas', NULL, false, '01', NULL, NULL, 'Venta', 'Venta: sale al costo promedio'),
    ('AJUSTE_SALIDA', 'al_promedio', 1, -1, 'positiva', false, 'no', false, false, NULL,
        'merma', NULL, false, '13', NULL, NULL, 'Merma', 'Merma, rotura o consumo propio: sale al costo promedio'),
    ('DEVOLUCION_COMPRA', 'devolver_compra', 1, -1, 'positiva', false, 'puede', false, false,
        'ENTRADA_MERCANCIA', 'compras', NULL, false, '25', NULL, NULL, 'Devolución al proveedor',
        'Devolución al proveedor: sale a lo que costó; lo que acredita de más o de menos es ajuste'),
    ('TRASLADO', 'ninguna', 1, 0, 'positiva', false, 'no', false, true, NULL,
        NULL, NULL, false, '11', NULL, '21', 'Traslado',
        'Traslado entre sucursales: no cambia ni existencias ni valor del producto'),
    ('DESCUENTO_VENTA', 'ninguna', 1, 0, 'uno si falta', true, 'no', true, false, NULL,
        'ventas', NULL, true, NULL, NULL, NULL, 'Nota de crédito',
        'Nota de crédito sin mercancía: solo tiene precio'),
    ('DEVOLUCION_VENTA', 'devolver_venta', 2, 1, 'positiva', true, 'no', true, false, 'VENTA',
        'ventas', NULL, true, '24', NULL, NULL, 'Devolución de cliente',
        'Devolución de un cliente: entra a lo que costó lo vendido'),
    ('CONTEO', 'contar', 3, 1, 'cero o positiva', false, 'puede', false, false, NULL,
        'merma', NULL, false, '28', NULL, NULL, 'Conteo',
        'Conteo: las existencias pasan a ser lo contado; la diferencia es merma o sobrante')
ON CONFLICT (tipo) DO NOTHING;

-- Most tills write a return as a negative sale. A shop that sets one to null keeps it so.
UPDATE dw.tipo_movimiento AS t
SET tipo_si_negativa = n.otro
FROM (VALUES
    ('VENTA', 'DEVOLUCION_VENTA'),
    ('ENTRADA_MERCANCIA', 'DEVOLUCION_COMPRA'),
    ('AJUSTE_ENTRADA', 'AJUSTE_SALIDA'),
    ('AJUSTE_SALIDA', 'AJUSTE_ENTRADA')
) AS n (tipo, otro)
-- Only in the transaction that made the row.
WHERE t.tipo = n.tipo AND t.xmin = pg_current_xact_id()::xid;

CREATE OR REPLACE FUNCTION etl.leer_tipos() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_agg(to_jsonb(t) - '{nombre,descripcion}'::text[] ORDER BY t.tipo) FROM dw.tipo_movimiento AS t
$$;
COMMENT ON FUNCTION etl.leer_tipos() IS 'dw.tipo_movimiento, para lo que se pregunta al OLTP';
SELECT etl.conceder('EXECUTE', 'etl.leer_tipos()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.releer_por_tipos() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_dichos text[] := ARRAY['nombre', 'descripcion', 'sunat', 'sunat_con_costo', 'sunat_destino'];
BEGIN
    -- Where it is reported, and with what sign, is asked of this table for what is closed, too.
    IF TG_OP <> 'INSERT' AND EXISTS (
        SELECT FROM dw.kardex AS k
        WHERE k.tipo = OLD.tipo AND k.fecha < (SELECT etl.cerrado_hasta())
    ) AND (
        TG_OP = 'DELETE' OR (OLD.tipo, OLD.signo, OLD.clase, OLD.clase_con_costo, OLD.resta)
        IS DISTINCT FROM (NEW.tipo, NEW.signo, NEW.clase, NEW.clase_con_costo, NEW.resta)
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ETI01',
            MESSAGE = format('movements of type %s are closed, and would be reported otherwise; nothing was changed',
                             OLD.tipo),
            HINT = 'give what comes from now on a type of its own, or open the closings again, the last one first: `python -m pipeline close --reopen`';
    END IF;
    IF TG_OP <> 'UPDATE' OR to_jsonb(OLD) - v_dichos <> to_jsonb(NEW) - v_dichos THEN
        -- A window that is under way was read without knowing of this: it will be read again.
        -- Of a new type nothing is valued yet.
        UPDATE etl.control AS c
        SET horizonte = NULL, version = gen_random_uuid(), revaluar = c.revaluar OR TG_OP <> 'INSERT';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION etl.releer_por_tipos() IS
    'Lo que se edita en dw.tipo_movimiento cambia lo que significa lo ya leído: la corrida siguiente lee todo, y lo valoriza de nuevo; de lo cerrado no cambia cómo cuenta';
DROP TRIGGER IF EXISTS releer ON dw.tipo_movimiento;
CREATE TRIGGER releer AFTER INSERT OR UPDATE OR DELETE ON dw.tipo_movimiento
FOR EACH ROW EXECUTE FUNCTION etl.releer_por_tipos();
