"""Loads of many rows; and a ledger that an earlier release kept in several tables."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop, new_shop
from shop_disk import fill, small_disk
from shop_server import OPTIONS, ShopServer

from bench.place import read_bench_sql
from pipeline.run import extract
from pipeline.tasks import steps

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 2_100
STORAGE = "SELECT reloptions FROM pg_class WHERE oid = 'dw.kardex'::regclass"
# The page of each row, and the size of each index.
PAGES = "SELECT id_movimiento, (ctid::text::point)[0] AS page FROM dw.kardex"
INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_relation_size(i.indexrelid) / 8192 AS pages
FROM pg_index AS i
WHERE i.indrelid IN (
    'dw.kardex'::regclass, 'dw.resumen_diario'::regclass, 'dw.resumen_mensual'::regclass
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


def load(shop: Shop) -> None:
    """Run, and compare with the replay."""
    shop.run_in_process()
    assert_olap_equals_replay(shop, BEGINNING)


def test_many_rows_then_few_then_many_more(shop: Shop):
    trade(shop)
    load(shop)
    # Late ones, from which on all is revalued, and one that comes after all.
    shop.receipt(BEGINNING + timedelta(days=2), (3, 40, 5))
    shop.sale(BEGINNING + timedelta(days=91), (4, 1, 9))
    load(shop)
    # Voided, of another day, of another product, of another quantity.
    shop.correct_document(10, anulada=True)
    shop.correct_document(20, fecha=BEGINNING + timedelta(days=60))
    shop.correct_line(30, id_producto=7)
    shop.correct_line(40, cantidad=1000)
    load(shop)
    sell(shop, ROWS + 100, BEGINNING + timedelta(days=92))
    # The product of a late document among them is replayed.
    shop.receipt(BEGINNING + timedelta(days=1), (50, 40, 5))
    load(shop)


def test_rows_that_are_valued_again_stay_on_their_page(shop: Shop):
    trade(shop)
    # The cost of none may be beyond the factor, so that no receipt enters the list of those.
    shop.env["ETL_COST_JUMP_FACTOR"] = "100000"
    load(shop)
    pages = {row["id_movimiento"]: row["page"] for row in shop.olap_rows(PAGES)}
    indexes = {row["name"]: row["pages"] for row in shop.olap_rows(INDEXES)}
    for product in range(1, 51):
        shop.receipt(BEGINNING, (product, 1, 5))
    load(shop)
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


# The files of the tables that a load works in, by table.
WORKED_IN = """
SELECT relname, relfilenode FROM pg_class
WHERE relnamespace = 'etl'::regnamespace AND relkind = 'r' AND relpersistence = 'u'
"""


def test_what_few_rows_were_loaded_in_keeps_its_files_and_what_many_were_is_cut(shop: Shop):
    """New files take a commit longer than a small load, and old ones grow for ever."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    shop.product(1)
    found = []
    for sold in (1, 2, 3_000, 1, 1):
        shop.receipt(BEGINNING, (1, sold, 5), *((1, 1, 5) for _ in range(sold)))
        load(shop)
        found.append({r["relname"]: r["relfilenode"] for r in shop.olap_rows(WORKED_IN)})
    assert found[0] == found[1] == found[2]
    cut = {name for name in found[3] if found[3][name] != found[2][name]}
    assert "etapa" in cut and "etapa_producto" not in cut
    assert found[3] == found[4]


HERE = Path(__file__).parent
VERSION_6, WITH_A_LOTE = (
    (HERE / name).read_text(encoding="utf-8") for name in ("version_6.sql", "with_a_lote.sql")
)
LEDGER = "SELECT * FROM dw.kardex ORDER BY id_movimiento"
LOTES = """
SELECT inhrelid::regclass::text AS lote FROM pg_inherits WHERE inhparent = 'dw.kardex'::regclass
"""
# The shop's own: names that ours had, and triggers that wait for the commit.
NAMED_LIKE_OURS = """
CREATE VIEW dw.kardex_saltos AS SELECT 1 AS uno;
CREATE TABLE dw.mia (id bigint);
CREATE INDEX kardex_gratis ON dw.mia (id);
CREATE FUNCTION dw.avisar() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE CONSTRAINT TRIGGER avisar AFTER UPDATE ON dw.kardex_lote_1 DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION dw.avisar();
CREATE CONSTRAINT TRIGGER avisar AFTER INSERT OR UPDATE ON dw.kardex DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION dw.avisar()
"""

WAITING = """
CREATE TABLE dw.avisada (id bigint);
CREATE FUNCTION dw.avisar() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
'BEGIN INSERT INTO dw.avisada VALUES (new.id_movimiento); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER avisar AFTER INSERT ON dw.kardex DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION dw.avisar()
"""


