"""What is closed may leave the OLTP: it is archived, and no read, repair or rebuild takes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from closed_shop import BREAD, FEBRUARY, MILK, ClosedShop, K, on, truncate_before
from shop_database import Shop

from pipeline.state.request import Request

GUARDS = ("ETL_MAX_REMOVED_SHARE", "ETL_MAX_REJECT_SHARE", "ETL_MAX_SILENT_DAYS")
SALES = 30
EVERYTHING = Request(everything=True)


@pytest.fixture
def archive(shop: Shop) -> ClosedShop:
    """January is closed with so many sales that no guard would let them go."""
    it = ClosedShop(shop)
    for day in range(SALES):
        shop.sale(on(1, day + 1), (BREAD, 1, 5))
    it.read()
    it.close()
    for guard in GUARDS:
        shop.env.pop(guard)
    return it


def verify(it: ClosedShop, *options: str) -> dict[str, Any]:
    """What the proof says of a clean OLAP."""
    # Where it repairs, Luigi speaks before.
    said = it.shop.succeed("verify", "--json", *options).stdout
    found: dict[str, Any] = json.loads(said[said.index("{") :])
    assert found["clean"]
    return found


def delete_january(it: ClosedShop) -> int:
    """Row by row, as a nightly job does it."""
    it.shop.till(
        "DELETE FROM detalle_transaccion AS d USING transacciones AS t"
        " WHERE t.id_transaccion = d.id_transaccion AND t.fecha < %s",
        K,
    )
    it.shop.till("DELETE FROM transacciones WHERE fecha < %s", K)
    return SALES + 3


def truncate_january(it: ClosedShop) -> int:
    """All at once."""
    truncate_before(it.shop, K)
    return SALES + 3


def divide(it: ClosedShop, january: str) -> None:
    """The shop keeps January's documents and lines in tables of their own; `january` says how."""
    till = it.shop.till
    till(
        "ALTER TABLE detalle_transaccion DROP CONSTRAINT detalle_transaccion_id_transaccion_fkey,"
        " DROP CONSTRAINT IF EXISTS detalle_transaccion_id_origen_fkey"
    )
    till("CREATE TABLE cabeceras AS SELECT id_transaccion, fecha AS del FROM transacciones")
    for table, key in (("transacciones", "id_transaccion"), ("detalle_transaccion", "id_detalle")):
        till(f"CREATE SEQUENCE {table}_numero START 1000")
        till(f"ALTER TABLE {table} RENAME TO {table}_antes")
        by = " PARTITION BY LIST (enero)" if "PARTITION" in january else ""
        till(
            f"CREATE TABLE {table} (LIKE {table}_antes INCLUDING DEFAULTS,"
            f" enero boolean NOT NULL DEFAULT false){by}"
        )
        till(f"ALTER TABLE {table} ALTER {key} SET DEFAULT nextval('{table}_numero')")
        till(f"CREATE TABLE {table}_enero {january.format(table)}")
        if by:
            till(f"CREATE TABLE {table}_otros PARTITION OF {table} DEFAULT")
        till(
            f"INSERT INTO {table} SELECT t.*, c.del < %s FROM {table}_antes AS t"
            " JOIN cabeceras AS c USING (id_transaccion)",
            K,
        )
        till(
            f"WITH moved AS (DELETE FROM ONLY {table} WHERE enero RETURNING *)"
            f" INSERT INTO {table}_enero SELECT * FROM moved"
        )
    it.shop.succeed("init")
    it.read()


PARTITION = "PARTITION OF {0} FOR VALUES IN (true)"
CHILD = "() INHERITS ({0})"


def detach_january(it: ClosedShop) -> int:
    """Its partitions go, and stay in the database as tables of nobody's."""
    divide(it, PARTITION)
    for table in ("detalle_transaccion", "transacciones"):
        it.shop.till(f"ALTER TABLE {table} DETACH PARTITION {table}_enero")
    return SALES + 3


def detach_the_documents(it: ClosedShop) -> int:
    """The lines stay where they are, of documents that are not there."""
    divide(it, PARTITION)
    it.shop.till("ALTER TABLE transacciones DETACH PARTITION transacciones_enero")
    return SALES + 3


def truncate_the_partition(it: ClosedShop) -> int:
    """January's tables are kept, and empty."""
    divide(it, PARTITION)
    it.shop.till("TRUNCATE transacciones_enero, detalle_transaccion_enero")
    return SALES + 3


def truncate_the_old_table(it: ClosedShop) -> int:
    """The same where they inherit, as old shops divide theirs."""
    divide(it, CHILD)
    it.shop.till("TRUNCATE transacciones_enero, detalle_transaccion_enero")
    return SALES + 3


def drop_the_product(it: ClosedShop) -> int:
    """Bread is not sold any more, while its documents are there."""
    it.shop.till("DELETE FROM productos WHERE id_producto = %s", BREAD)
    return SALES + 1


