-- The control row and the run say what was loaded, and what verify has to look at.

CREATE OR REPLACE FUNCTION etl.avanzar_control(
    p_extracto jsonb, p_inicial timestamptz, p_politica text, p_zona text
) RETURNS void
LANGUAGE sql
AS $$
UPDATE etl.control AS c
SET version = gen_random_uuid(),
    corridas = c.corridas + 1,
    desde_inicial = p_inicial,
    hasta = (p_extracto ->> 'hasta')::timestamptz,
    horizonte = (p_extracto ->> 'horizonte')::xid8,
    identidad = p_extracto -> 'identidad',
    consultas = p_extracto -> 'consultas',
    movimientos_oltp = (p_extracto ->> 'movimientos_oltp')::bigint,
    catalogo = p_extracto ->> 'catalogo',
    lsn = (p_extracto ->> 'lsn')::pg_lsn,
    zona = p_zona,
    politica = p_politica,
    borradas_buscadas = CASE
        WHEN (p_extracto ->> 'imagen_completa')::boolean OR (p_extracto ->> 'borradas_buscadas')::boolean
            THEN (p_extracto ->> 'hasta')::timestamptz
        ELSE c.borradas_buscadas
    END,
    aceptar_fuente = NULL,
    aceptar_ajustes = false,
    revaluar = false
$$;
COMMENT ON FUNCTION etl.avanzar_control(jsonb, timestamptz, text, text) IS
    'Deja el control al final de la ventana, con una versión nueva';

CREATE OR REPLACE FUNCTION etl.anotar_corrida(p_extracto jsonb, p_conteo jsonb, p_segundos numeric)
RETURNS void
LANGUAGE sql
AS $$
INSERT INTO etl.corrida (
    desde, hasta, numero, version, id_corrida, leida, horizonte, lsn, identidad,
    imagen_completa, motivo_completa, sha256, filas_leidas, nuevas, cambiadas, retiradas,
    iguales, fuera_de_alcance, rechazadas, ventas, entradas, productos_tocados, revaluadas,
    segundos_extraccion, segundos_carga, borradas, reescritas
)
SELECT
    (p_extracto ->> 'desde')::timestamptz, (p_extracto ->> 'hasta')::timestamptz,
    c.corridas, c.version, p_extracto ->> 'id_corrida', (p_extracto ->> 'leida')::timestamptz,
    (p_extracto ->> 'horizonte')::xid8, (p_extracto ->> 'lsn')::pg_lsn,
    p_extracto -> 'identidad', (p_extracto ->> 'imagen_completa')::boolean,
    p_extracto ->> 'motivo_completa', p_extracto ->> 'sha256',
    (p_conteo ->> 'filas_leidas')::bigint,
    (p_conteo ->> 'altas')::bigint - (p_conteo ->> 'cambiadas')::bigint,
    (p_conteo ->> 'cambiadas')::bigint, (p_conteo ->> 'retiradas')::bigint,
    (p_conteo ->> 'iguales')::bigint, (p_conteo ->> 'fuera_de_alcance')::bigint,
    (p_conteo ->> 'rechazadas')::bigint, (p_conteo ->> 'ventas')::bigint,
    (p_conteo ->> 'entradas')::bigint, (p_conteo ->> 'productos_tocados')::bigint,
    (p_conteo ->> 'revaluadas')::bigint, (p_extracto ->> 'segundos')::numeric, p_segundos,
    coalesce((p_conteo ->> 'borradas')::bigint, 0), coalesce((p_conteo ->> 'reescritas')::bigint, 0)
FROM etl.control AS c
$$;
COMMENT ON FUNCTION etl.anotar_corrida(jsonb, jsonb, numeric) IS
    'Deja la fila de la ventana en etl.corrida, con la versión que el control acaba de tomar';

CREATE OR REPLACE FUNCTION etl.marcar_por_probar(p_numero bigint) RETURNS void
LANGUAGE sql
AS $$
INSERT INTO etl.por_probar AS q (id_producto, desde, numero)
SELECT t.id_producto, t.desde, p_numero FROM etl.tramo AS t
ON CONFLICT (id_producto) DO UPDATE SET
    desde = least(q.desde, excluded.desde), numero = excluded.numero
$$;
COMMENT ON FUNCTION etl.marcar_por_probar(bigint) IS
    'Anota los productos de etl.tramo como por probar';
