-- What the two roles are promised. Each object's own script grants it, beside its definition, by
-- etl.conceder(), which keeps it here: who reports or examines reads this list.

CREATE TABLE IF NOT EXISTS etl.concesion (
    rol     text NOT NULL,
    objeto  text NOT NULL,
    permiso text NOT NULL,
    PRIMARY KEY (rol, objeto)
);
COMMENT ON TABLE etl.concesion IS
    'Lo que init concedió a cada rol; lo demás de dw es de la tienda';
COMMENT ON COLUMN etl.concesion.objeto IS 'Como dw.mv_abc, o una función con sus tipos: etl.leer_control()';

-- Each init fills it anew.
DELETE FROM etl.concesion;

CREATE OR REPLACE FUNCTION etl.conceder(p_permiso text, p_objeto text, p_rol text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format(
        'GRANT %s ON %s %s TO %I', p_permiso,
        CASE p_permiso WHEN 'EXECUTE' THEN 'FUNCTION' ELSE 'TABLE' END, p_objeto, p_rol
    );
    INSERT INTO etl.concesion (rol, objeto, permiso) VALUES (p_rol, p_objeto, p_permiso);
END
$$;
COMMENT ON FUNCTION etl.conceder(text, text, text) IS
    'Un GRANT que queda en etl.concesion; init lo llama para cada objeto que un rol alcanza';

CREATE OR REPLACE FUNCTION dw.concesiones(p_rol text) RETURNS TABLE (objeto text, permiso text)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.objeto, c.permiso FROM etl.concesion AS c WHERE c.rol = p_rol
$$;
COMMENT ON FUNCTION dw.concesiones(text) IS
    'Lo que init concedió a ese rol, para compararlo con lo que hay';
SELECT etl.conceder('EXECUTE', 'dw.concesiones(text)', r.rol)
FROM unnest(ARRAY['etl_cargador', 'bi_lector']) AS r (rol);
