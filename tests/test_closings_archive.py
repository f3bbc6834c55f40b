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
    "purge", [delete_january, truncate_january, drop_the_product, drop_the_product_too]
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
