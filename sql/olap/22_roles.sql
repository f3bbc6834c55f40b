-- Who may do what. The loader writes staging and calls functions; it reads no table.
-- The dashboards read materialized views, and views over runs, rejects and ledger.

DO $$
DECLARE
    v_rol text;
BEGIN
    FOREACH v_rol IN ARRAY ARRAY['etl_cargador', 'bi_lector'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_rol) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', v_rol);
        END IF;
    END LOOP;
END
$$;

REVOKE ALL ON SCHEMA etl, dw FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA etl, dw FROM PUBLIC;

GRANT USAGE ON SCHEMA etl, dw TO etl_cargador;
GRANT INSERT ON etl.etapa, etl.etapa_producto, etl.etapa_sucursal TO etl_cargador;
GRANT EXECUTE ON FUNCTION
    etl.leer_control(),
    etl.productos_vigentes(),
    etl.ventanas_cargadas(timestamptz[], timestamptz[]),
    etl.abrir_ventana(timestamptz, timestamptz, uuid, text, text, text),
    etl.adelantar(timestamptz, timestamptz, uuid, text),
    etl.anotar_adelanto(text, text, bigint),
    etl.cargar_ventana(jsonb, jsonb),
    etl.vistas_por_refrescar(),
    etl.refrescar_vista(oid),
    dw.refrescar_vistas_materializadas(),
    etl.anotar_refresco(uuid),
    etl.anotar_vistas(timestamptz, timestamptz, numeric),
    etl.estado_operacion(integer),
    etl.metricas(),
    etl.aceptar_fuente(text),
    etl.listar_rechazos(integer),
    etl.motivos_de_rechazo(),
    etl.resumir_fuera_de_alcance(),
    etl.fechas_por_revisar(),
    etl.cifras_ensayo(),
    etl.quien_bloquea(),
    etl.buscar_producto(bigint, text),
    etl.libro_producto(bigint, date, date, text),
    etl.huella_rapida(bigint, text, bigint, bigint, numeric, numeric, numeric, timestamp),
    etl.verificar_bloques(timestamptz, bigint, text, boolean),
    etl.verificar_filas(timestamptz, bigint[], bigint, text, boolean),
    etl.verificar_movimientos(bigint[], text, boolean),
    etl.por_comparar(),
    etl.verificar_libros(boolean, bigint[]),
    etl.leer_prueba(),
    etl.anotar_prueba(jsonb, boolean),
    etl.aperturas_fechadas(),
    etl.ultima_lectura(),
    etl.abrir_historia(timestamptz, text),
    etl.cargar_historia(jsonb, jsonb),
    etl.aplicar_aperturas(jsonb, jsonb, boolean)
TO etl_cargador;

GRANT USAGE ON SCHEMA dw TO bi_lector;
GRANT SELECT ON
    dw.mv_ventas_diarias, dw.mv_margen_producto_mes, dw.mv_inventario_valorizado,
    dw.mv_reposicion, dw.mv_rotacion, dw.mv_abc, dw.mv_valor_diario, dw.mv_precios,
    dw.mv_datos_al,
    dw.v_corridas, dw.v_rechazos, dw.v_kardex, dw.v_saltos_costo
TO bi_lector;
