"""The recipe for SQL-Ledger, tried on a real one: `scripts/test --sql-ledger`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from ledger_book import assert_ledger, postgres, theirs, trade_with_windows
from shop_database import Shop
from shop_server import running_server
from sql_ledger_pages import ROOT, Clerk
from sql_ledger_trade import DAYS, MADE, Trade

DATABASE = "sl"
HEADER = "SELECT id FROM {} WHERE invnumber = %s"
LINES = "SELECT id, parts_id, assemblyitem, sellprice <> 0 FROM invoice WHERE trans_id = %s"


@pytest.fixture(scope="module")
def traded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Trade, Shop]]:
    """Six weeks of trade, with a window every few days."""
    if not request.config.getoption("--sql-ledger"):
        pytest.skip("a real SQL-Ledger: scripts/test --sql-ledger")
    if not ROOT.exists():
        pytest.skip(f"no {ROOT}: scripts/test --sql-ledger installs it")
    folder = tmp_path_factory.mktemp("sql-ledger")
    with ExitStack() as stack:
        server = stack.enter_context(running_server(folder, postgres()))
        clerk = Clerk(server, DATABASE, folder / "sql-ledger")
        _example, olap = stack.enter_context(server.databases())
        shop = stack.enter_context(closing(Shop(server, DATABASE, olap, folder)))
        today = datetime.now(UTC).date()
        trade = Trade(clerk, today, lambda n: numbers(shop, n), lambda: part_ids(shop))
        trade.prepare()
        trade_with_windows(trade, shop, "sql-ledger-3", DAYS, lambda: assert_stock(trade, shop))
        yield trade, shop


def numbers(shop: Shop, invoice: str) -> tuple[int, list[tuple[Any, ...]]]:
    """The id of a document, and its lines: id, part, whether it is of a set, and has a price."""
    table = {"is": "ar", "ir": "ap"}[invoice.partition("-")[0]]
    ((document,),) = theirs(shop, HEADER.format(table), invoice)
    return document, theirs(shop, LINES, document)


def part_ids(shop: Shop) -> dict[str, int]:
    """Each part's number, and its id."""
    return {row[0]: row[1] for row in theirs(shop, "SELECT partnumber, id FROM parts")}


def assert_stock(trade: Trade, shop: Shop) -> None:
    """Fail unless ours is what is on the shelf, and differs by what was typed over it alone."""
    onhand = {row[0]: Decimal(str(row[1]))
              for row in theirs(shop, "SELECT partnumber, onhand FROM parts")}  # fmt: skip
    baskets = onhand.pop("BASKET")
    rows = shop.olap_rows("SELECT p.codigo, i.existencias FROM dw.inventario AS i"
                          " JOIN dw.producto AS p USING (id_producto)")  # fmt: skip
    ours = {row["codigo"]: row["existencias"] for row in rows if row["existencias"]}
    assert ours == {
        part: stock for part, stock in trade.shelf.items() if stock and part not in MADE
    }
    assert {part: stock for part, stock in onhand.items() if stock} == {
        part: stock + trade.typed[part] - baskets * MADE["BASKET"].get(part, 0)
        for part, stock in ours.items()
    }
    rows = shop.olap_rows("SELECT codigo, diferencia FROM dw.v_diferencias_existencias")
    assert {row["codigo"]: row["diferencia"] for row in rows} == {
        part: more for part, more in trade.typed.items() if more
    }


def test_the_ledger_is_what_the_documents_say(traded: tuple[Trade, Shop]):
    trade, shop = traded
    assert_ledger(trade, shop)
    (types,) = shop.olap_rows("SELECT count(DISTINCT tipo) AS n FROM dw.kardex")
    assert types["n"] == 4
    assert not shop.olap_rows("SELECT * FROM etl.rechazo")


def test_stock_differs_by_what_was_typed_over_it(traded: tuple[Trade, Shop]):
    trade, shop = traded
    assert_stock(trade, shop)
    rows = shop.olap_rows("SELECT codigo, diferencia FROM dw.v_diferencias_existencias")
    assert {row["codigo"]: row["diferencia"] for row in rows} == {"BAG": -4}
    # One basket was sold before it was put together.
    ((baskets,),) = theirs(shop, "SELECT onhand FROM parts WHERE partnumber = 'BASKET'")
    assert baskets == -1


def test_net_sales_are_those_of_the_documents(traded: tuple[Trade, Shop]):
    _trade, shop = traded
    ((documents,),) = theirs(shop, "SELECT sum(netamount::numeric) FROM ar")
    (ours,) = shop.olap_rows("SELECT sum(venta_neta) AS neta FROM dw.mv_margen_producto_mes")
    assert ours["neta"] == documents


def test_what_was_renamed_or_made_obsolete_or_deleted(traded: tuple[Trade, Shop]):
    _trade, shop = traded
    rows = {row["codigo"]: row for row in shop.olap_rows("SELECT * FROM dw.producto")}
    assert rows["OIL"]["nombre"] == "Olive oil"
    assert {code for code, row in rows.items() if not row["activo"]} == {"TEA"}
    no_stock = {code for code, row in rows.items() if not row["inventariable"]}
    assert no_stock == {"FREIGHT", "BASKET", "SET"}


def test_verify_finds_nothing_and_doctor_names_the_version(traded: tuple[Trade, Shop]):
    _trade, shop = traded
    assert "the OLAP equals the OLTP" in shop.succeed("verify").stdout
    said = shop.command("doctor").stdout
    assert "SQL-Ledger 3.2.1; the queries were tried with 3.2.1" in said
    assert "receta:sql-ledger-3: SQL-Ledger 3.2.1" in shop.succeed("adapt", "--detect").stdout


def test_an_invoice_that_was_read_and_is_deleted_is_found_by_verify(traded: tuple[Trade, Shop]):
    trade, shop = traded
    trade.delete(max(number for number in trade.documents if number.startswith("is-")))
    shop.run_in_process()
    shop.succeed("verify", "--repair")
    assert_ledger(trade, shop)
