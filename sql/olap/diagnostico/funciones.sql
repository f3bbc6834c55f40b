-- The functions that the pipeline's tasks and commands call, and whether the account may.
-- The list is that of the grants to etl_cargador in 22_roles.sql; a test compares them.
SELECT
    f.esquema || '.' || f.nombre AS funcion,
    coalesce(bool_and(has_function_privilege(p.oid, 'EXECUTE')), false) AS permitida,
    count(p.oid) > 0 AS existe
FROM (
    VALUES
        ('etl', 'leer_control'),
        ('etl', 'productos_vigentes'),
        ('etl', 'ventanas_cargadas'),
        ('etl', 'abrir_ventana'),
        ('etl', 'adelantar'),
        ('etl', 'anotar_adelanto'),
        ('etl', 'cargar_ventana'),
        ('etl', 'vistas_por_refrescar'),
        ('etl', 'refrescar_vista'),
        ('dw', 'refrescar_vistas_materializadas'),
        ('etl', 'anotar_refresco'),
        ('etl', 'anotar_vistas'),
        ('etl', 'estado_operacion'),
        ('etl', 'aceptar_fuente'),
        ('etl', 'listar_rechazos'),
        ('etl', 'motivos_de_rechazo'),
        ('etl', 'resumir_fuera_de_alcance'),
        ('etl', 'fechas_por_revisar'),
        ('etl', 'cifras_ensayo'),
        ('etl', 'quien_bloquea'),
        ('etl', 'verificar_bloques'),
        ('etl', 'verificar_filas'),
        ('etl', 'verificar_libros'),
        ('etl', 'verificar_movimientos'),
        ('etl', 'huella_rapida'),
        ('etl', 'por_comparar'),
        ('etl', 'leer_prueba'),
        ('etl', 'anotar_prueba'),
        ('etl', 'aperturas_fechadas'),
        ('etl', 'ultima_lectura'),
        ('etl', 'abrir_historia'),
        ('etl', 'cargar_historia'),
        ('etl', 'aplicar_aperturas'),
        ('etl', 'metricas'),
        ('etl', 'libro_producto'),
        ('etl', 'buscar_producto')
) AS f (esquema, nombre)
LEFT JOIN pg_namespace AS n ON n.nspname = f.esquema
LEFT JOIN pg_proc AS p ON p.pronamespace = n.oid AND p.proname = f.nombre
GROUP BY f.esquema, f.nombre
ORDER BY 1
