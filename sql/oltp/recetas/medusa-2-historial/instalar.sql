-- Keeps each change of stock in Medusa 2, so that a correction by hand has its day: Medusa keeps the
-- last figure alone. Its owner runs this once, in Medusa's database, while the shop sells; again, it
-- changes nothing. desinstalar.sql takes it away.
--
-- It writes to a schema of its own, of which Medusa knows nothing, and to no table of Medusa's. What
-- is there when it begins is its first row for each item and place, in the same transaction as the
-- trigger, so that no change is lost in between.
\set ON_ERROR_STOP on
BEGIN;

CREATE SCHEMA IF NOT EXISTS historial;
COMMENT ON SCHEMA historial IS
    'Cada cambio de existencias de Medusa, para la receta medusa-2-historial';

CREATE TABLE IF NOT EXISTS historial.existencias (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    inventory_item_id text NOT NULL,
    location_id text NOT NULL,
    antes numeric,
    despues numeric NOT NULL,
    borrado boolean NOT NULL,
    momento timestamptz NOT NULL
);
COMMENT ON TABLE historial.existencias IS
    'Existencias de un articulo en un lugar, antes y despues de cada cambio; solo se agrega';
COMMENT ON COLUMN historial.existencias.inventory_item_id IS 'inventory_item.id';
COMMENT ON COLUMN historial.existencias.location_id IS 'stock_location.id';
COMMENT ON COLUMN historial.existencias.antes IS
    'Lo que habia; nulo en la primera fila, que es lo que habia al instalar';
COMMENT ON COLUMN historial.existencias.despues IS 'Lo que hay; 0 si se borro';
COMMENT ON COLUMN historial.existencias.borrado IS 'Si lo que cambio es que se borro la fila';
COMMENT ON COLUMN historial.existencias.momento IS
    'Cuando, por el reloj de Medusa, que es tambien el de sus documentos';

CREATE OR REPLACE FUNCTION historial.anotar_existencias() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog
AS $$
DECLARE
    v_antes numeric := 0;
    v_despues numeric := 0;
    v_momento timestamptz := clock_timestamp();
BEGIN
    -- A row that is marked as deleted has no stock, and one that comes back has it again.
    IF TG_OP <> 'INSERT' AND OLD.deleted_at IS NULL THEN
        v_antes := OLD.stocked_quantity;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.deleted_at IS NULL THEN
        v_despues := NEW.stocked_quantity;
    END IF;
    IF v_antes = v_despues THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        v_momento := NEW.created_at;
    ELSIF TG_OP = 'UPDATE' AND NEW.updated_at IS DISTINCT FROM OLD.updated_at THEN
        v_momento := NEW.updated_at;
    END IF;
    INSERT INTO historial.existencias (
        inventory_item_id, location_id, antes, despues, borrado, momento
    )
    VALUES (
        CASE TG_OP WHEN 'DELETE' THEN OLD.inventory_item_id ELSE NEW.inventory_item_id END,
        CASE TG_OP WHEN 'DELETE' THEN OLD.location_id ELSE NEW.location_id END,
        v_antes, v_despues, TG_OP = 'DELETE' OR NEW.deleted_at IS NOT NULL, v_momento
    );
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION historial.anotar_existencias() IS
    'Agrega a historial.existencias lo que cambia de stocked_quantity en inventory_level';
REVOKE EXECUTE ON FUNCTION historial.anotar_existencias() FROM PUBLIC;

CREATE OR REPLACE TRIGGER anotar_existencias
AFTER INSERT OR UPDATE OR DELETE ON public.inventory_level
FOR EACH ROW EXECUTE FUNCTION historial.anotar_existencias();
COMMENT ON TRIGGER anotar_existencias ON public.inventory_level IS
    'De la receta medusa-2-historial; lo quita desinstalar.sql';

-- CREATE TRIGGER holds off writers until the end of this transaction.
INSERT INTO historial.existencias (
    inventory_item_id, location_id, antes, despues, borrado, momento
)
SELECT n.inventory_item_id, n.location_id, NULL, n.stocked_quantity, false, clock_timestamp()
FROM public.inventory_level AS n
WHERE n.deleted_at IS NULL AND NOT EXISTS (SELECT FROM historial.existencias);

COMMIT;