@pytest.fixture
def with_a_lote(shop: Shop) -> Shop:
    """A shop whose OLAP has half of its ledger in a table that inherits, as init left it once."""
    trade(shop)
    # For nothing, and for so little that the quotient rounds to nothing.
    shop.receipt(BEGINNING + timedelta(days=30), (1, 3, 0), (2, 1, Decimal("0.000001")))
    load(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute(WITH_A_LOTE)
    return shop


@pytest.mark.parametrize("older", ["", VERSION_6], ids=["newest", "version 6"])
def test_what_stood_in_tables_of_its_own_joins_the_ledger_once(with_a_lote: Shop, older: str):
    shop = with_a_lote
    before, shape = shop.olap_rows(LEDGER), shop.olap_rows(STORAGE)
    with shop.olap.cursor() as cursor:
        cursor.execute(older or "SELECT")
        cursor.execute(NAMED_LIKE_OURS)
    (parted,) = shop.olap_rows("SELECT count(*) FROM ONLY dw.kardex")
    assert 0 < parted["count"] < len(before)
    shop.succeed("init")
    assert shop.olap_rows(LEDGER) == before
    assert shop.olap_rows("SELECT * FROM ONLY dw.kardex ORDER BY id_movimiento") == before
    assert shop.olap_rows(STORAGE) == shape
    assert not shop.olap_rows(LOTES)
    places = shop.olap_rows("SELECT ctid::text, xmin::text FROM dw.kardex")
    shop.succeed("init")
    assert shop.olap_rows("SELECT ctid::text, xmin::text FROM dw.kardex") == places
    shop.receipt(BEGINNING + timedelta(minutes=1), *((p, 40, 5) for p in range(1, 51)))
    load(shop)


# What makes the merge impossible, and what is told.
IN_THE_WAY = {
    "that dw.kardex has, too": """
INSERT INTO dw.kardex SELECT * FROM dw.kardex_lote_1 WHERE id_movimiento = 7
""",
    "of a run that this database has not had": "UPDATE etl.control SET corridas = 0",
    "view dw.mi_lote depends on": """
CREATE VIEW dw.mi_lote AS SELECT id_movimiento FROM dw.kardex_lote_1
""",
    "dw.kardex took": """
CREATE RULE mia AS ON INSERT TO dw.kardex WHERE new.id_movimiento = 7 DO INSTEAD NOTHING
""",
}


@pytest.mark.one_postgres
@pytest.mark.parametrize("why", IN_THE_WAY)
def test_a_table_that_cannot_join_the_ledger_stays_as_it_is(with_a_lote: Shop, why: str):
    with with_a_lote.olap.cursor() as cursor:
        cursor.execute(IN_THE_WAY[why])
    before = with_a_lote.olap_rows(LEDGER)
    refused = with_a_lote.command("init")
    assert refused.returncode == 1
    (told,) = [line for line in refused.stdout.splitlines() if line.startswith("error: ")]
    assert why in told
    assert with_a_lote.olap_rows(LEDGER) == before
    assert with_a_lote.olap_rows(LOTES) == [{"lote": "dw.kardex_lote_1"}]


# As if somebody removed a row between the replay and what comes of it.
MEDDLED_WITH = """
ALTER FUNCTION etl.repetir(bigint, numeric) RENAME TO repetir_bien;
CREATE FUNCTION etl.repetir(p_numero bigint, p_factor numeric) RETURNS void LANGUAGE sql AS $$
SELECT etl.repetir_bien(p_numero, p_factor);
DELETE FROM dw.kardex WHERE id_movimiento = 100 $$
"""


def test_a_row_that_is_gone_when_it_is_to_change_stops_the_load(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(steps, "with_retries", lambda action: action())
    trade(shop)
    load(shop)
    before = shop.olap_rows(LEDGER)
    with shop.olap.cursor() as cursor:
        cursor.execute(MEDDLED_WITH)
    shop.receipt(BEGINNING + timedelta(minutes=1), *((p, 40, 5) for p in range(1, 51)))
    with pytest.raises(AssertionError, match="1 LoadOLAP"):
        shop.run_in_process()
    assert "somebody else changed rows of dw.kardex" in caplog.text
    assert shop.olap_rows(LEDGER) == before


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
    load(shop)
    assert not reads
    # By the version of the header, of the line, and of both.
    sell(shop, ROWS + 1, BEGINNING + timedelta(days=92))
    shop.correct_document(10, anulada=True)
    shop.correct_line(30, cantidad=1000)
    load(shop)
    shop.sale(BEGINNING + timedelta(days=300), (4, 1, 9))
    load(shop)
    assert reads == [True, False]


def test_many_rows_wait_for_nobody_who_reads_the_ledger(shop: Shop):
    trade(shop)
    reader = shop.server.connect(shop.olap_name)
    reader.autocommit = False
    try:
        cursor = reader.cursor()
        cursor.execute("SELECT count(*) FROM dw.v_kardex")
        load(shop)
        cursor.execute("SELECT count(*) FROM dw.v_kardex")
        assert cursor.fetchone() == (ROWS,)
    finally:
        reader.close()


def test_a_row_is_found_where_it_is_whatever_the_planner_knows(shop: Shop):
    trade(shop)
    load(shop)
    with shop.olap.cursor() as cursor:
        # A product has few rows, side by side, so that its key is cheap to ask.
        cursor.execute("UPDATE dw.kardex SET id_producto = id_movimiento / 2")
        cursor.execute("CLUSTER dw.kardex USING kardex_pk")
        cursor.execute(
            "INSERT INTO etl.repeticion"
            " SELECT k.*, false, true, k.costo_total, k.ajuste, k.variacion, k.ctid"
            " FROM dw.kardex AS k"
        )
        cursor.execute("ANALYZE dw.kardex")
        (source,) = shop.olap_rows(
            "SELECT prosrc FROM pg_proc WHERE oid = 'etl.actualizar_kardex()'::regprocedure"
        )
        update = re.search(r"(UPDATE dw.kardex AS k.*?);", source["prosrc"], re.DOTALL)
        assert update
        cursor.execute("SET enable_hashjoin = off; SET enable_mergejoin = off")
        cursor.execute("EXPLAIN " + update[1])
        plan = "\n".join(line for (line,) in cursor.fetchall())
        assert plan.count("Tid Scan on kardex") == 1, plan
        assert "Index Scan" not in plan


# What a shop might put on the ledger: each sees all that changes.
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
def test_what_watches_the_ledger_sees_every_row(shop: Shop, statement: str):
    trade(shop)
    load(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute("CREATE TABLE dw.auditoria (id bigint)")
        cursor.execute(statement)
    shop.receipt(BEGINNING + timedelta(minutes=1), *((p, 40, 5) for p in range(1, 51)))
    load(shop)
    (last,) = shop.olap_rows("SELECT revaluadas FROM etl.corrida WHERE numero = 2")
    (seen,) = shop.olap_rows("SELECT count(DISTINCT id) FROM dw.auditoria")
    assert seen["count"] == last["revaluadas"] > ROWS * 0.8


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


def test_a_ledger_without_a_key_is_not_added_to(shop: Shop):
    trade(shop)
    load(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute("DROP INDEX dw.kardex_movimiento_unico")
    refused = shop.run_due()
    assert refused.returncode == 35
    assert "dw.kardex lacks a key" in refused.stdout
    shop.succeed("init")
    shop.sale(BEGINNING + timedelta(days=91), (4, 1, 9))
    load(shop)


def test_a_trigger_that_waits_for_the_end_is_asked_before_there_are_indexes(shop: Shop):
    with shop.olap.cursor() as cursor:
        cursor.execute(WAITING)
    trade(shop)
    load(shop)
    told = shop.olap_rows("SELECT count(*) AS filas FROM dw.kardex")
    assert shop.olap_rows("SELECT count(*) AS filas FROM dw.avisada") == told


def test_a_ledger_from_which_a_table_inherits_is_not_added_to(shop: Shop):
    trade(shop)
    load(shop)
    with shop.olap.cursor() as cursor:
        # As a backup of an earlier release does that is restored over this one, or the shop itself.
        cursor.execute("CREATE TABLE dw.suya () INHERITS (dw.kardex)")
        cursor.execute("INSERT INTO dw.suya SELECT * FROM dw.kardex WHERE id_movimiento = 7")
    refused = shop.run_due()
    assert refused.returncode == 35
    assert "dw.suya inherits from dw.kardex" in refused.stdout
    assert shop.command("verify").returncode == 1
    assert "ALTER TABLE dw.suya NO INHERIT dw.kardex" in shop.command("doctor").stdout
    with shop.olap.cursor() as cursor:
        cursor.execute("ALTER TABLE dw.suya NO INHERIT dw.kardex")
    load(shop)


def test_a_type_without_a_rule_stops_the_load(shop: Shop):
    """As if a type were let in with a rule of its own, and the dispatch forgotten."""
    trade(shop)
    load(shop)
    before = shop.olap_rows(LEDGER)
    with shop.olap.cursor() as cursor:
        cursor.execute(FORGOTTEN)
    shop.sale(BEGINNING + timedelta(days=91), (4, 1, 9))
    stopped = shop.run_due()
    assert stopped.returncode == 30
    assert "there is no rule 'regalar' for a movement" in stopped.stdout
    assert shop.olap_rows(LEDGER) == before


FORGOTTEN = """
ALTER TABLE dw.tipo_movimiento DROP CONSTRAINT tipo_movimiento_regla_check;
UPDATE dw.tipo_movimiento SET regla = 'regalar' WHERE tipo = 'VENTA'
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_load_asks_for_no_shared_memory_of_workers(
    new_server: Callable[[], ShopServer], tmp_path: Path
):
    server = new_server()
    server.server.stop()
    segments = server.server.data / "pg_dynshmem"
    segments.rmdir()
    with small_disk(segments, "4m"):
        server.server.start(OPTIONS | {"dynamic_shared_memory_type": "mmap"})
        with new_shop(tmp_path, server) as shop:
            trade(shop)
            for name in ("min_parallel_table_scan_size", "parallel_setup_cost"):
                shop.olap.cursor().execute(
                    f"ALTER FUNCTION etl.cargar_ventana(jsonb, jsonb) SET {name} = 0"
                )
            fill(segments / "ballast")
            load(shop)
            shop.receipt(BEGINNING + timedelta(minutes=1), *((p, 40, 5) for p in range(1, 51)))
            load(shop)
            (segments / "ballast").unlink()
        server.server.stop("immediate")
