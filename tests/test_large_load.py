"""A load so large that its rows get a table of their own in the ledger, and workers help."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import LUIGI, Shop, new_shop
from shop_disk import fill, small_disk
from shop_server import OPTIONS, ShopServer, must_succeed, run_program

from bench.place import read_bench_sql
from pipeline.run import extract
from pipeline.tasks import steps

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 2_100
# As many here as 20,000 are elsewhere.
MANY = """
CREATE OR REPLACE FUNCTION etl.muchas_filas() RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 2000::bigint'
"""
# What the ledger's tables have, each under its own name.
OF_A_TABLE = """
SELECT replace(replace(pg_get_indexdef(i.indexrelid), 'kardex_lote_1', 'kardex'), 'lote_2_', '')
    AS definition, i.indisprimary, EXISTS (
        SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid
    ) AS is_key
FROM pg_index AS i
WHERE i.indrelid = %s::regclass
ORDER BY 1
"""
COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attnotnull
FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0
ORDER BY attnum
"""
STORAGE = "SELECT reloptions FROM pg_class WHERE oid = %s::regclass"
# The page of each row, and the size of each index.
PAGES = "SELECT id_movimiento, (ctid::text::point)[0] AS page FROM dw.kardex"
INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_relation_size(i.indexrelid) / 8192 AS pages
FROM pg_index AS i
WHERE i.indrelid IN (
    SELECT tabla FROM etl.v_tabla_kardex
    UNION ALL
    VALUES ('dw.resumen_diario'::regclass), ('dw.resumen_mensual'::regclass)
)
"""


def trade(shop: Shop, first: int = 1) -> None:
    """Fifty products with a quarter of movements."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    for branch in (1, 2, 3):
        shop.branch(branch)
    for product in range(1, 51):
        shop.product(product, f"Categoría {product % 4}")
    sell(shop, first, BEGINNING)
    with shop.olap.cursor() as cursor:
        cursor.execute(MANY)


def sell(shop: Shop, first: int, start: datetime) -> None:
    """As many movements again in the ninety days from `start`, numbered from `first`."""
    last = first + ROWS - 1
    with shop.oltp.cursor() as cursor:
        cursor.execute(
            read_bench_sql("generar.sql"),
            {"first": first, "last": last, "start": start, "days": 90, "products": 50},
        )
        # The till goes on above the numbers that were given.
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('transacciones', 'id_transaccion'), max(id)),"
            " setval(pg_get_serial_sequence('detalle_transaccion', 'id_detalle'), max(id))"
            " FROM (SELECT max(id_detalle) AS id FROM detalle_transaccion) AS d"
        )


def tables(shop: Shop) -> dict[str, int]:
    """How many rows of the ledger are in each of its tables."""
    rows = shop.olap_rows(
        "SELECT t.tabla::text, (SELECT count(*) FROM dw.kardex AS k WHERE k.tableoid = t.tabla)"
        " FROM etl.v_tabla_kardex AS t"
    )
    return {row["tabla"]: row["count"] for row in rows}


def load(shop: Shop) -> bool:
    """Run, compare with the replay; returns whether the ledger has one more table."""
    before = tables(shop)
    shop.run_in_process()
    assert_olap_equals_replay(shop, BEGINNING)
    return len(tables(shop)) > len(before)


