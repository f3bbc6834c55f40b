-- What was booked late, in numbers: `status`, `plan`, the notices and the metrics.

CREATE OR REPLACE FUNCTION etl.resumir_correcciones(p_de_la_carga boolean) RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_build_object(
    'tarde', count(DISTINCT c.id_movimiento) FILTER (WHERE c.que = 'llegó tarde'),
    'corregidas', count(DISTINCT c.id_movimiento) FILTER (WHERE c.que = 'corregido'),
    'retiradas', count(DISTINCT c.id_movimiento) FILTER (WHERE c.que = 'retirado'),
    'valor', coalesce(sum(c.efecto_valor), 0),
    'venta_neta', coalesce(sum(c.efecto_venta_neta), 0),
    'costo', coalesce(sum(c.efecto_costo), 0),
    'margen', coalesce(sum(c.efecto_margen), 0)
)
FROM dw.v_correcciones AS c
WHERE c.asentado >= (SELECT etl.cerrado_hasta()) AND (
    NOT p_de_la_carga
    OR c.id_movimiento IN (SELECT e.id_movimiento FROM etl.etapa AS e WHERE e.fecha_documento IS NOT NULL)
)
$$;
COMMENT ON FUNCTION etl.resumir_correcciones(boolean) IS
    'Cuántos movimientos de lo cerrado están asentados después del último cierre, y con qué efecto: todos, o los que asienta la carga que está en curso';

CREATE OR REPLACE FUNCTION etl.ultimo_cierre() RETURNS jsonb
LANGUAGE sql STABLE
AS $$
SELECT to_jsonb(c) || jsonb_build_object('correcciones', etl.resumir_correcciones(false))
FROM dw.cierre AS c
ORDER BY c.hasta DESC
LIMIT 1
$$;
COMMENT ON FUNCTION etl.ultimo_cierre() IS
    'El último cierre, con lo que desde entonces se asentó de lo cerrado; nulo si no hay ninguno';

CREATE OR REPLACE FUNCTION etl.contar_correcciones() RETURNS jsonb
LANGUAGE sql STABLE
AS $$
SELECT jsonb_build_object('carga', etl.resumir_correcciones(true), 'cierre', etl.ultimo_cierre())
-- A shop that closes nothing has nothing looked at.
WHERE CASE WHEN etl.cerrado_hasta() > '-infinity'
    THEN EXISTS (SELECT FROM etl.etapa AS e WHERE e.fecha_documento IS NOT NULL)
END
$$;
COMMENT ON FUNCTION etl.contar_correcciones() IS
    'Lo que la carga que está en curso asienta de lo cerrado, y el último cierre; nulo si nada';
