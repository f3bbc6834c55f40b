"""A first load so large that the ledger's indexes are built at its end, and workers help."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import LUIGI, Shop, new_shop
from shop_disk import fill, small_disk
from shop_server import OPTIONS, ShopServer, must_succeed, run_program

from bench.place import read_bench_sql

BEGINNING = datetime(2026, 1, 1, tzinfo=timezone.utc)
ROWS = 21_000
INDEXES = [
    {"conname": "kardex_movimiento_unico", "contype": "u"},
    {"conname": "kardex_pk", "contype": "p"},
]
# Selects what only the key makes unambiguous, so that the key cannot be dropped.
ON_THE_KEY = """
CREATE VIEW dw.mi_vista AS
SELECT id_producto, fecha, orden, id_movimiento, valor
FROM dw.kardex
GROUP BY id_producto, fecha, orden, id_movimiento
"""


def trade(shop: Shop) -> None:
    """Fifty products with a quarter of movements."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    for branch in (1, 2, 3):
        shop.branch(branch)
    for product in range(1, 51):
        shop.product(product, f"Categoría {product % 4}")
    with shop.oltp.cursor() as cursor:
        cursor.execute(
            read_bench_sql("generar.sql"),
            {"first": 1, "last": ROWS, "start": BEGINNING, "days": 90, "products": 50},
        )
        # The till goes on above the numbers that were given.
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('transacciones', 'id_transaccion'), %(last)s),"
            " setval(pg_get_serial_sequence('detalle_transaccion', 'id_detalle'), %(last)s)",
            {"last": ROWS},
        )


def load(shop: Shop) -> bool:
    """Run, compare with the replay; returns whether the key was made anew."""
    before = shop.olap_rows("SELECT 'dw.kardex_pk'::regclass::oid::int8 AS clave")
    shop.run_in_process()
    after = shop.olap_rows("SELECT 'dw.kardex_pk'::regclass::oid::int8 AS clave")
    assert_olap_equals_replay(shop, BEGINNING)
    query = (
        "SELECT conname, contype::text FROM pg_constraint WHERE conrelid = 'dw.kardex'::regclass"
    )
    assert shop.olap_rows(f"{query} AND contype IN ('p', 'u') ORDER BY conname") == INDEXES
    return before != after


def test_the_indexes_of_an_empty_ledger_are_built_at_the_end(shop: Shop):
    trade(shop)
    assert load(shop)
    # The next window finds them, and its rows among the others.
    shop.receipt(BEGINNING + timedelta(days=2), (3, 40, 5))
    shop.sale(BEGINNING + timedelta(days=91), (4, 1, 9))
    assert not load(shop)


def test_they_stay_where_somebody_reads_the_ledger(shop: Shop):
    trade(shop)
    reader = shop.server.connect(shop.olap_name)
    reader.autocommit = False
    try:
        reader.cursor().execute("SELECT count(*) FROM dw.v_kardex")
        assert not load(shop)
    finally:
        reader.close()


@pytest.mark.one_postgres
def test_they_stay_where_a_view_stands_on_the_key(shop: Shop):
    trade(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute(ON_THE_KEY)
    assert not load(shop)


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
                "ALTER FUNCTION etl.rehacer_indices() SET min_parallel_table_scan_size = 0"
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