def test_many_rows_get_a_table_of_their_own(shop: Shop):
    trade(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute("ALTER TABLE dw.kardex SET (autovacuum_vacuum_scale_factor = 0.02)")
    assert load(shop)
    assert tables(shop) == {"dw.kardex": 0, "dw.kardex_lote_1": ROWS}
    (options,) = shop.olap_rows(STORAGE, "dw.kardex")
    assert options["reloptions"] == ["fillfactor=50", "autovacuum_vacuum_scale_factor=0.02"]
    for query in (OF_A_TABLE, COLUMNS, STORAGE):
        of_the_lote, of_the_ledger = (
            shop.olap_rows(query, name) for name in ("dw.kardex_lote_1", "dw.kardex")
        )
        assert of_the_lote == of_the_ledger
    assert len(shop.olap_rows(OF_A_TABLE, "dw.kardex")) == 3
    (said,) = shop.olap_rows("SELECT obj_description('dw.kardex_lote_1'::regclass) AS comment")
    assert "corrida 1" in said["comment"]


def test_what_few_rows_change_is_changed_where_it_is(shop: Shop):
    trade(shop)
    assert load(shop)
    # Late ones, from which on all is revalued, and one that comes after all.
    shop.receipt(BEGINNING + timedelta(days=2), (3, 40, 5))
    shop.sale(BEGINNING + timedelta(days=91), (4, 1, 9))
    assert not load(shop)
    assert tables(shop) == {"dw.kardex": 2, "dw.kardex_lote_1": ROWS}
    # Voided, deleted, of another day, of another product: they leave, or move to where few are.
    shop.correct_document(10, anulada=True)
    shop.correct_document(20, fecha=BEGINNING + timedelta(days=60))
    shop.correct_line(30, id_producto=7)
    shop.correct_line(40, cantidad=1000)
    assert not load(shop)
    assert tables(shop) == {"dw.kardex": 5, "dw.kardex_lote_1": ROWS - 4}


@pytest.mark.parametrize("of_its_own", [True, False], ids=["lote", "ledger"])
def test_rows_that_are_valued_again_stay_on_their_page(shop: Shop, of_its_own: bool):
    trade(shop)
    if not of_its_own:
        with shop.olap.cursor() as cursor:
            cursor.execute(MANY.replace("2000", "20000"))
    # The cost of none may be beyond the factor, so that no receipt enters the list of those.
    shop.env["ETL_COST_JUMP_FACTOR"] = "100000"
    assert load(shop) == of_its_own
    pages = {row["id_movimiento"]: row["page"] for row in shop.olap_rows(PAGES)}
    indexes = {row["name"]: row["pages"] for row in shop.olap_rows(INDEXES)}
    for product in range(1, 51):
        shop.receipt(BEGINNING, (product, 1, 5))
    assert not load(shop)
    (last,) = shop.olap_rows("SELECT revaluadas FROM etl.corrida WHERE numero = 2")
    assert last["revaluadas"] > ROWS * 0.8
    moved = sum(
        row["page"] != pages.get(row["id_movimiento"], row["page"]) for row in shop.olap_rows(PAGES)
    )
    # A row whose figures have become longer may not fit.
    assert moved < ROWS / 50
    for row in shop.olap_rows(INDEXES):
        # Of the fifty that enter; two thousand entries more would be ten pages.
        assert row["pages"] <= max(indexes[row["name"]] + 2, 2), row


VERSION_6 = Path(__file__).with_name("version_6.sql").read_text(encoding="utf-8")
# The shop's own: names that ours had, and a trigger that waits for the commit.
NAMED_LIKE_OURS = """
CREATE VIEW dw.kardex_saltos AS SELECT 1 AS uno;
CREATE TABLE dw.mia (id bigint);
CREATE INDEX kardex_gratis ON dw.mia (id);
CREATE FUNCTION dw.avisar() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE CONSTRAINT TRIGGER avisar AFTER UPDATE ON dw.kardex_lote_1 DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION dw.avisar()
"""


def test_a_table_of_the_version_before_is_upgraded_too(shop: Shop):
    trade(shop)
    # For nothing, and for so little that the quotient rounds to nothing.
    shop.receipt(BEGINNING + timedelta(days=30), (1, 3, 0), (2, 1, Decimal("0.000001")))
    assert load(shop)
    shop.receipt(BEGINNING + timedelta(days=31), (1, 1, 0))
    assert not load(shop)
    names = ("dw.kardex", "dw.kardex_lote_1")

    def shapes() -> list[Any]:
        return [shop.olap_rows(query, name) for query in (OF_A_TABLE, STORAGE) for name in names]

    def rows() -> list[Any]:
        return shop.olap_rows(
            "SELECT tableoid::regclass::text AS tabla, * FROM dw.kardex ORDER BY id_movimiento"
        )

    before = rows(), shapes()
    marked = {row["tabla"]: row["salto_costo"] for row in rows() if row["costo_unitario"] == 0}
    assert marked == dict.fromkeys(names, 0)
    assert {"salto_costo": Decimal("0.000001")} in shop.olap_rows(
        "SELECT salto_costo FROM dw.kardex"
    )
    with shop.olap.cursor() as cursor:
        cursor.execute(VERSION_6)
        cursor.execute(NAMED_LIKE_OURS)
    old = rows(), shapes()
    assert old[0] != before[0] and old[1] != before[1]
    shop.succeed("init")
    assert (rows(), shapes()) == before
    places = shop.olap_rows("SELECT ctid::text, xmin::text FROM dw.kardex")
    shop.succeed("init")
    assert shop.olap_rows("SELECT ctid::text, xmin::text FROM dw.kardex") == places
    assert shop.olap_rows("SELECT to_regclass('dw.kardex_gratis')::text AS theirs") == [
        {"theirs": "dw.kardex_gratis"}
    ]


def test_many_more_rows_get_another_one(shop: Shop):
    trade(shop)
    assert load(shop)
    shop.sale(BEGINNING + timedelta(days=91), (4, 1, 9), (5, 1, 9))
    assert not load(shop)
    sell(shop, ROWS + 100, BEGINNING + timedelta(days=92))
    # The product of a late document among them is replayed, and its rows enter one by one.
    shop.receipt(BEGINNING + timedelta(days=1), (50, 40, 5))
    assert load(shop)
    found = tables(shop)
    assert found["dw.kardex_lote_1"] == ROWS
    assert 0 < found["dw.kardex"] < 1000
    assert sum(found.values()) == 2 * ROWS + 3
    # A late document is before rows in all three.
    shop.receipt(BEGINNING + timedelta(minutes=1), *((p, 40, 5) for p in range(1, 51)))
    assert not load(shop)


# As if somebody removed a row between the replay and what comes of it.
MEDDLED_WITH = """
CREATE OR REPLACE FUNCTION etl.repetir(p_factor numeric) RETURNS void LANGUAGE sql AS $$
INSERT INTO etl.repeticion SELECT * FROM etl.valorizar_tramos(p_factor);
DELETE FROM dw.kardex WHERE id_movimiento = 100 $$
"""


def test_a_row_that_is_gone_when_it_is_to_change_stops_the_load(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(steps, "with_retries", lambda action: action())
    trade(shop)
    assert load(shop)
    before = tables(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute(MEDDLED_WITH)
    shop.receipt(BEGINNING + timedelta(minutes=1), *((p, 40, 5) for p in range(1, 51)))
    with pytest.raises(AssertionError, match="1 LoadOLAP"):
        shop.run_in_process()
    assert "somebody else changed rows of dw.kardex" in caplog.text
    assert tables(shop) == before


def test_what_is_new_is_found_where_it_is_a_good_part_of_all(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    reads: list[bool] = []
    read_changed = extract.changed_since

    def watched(*arguments: Any, many: bool = False) -> Any:
        if len(arguments) > 2:
            reads.append(many)
        return read_changed(*arguments, many=many)

    monkeypatch.setattr(extract, "changed_since", watched)
    trade(shop)
    assert load(shop)
    assert not reads
    # By the version of the header, of the line, and of both.
    sell(shop, ROWS + 1, BEGINNING + timedelta(days=92))
    shop.correct_document(10, anulada=True)
    shop.correct_line(30, cantidad=1000)
    load(shop)
    shop.sale(BEGINNING + timedelta(days=300), (4, 1, 9))
    load(shop)
    assert reads == [True, False]


def test_rows_with_lower_numbers_join_the_others(shop: Shop):
    trade(shop, first=ROWS + 1)
    assert load(shop)
    sell(shop, 1, BEGINNING + timedelta(days=92))
    assert not load(shop)
    assert tables(shop) == {"dw.kardex": ROWS, "dw.kardex_lote_1": ROWS}


def test_rows_that_are_few_beside_the_ledger_join_it(shop: Shop):
    trade(shop)
    assert load(shop)
    with shop.olap.cursor() as cursor:
        # In one transaction, which removes no row of its own: each time it is as large again.
        cursor.execute("UPDATE dw.kardex SET version = version;" * 10)
    sell(shop, ROWS + 1, BEGINNING + timedelta(days=92))
    assert not load(shop)


def test_they_wait_for_nobody_who_reads_the_ledger(shop: Shop):
    trade(shop)
    reader = shop.server.connect(shop.olap_name)
    reader.autocommit = False
    try:
        cursor = reader.cursor()
        cursor.execute("SELECT count(*) FROM dw.v_kardex")
        assert load(shop)
        cursor.execute("SELECT count(*) FROM dw.v_kardex")
        assert cursor.fetchone() == (ROWS,)
    finally:
        reader.close()


def test_they_join_the_others_where_somebody_cleans_the_ledger(shop: Shop):
    trade(shop)
    cleaner = shop.server.connect(shop.olap_name)
    cleaner.autocommit = False
    try:
        cleaner.cursor().execute("LOCK TABLE dw.kardex IN SHARE UPDATE EXCLUSIVE MODE")
        assert not load(shop)
    finally:
        cleaner.close()


OF_THE_SHOP = {
    "a table of the name": "CREATE TABLE dw.kardex_lote_1 ()",
    "a table of an index's name": "CREATE TABLE dw.kardex_lote_1_avisos ()",
    "an index": "CREATE INDEX ON dw.kardex (fecha)",
    "a check": "ALTER TABLE dw.kardex ADD CHECK (cantidad > 0)",
    "a trigger": "CREATE TRIGGER suyo BEFORE UPDATE ON dw.kardex"
    " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "a foreign key": "CREATE TABLE dw.nota (id bigint REFERENCES dw.kardex (id_movimiento))",
    "a publication": "CREATE PUBLICATION suya FOR TABLE dw.kardex",
}


@pytest.mark.one_postgres
@pytest.mark.parametrize("statement", OF_THE_SHOP.values(), ids=OF_THE_SHOP.keys())
def test_they_join_the_others_where_the_shop_added_to_the_ledger(shop: Shop, statement: str):
    trade(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute(statement)
    assert not load(shop)


def test_a_row_is_found_where_it_is_whatever_the_planner_knows(shop: Shop):
    trade(shop)
    assert load(shop)
    sell(shop, ROWS + 1, BEGINNING + timedelta(days=92))
    assert load(shop)
    with shop.olap.cursor() as cursor:
        # A product has few rows, side by side, so that its key is cheap to ask.
        for table in ("kardex_lote_1", "kardex_lote_2"):
            cursor.execute(f"UPDATE dw.{table} SET id_producto = id_movimiento / 2")
            cursor.execute(f"CLUSTER dw.{table} USING {table}_pk")
        cursor.execute(
            "INSERT INTO etl.repeticion"
            " SELECT id_producto, fecha, id_movimiento, id_sucursal, orden, false, true, tipo,"
            " provisional, cantidad, precio_unitario, costo_unitario, costo_total, ajuste,"
            " existencias, valor, costo_promedio, salto_costo, costo_total, ajuste, tableoid, ctid"
            " FROM dw.kardex"
        )
        cursor.execute("ANALYZE dw.kardex")
        cursor.execute("ANALYZE dw.kardex_lote_1")
        cursor.execute("ANALYZE dw.kardex_lote_2")
        (source,) = shop.olap_rows(
            "SELECT prosrc FROM pg_proc WHERE oid = 'etl.actualizar_kardex(bigint)'::regprocedure"
        )
        update = re.search(r"'(UPDATE %s AS k.*?)'", source["prosrc"], re.DOTALL)
        assert update
        cursor.execute("SET enable_hashjoin = off; SET enable_mergejoin = off")
        for target, rows_of, scans in (
            ("ONLY dw.kardex_lote_2", ["dw.kardex_lote_2"], 1),
            # Which is empty itself.
            ("dw.kardex", ["dw.kardex_lote_1", "dw.kardex_lote_2"], 2),
        ):
            cursor.execute("SELECT %s::regclass[]::oid[]::text", (rows_of,))
            (oids,) = cursor.fetchone()
            given = update[1].replace("$1", "9").replace("$2", f"'{oids}'::oid[]")
            cursor.execute("EXPLAIN " + given % target)
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert plan.count("Tid Scan on kardex_lote") == scans, plan
            assert "Index Scan" not in plan


# The first rows of each table stand at the same place in it.
FIRST = "SELECT DISTINCT id_producto FROM dw.kardex WHERE ctid = '(0,1)'"


@pytest.mark.parametrize("watched", [False, True], ids=["table by table", "through the ledger"])
def test_rows_at_the_same_place_of_two_tables_are_told_apart(shop: Shop, watched: bool):
    trade(shop)
    assert load(shop)
    if watched:
        with shop.olap.cursor() as cursor:
            cursor.execute(OF_THE_SHOP["a trigger"])
    (product,) = (row["id_producto"] for row in shop.olap_rows(FIRST))
    shop.sale(BEGINNING + timedelta(days=91), (product, 1, 9))
    assert not load(shop)
    assert shop.olap_rows(FIRST) == [{"id_producto": product}]
    shop.receipt(BEGINNING + timedelta(minutes=1), (product, 40, 5))
    assert not load(shop)
    assert tables(shop) == {"dw.kardex": 2, "dw.kardex_lote_1": ROWS}


# What a shop might put on a ledger that has a table more already: each sees all that changes.
WATCHED_BY = {
    "a statement's trigger": """
CREATE FUNCTION dw.auditar() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dw.auditoria SELECT n.id_movimiento FROM nuevas AS n;
    RETURN NULL;
END $$;
CREATE TRIGGER auditar AFTER UPDATE ON dw.kardex REFERENCING NEW TABLE AS nuevas
FOR EACH STATEMENT EXECUTE FUNCTION dw.auditar()
""",
    "a rule": """
CREATE RULE auditar AS ON UPDATE TO dw.kardex
DO ALSO INSERT INTO dw.auditoria VALUES (new.id_movimiento)
""",
}


@pytest.mark.one_postgres
@pytest.mark.parametrize("statement", WATCHED_BY.values(), ids=WATCHED_BY.keys())
def test_what_watches_the_ledger_sees_the_rows_of_every_table(shop: Shop, statement: str):
    trade(shop)
    assert load(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute("CREATE TABLE dw.auditoria (id bigint)")
        cursor.execute(statement)
    shop.receipt(BEGINNING + timedelta(minutes=1), *((p, 40, 5) for p in range(1, 51)))
    assert not load(shop)
    (last,) = shop.olap_rows("SELECT revaluadas FROM etl.corrida WHERE numero = 2")
    (seen,) = shop.olap_rows("SELECT count(DISTINCT id) FROM dw.auditoria")
    assert seen["count"] == last["revaluadas"] > ROWS * 0.8


def test_a_table_of_the_ledger_that_is_guarded_is_changed_through_the_ledger(shop: Shop):
    trade(shop)
    assert load(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "GRANT USAGE ON SCHEMA etl, dw TO pg_monitor;"
            "GRANT EXECUTE ON FUNCTION etl.admite_tabla_por_tabla() TO pg_monitor;"
            "GRANT SELECT, UPDATE ON dw.kardex, etl.v_tabla_kardex TO pg_monitor"
        )

        def one_by_one() -> bool:
            cursor.execute("SET ROLE pg_monitor; SELECT etl.admite_tabla_por_tabla()")
            (told,) = cursor.fetchone()
            cursor.execute("RESET ROLE")
            return told

        # Through dw.kardex its rights are enough for the rows of every table.
        assert not one_by_one()
        cursor.execute("GRANT SELECT ON dw.kardex_lote_1 TO pg_monitor")
        assert not one_by_one()
        cursor.execute("GRANT UPDATE ON dw.kardex_lote_1 TO pg_monitor")
        assert one_by_one()
        cursor.execute("ALTER TABLE dw.kardex_lote_1 ENABLE ROW LEVEL SECURITY")
        assert not one_by_one()
    shop.receipt(BEGINNING + timedelta(minutes=1), (3, 40, 5))
    assert not load(shop)


# A shop's own rule that looks at what it is not told: the cost of the movement before.
CURIOUS = """
CREATE OR REPLACE FUNCTION dw.actualizar_stock_venta(estado dw.estado, cantidad numeric)
RETURNS dw.estado LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT ROW(
    (estado).existencias - cantidad, (estado).valor - coalesce((estado).costo_total, 1),
    (estado).costo_promedio, coalesce((estado).costo_total, 1), coalesce((estado).ajuste, 0)
)::dw.estado $$
"""


def test_a_rule_is_told_the_same_by_a_load_and_by_a_rebuild(shop: Shop):
    trade(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute(CURIOUS)
    ledger = "SELECT id_movimiento, costo_total, valor FROM dw.kardex ORDER BY id_movimiento"
    shop.run_in_process()
    loaded = shop.olap_rows(ledger)
    shop.succeed("rebuild")
    assert shop.olap_rows(ledger) == loaded


def test_a_backup_that_was_restored_over_a_later_ledger_is_not_added_to(shop: Shop):
    trade(shop)
    assert load(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute("UPDATE etl.control SET corridas = 0")
    refused = shop.run_due()
    assert refused.returncode == 35
    assert "dw.kardex_lote_1 holds movements of a run" in refused.stdout
    assert "into an empty database" in shop.command("doctor").stdout


def test_a_ledger_without_a_key_is_not_added_to(shop: Shop):
    trade(shop)
    assert load(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE dw.kardex_lote_1 DROP CONSTRAINT kardex_lote_1_movimiento_unico"
        )
    refused = shop.run_due()
    assert refused.returncode == 35
    assert "dw.kardex_lote_1 lacks a key" in refused.stdout
    shop.succeed("init")
    shop.sale(BEGINNING + timedelta(days=91), (4, 1, 9))
    load(shop)


def test_verify_sees_a_movement_that_is_in_two_tables(shop: Shop):
    trade(shop)
    assert load(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute("INSERT INTO dw.kardex SELECT * FROM dw.kardex WHERE id_movimiento = 7")
    assert shop.command("verify").returncode == 1
    assert shop.olap_rows(
        "SELECT id_movimiento FROM etl.verificar_inventario(false, '{}') WHERE falla LIKE '%%twice'"
    ) == [{"id_movimiento": 7}]


NO_WORKERS = """
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET max_parallel_workers_per_gather = 0', current_database());
END $$
"""
OWN_RULE = "ALTER FUNCTION dw.actualizar_stock_venta(dw.estado, numeric) PARALLEL UNSAFE"


@pytest.mark.parametrize(
    ("change", "asked"), [("SELECT", True), (NO_WORKERS, False), (OWN_RULE, False)]
)
def test_workers_value_and_sum_the_same(shop: Shop, change: str, asked: bool):
    trade(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute(change)
    assert load(shop)
    if shop.server.version >= 18:
        assert (workers_launched(shop) > 0) == asked


@pytest.mark.parametrize(
    ("change", "asked"), [("SELECT", True), (NO_WORKERS, False), (OWN_RULE, False)]
)
def test_workers_replay_what_follows_a_few_late_documents(shop: Shop, change: str, asked: bool):
    trade(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute(change)
    assert load(shop)
    before = workers_launched(shop)
    shop.receipt(BEGINNING + timedelta(minutes=1), *((p, 40, 5) for p in range(1, 51)))
    # What follows is revalued, and counted in another category.
    for product in range(1, 11):
        shop.product(product, "Otra")
    assert not load(shop)
    assert (workers_launched(shop) > before) == (asked and shop.server.version >= 18)


def test_few_rows_after_a_late_document_are_replayed_without_workers(shop: Shop):
    trade(shop)
    assert load(shop)
    before = workers_launched(shop)
    shop.receipt(BEGINNING + timedelta(days=80), (1, 40, 5), (2, 40, 5))
    assert not load(shop)
    assert workers_launched(shop) == before


def workers_launched(shop: Shop) -> int:
    """How many workers the OLAP has used; PostgreSQL counts them since 18."""
    if shop.server.version < 18:
        return 0
    (found,) = shop.olap_rows(
        "SELECT pg_stat_get_db_parallel_workers_launched(oid)::int8 AS workers"
        " FROM pg_database WHERE datname = current_database()"
    )
    return int(found["workers"])


@pytest.fixture
def cramped(new_server: Callable[[], ShopServer], tmp_path: Path) -> Iterator[Shop]:
    """A shop on a server whose place for the shared memory of workers is full."""
    server = new_server()
    server.server.stop()
    segments = server.server.data / "pg_dynshmem"
    segments.rmdir()
    with small_disk(segments, "4m"):
        server.server.start(OPTIONS | {"dynamic_shared_memory_type": "mmap"})
        with new_shop(tmp_path, server) as shop:
            # Workers build the indexes of these few rows, too, as they do those of many.
            shop.olap.cursor().execute(
                "ALTER FUNCTION etl.indexar_kardex(text) SET min_parallel_table_scan_size = 0"
            )
            fill(segments / "ballast")
            yield shop
            (segments / "ballast").unlink()
        server.server.stop("immediate")


def assert_tried_without_workers(output: str) -> None:
    """It was said once why, and what to do."""
    assert "could not resize shared memory segment" in output
    assert output.count("--shm-size") == output.count("trying again without parallel workers") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_without_shared_memory_a_load_goes_on_without_workers(cramped: Shop):
    trade(cramped)
    assert_tried_without_workers(cramped.succeed("plan").stdout)
    assert_tried_without_workers(cramped.run().stdout)
    assert_olap_equals_replay(cramped, BEGINNING)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
@pytest.mark.one_postgres
def test_without_shared_memory_history_is_merged_without_workers(cramped: Shop):
    trade(cramped)
    cramped.run(ETL_INITIAL_SINCE=(BEGINNING + timedelta(days=89)).isoformat())
    backfill = ["--module", "pipeline", "Backfill", "--since", BEGINNING.isoformat()]
    program = [str(LUIGI), *backfill, "--local-scheduler"]
    done = must_succeed(run_program(program, cramped.folder, cramped.env))
    assert_tried_without_workers(done.stdout)
    assert_olap_equals_replay(cramped, BEGINNING)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_without_shared_memory_what_follows_late_documents_is_replayed(cramped: Shop):
    trade(cramped)
    cramped.run()
    cramped.receipt(BEGINNING + timedelta(minutes=1), *((p, 40, 5) for p in range(1, 51)))
    assert_tried_without_workers(cramped.run().stdout)
    assert_olap_equals_replay(cramped, BEGINNING)
