-- One owner for all of it: what an upgrade by another administrator made anew would otherwise be out
-- of reach of the functions that run as the first one.

DO $$
DECLARE
    v_dueno regrole := (SELECT c.relowner FROM pg_class AS c WHERE c.oid = 'etl.control'::regclass);
    v_quien record;
    v_objeto text;
BEGIN
    SELECT r.oid, r.rolsuper INTO v_quien FROM pg_roles AS r WHERE r.rolname = current_user;
    FOR v_objeto IN
        WITH objeto AS (
            SELECT
                'pg_class'::regclass AS clase, c.oid, c.relnamespace AS esquema, c.relowner AS dueno,
                CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END
                    AS tipo,
                c.oid::regclass::text AS nombre
            FROM pg_class AS c
            WHERE c.relkind IN ('r', 'v', 'm')
            UNION ALL
            SELECT
                'pg_proc'::regclass, p.oid, p.pronamespace, p.proowner, 'ROUTINE',
                p.oid::regprocedure::text
            FROM pg_proc AS p
        )
        SELECT o.tipo || ' ' || o.nombre
        FROM objeto AS o
        WHERE o.dueno <> v_dueno
            -- A member of the first one's account gives away what is its own.
            AND (v_quien.rolsuper OR o.dueno = v_quien.oid)
            AND (
                o.esquema = 'etl'::regnamespace
                -- In dw may be the shop's own: only what these scripts have made there.
                OR o.esquema = 'dw'::regnamespace AND NOT EXISTS (
                    SELECT FROM pg_temp.de_antes AS a WHERE a.clase = o.clase AND a.oid = o.oid
                )
            )
    LOOP
        EXECUTE format('ALTER %s OWNER TO %s', v_objeto, v_dueno);
    END LOOP;
END
$$;