def drop_the_product_too(it: ClosedShop) -> int:
    """With its documents."""
    delete_january(it)
    it.shop.till("DELETE FROM productos WHERE id_producto = %s", BREAD)
    return SALES + 3


@pytest.mark.parametrize(
    "purge",
    [
        delete_january,
        truncate_january,
        detach_january,
        detach_the_documents,
        truncate_the_partition,
        truncate_the_old_table,
        drop_the_product,
        drop_the_product_too,
    ],
)
def test_what_is_archived_stays(archive: ClosedShop, purge: Callable[[ClosedShop], int]):
    it = archive
    before = it.figures()
    gone = purge(it)
    it.read()
    assert it.figures() == before
    assert verify(it, "--all")["archived"] == gone
    said = it.shop.succeed("verify", "--all").stdout
    assert f"archived   {gone} of closed periods, which the OLTP has no more" in said
    assert verify(it, "--repair")["repaired"] == []
    it.run(request=EVERYTHING)
    it.assert_equal()
    assert it.figures() == before
    it.run(request=Request(everything=True, rebuild=True))
    it.assert_equal()
    assert it.figures() == before
    # It goes on with what is closed, and can still be closed once more.
    it.shop.sale(on(3, 1), (MILK, 1, 10))
    it.read()
    it.close(FEBRUARY)
    assert verify(it, "--all")["archived"] == gone


def test_a_partition_that_is_attached_again_is_what_is_booked(archive: ClosedShop):
    """After a window without it, in which something else was typed."""
    it = archive
    detach_january(it)
    it.shop.sale(on(3, 1), (MILK, 1, 10))
    it.read()
    before = it.figures()
    for table in ("detalle_transaccion", "transacciones"):
        it.shop.till(f"ALTER TABLE {table} ATTACH PARTITION {table}_enero FOR VALUES IN (true)")
    it.read()
    assert it.figures() == before
    assert verify(it, "--all")["archived"] == 0


def test_what_came_late_is_archived_with_what_was_in_time(archive: ClosedShop):
    """A purge undoes no correction, though that is booked where the ledger is open."""
    it = archive
    it.shop.receipt(on(1, 10), (MILK, 60, 16))
    it.shop.correct_line(it.sale, cantidad=90)
    it.shop.correct_document(it.bread, anulada=True)
    it.read()
    before = it.figures()
    delete_january(it)
    it.run(request=EVERYTHING)
    it.assert_equal()
    assert it.figures() == before
    # What is void has nothing to be archived.
    assert verify(it, "--all")["archived"] == SALES + 3


def test_what_is_open_goes_as_ever(archive: ClosedShop):
    it = archive
    before = it.figures()
    (line,) = it.shop.sale(on(2, 20), (MILK, 3, 10))
    it.read()
    it.shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", line)
    delete_january(it)
    found = it.shop.command("verify", "--json")
    assert found.returncode == 1
    assert json.loads(found.stdout)["extra"] == [line]
    assert verify(it, "--repair")["archived"] == SALES + 3
    assert it.figures()["dw.kardex"] == before["dw.kardex"]


def test_a_document_that_comes_back_is_what_is_booked(archive: ClosedShop):
    it = archive
    before = it.figures()
    it.shop.till("CREATE TABLE kept AS TABLE detalle_transaccion")
    it.shop.till("DELETE FROM detalle_transaccion")
    it.run(request=EVERYTHING)
    assert it.stock() == (20, 120, 6)
    it.shop.till("INSERT INTO detalle_transaccion SELECT * FROM kept")
    it.read()
    assert it.figures() == before


def test_ids_that_begin_anew_over_an_archive_are_no_corrections(archive: ClosedShop):
    """A new year's documents with the numbers of what is closed hold the window."""
    it = archive
    before = it.figures()
    it.shop.till("TRUNCATE transacciones, detalle_transaccion RESTART IDENTITY")
    for day in range(SALES):
        it.shop.sale(on(3, day + 1), (MILK, 1, 10))
    done = it.shop.run_due()
    assert done.returncode != 0
    assert "make ids unique in movimientos.sql (year * 1000000000000 + id)" in done.stdout
    assert it.figures() == before


def test_a_month_that_was_purged_is_not_opened_again_unasked(archive: ClosedShop):
    it = archive
    reopen = ("close", "--reopen", "2025-01-31", "--reason", "una prueba")
    before = it.figures()
    delete_january(it)
    refused = it.shop.command(*reopen)
    assert refused.returncode == 1
    assert (
        f"the OLTP has {SALES + 3} of the {SALES + 3} movements of this period no more"
        in refused.stdout
    )
    assert it.figures() == before
    it.shop.succeed(*reopen, "--anyway")
    assert not it.shop.olap_rows("SELECT FROM dw.cierre")
