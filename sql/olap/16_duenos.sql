-- One owner for all of it: what an upgrade by another administrator made anew would otherwise be out
-- of reach of the functions that run as the first one.

DO $$
DECLARE
    v_dueno regrole := (SELECT c.relowner FROM pg_class AS c WHERE c.oid = 'etl.control'::regclass);
    v_objeto text;
BEGIN
    FOR v_objeto IN
        -- In dw only what this transaction made: a view there may be the shop's own.
        SELECT
            format(
                '%s %s',
                CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
                c.oid::regclass
            )
        FROM pg_class AS c
        WHERE c.relnamespace IN ('etl'::regnamespace, 'dw'::regnamespace)
            AND c.relkind IN ('r', 'v', 'm') AND c.relowner <> v_dueno
            AND (c.relnamespace = 'etl'::regnamespace OR c.xmin = pg_current_xact_id()::xid)
        UNION ALL
        SELECT
            format(
                '%s %s',
                CASE p.prokind WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END, p.oid::regprocedure
            )
        FROM pg_proc AS p
        WHERE p.pronamespace IN ('etl'::regnamespace, 'dw'::regnamespace)
            AND p.proowner <> v_dueno
            AND (p.pronamespace = 'etl'::regnamespace OR p.xmin = pg_current_xact_id()::xid)
    LOOP
        EXECUTE format('ALTER %s OWNER TO %s', v_objeto, v_dueno);
    END LOOP;
END
$$;
