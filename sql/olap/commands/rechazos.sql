-- What cannot be valued and waits: `rejects`.

CREATE OR REPLACE FUNCTION etl.motivos_de_rechazo() RETURNS jsonb
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(jsonb_object_agg(m.motivo, m.veces), '{}')
FROM (SELECT r.motivo, count(*) AS veces FROM dw.v_rechazos AS r GROUP BY r.motivo) AS m
$$;
COMMENT ON FUNCTION etl.motivos_de_rechazo() IS 'Cuántos movimientos esperan por cada motivo; aparte, los que ya estaban valorizados y perdieron su producto';
SELECT etl.conceder('EXECUTE', 'etl.motivos_de_rechazo()', 'etl_cargador');

CREATE OR REPLACE FUNCTION etl.listar_rechazos(p_limite integer) RETURNS SETOF etl.rechazo
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT r.* FROM etl.rechazo AS r ORDER BY r.primera_desde, r.id_movimiento LIMIT p_limite
$$;
COMMENT ON FUNCTION etl.listar_rechazos(integer) IS 'Los rechazos que esperan, los más antiguos primero';
SELECT etl.conceder('EXECUTE', 'etl.listar_rechazos(integer)', 'etl_cargador');
