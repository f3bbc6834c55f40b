"""A year of FoodMart, closed month by month, with what comes late, is corrected and is archived.

Of every 32nd product, in all branches, since the oracle replays it 14 times; of all 1,559 of them
with --long, which takes some minutes.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from closed_shop import truncate_before
from olap_comparison import assert_olap_equals, assert_olap_equals_replay
from oltp_reading import read_movements
from oracle import RECEIPT
from oracle_closings import close, totals
from oracle_rows import Books
from server_copies import dump, restore
from shop_database import Shop
from test_foodmart import BATCH_1998, PRODUCTS, SINCE, YEAR_1997, lines
from test_foodmart import pytestmark as pytestmark

SAMPLE = 32
COLUMNS = "id_transaccion tipo id_producto cantidad precio_unitario costo_unitario fecha id_tienda"
HOUR = timedelta(hours=1)
ENDS = [datetime(1997, month, 1, tzinfo=UTC) for month in range(2, 13)]
ENDS.append(datetime(1998, 1, 1, tzinfo=UTC))


def arrivals(step: int) -> list[list[dict[str, str]]]:
    """The documents by the month in which they are typed: a tenth comes a month late."""
    typed: list[list[dict[str, str]]] = [[] for _ in range(13)]
    for line in sample(step):
        month = datetime.fromisoformat(line["fecha"]).month - 1
        if datetime.fromisoformat(line["fecha"]).year > 1997:
            typed[12].append(line)
        else:
            typed[month + (int(line["id_transaccion"]) % 10 == 0)].append(line)
    return typed


def sample(step: int) -> Iterator[dict[str, str]]:
    """1997, and what there is of January 1998, of every so many products."""
    for path in (YEAR_1997, BATCH_1998):
        for line in lines(path):
            if int(line["id_producto"]) % step == 0 and line["fecha"] < "1998-02":
                yield line


def bring(shop: Shop, documents: Iterable[dict[str, str]]) -> None:
    """By the import command."""
    path = shop.folder / "documentos.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS.split(), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(documents)
    shop.succeed("import", "--transacciones", str(path))


def correct(shop: Shop, documents: Iterable[dict[str, str]], step: int) -> int:
    """A hundredth of what was typed the month before: its quantity, its product, or it is void."""
    chosen = [line for line in documents if int(line["id_transaccion"]) % 100 == 51]
    for position, line in enumerate(chosen):
        number = int(line["id_transaccion"])
        if position % 3 == 0:
            shop.correct_line(number, cantidad=Decimal(line["cantidad"]) + 1)
        elif position % 3 == 1:
            shop.correct_line(number, id_producto=int(line["id_producto"]) % (40 * step) + step)
        else:
            shop.correct_document(number, anulada=True)
    return len(chosen)


@contextmanager
def restored(shop: Shop) -> Iterator[None]:
    """The OLAP as a dump of it has it, in a database of its own."""
    name = f"{shop.olap_name}_restaurado"
    kept = dump(shop.olap_server, shop.olap_name)
    shop.olap_server.execute("CREATE DATABASE {name}", name=name)
    shop.olap.close()
    restore(shop.olap_server, kept, name)
    shop.olap_name = shop.env["OLAP_DB_NAME"] = name
    shop.olap = shop.olap_server.connect(name)
    try:
        yield
    finally:
        shop.olap_server.execute("DROP DATABASE {name} WITH (FORCE)", name=name)


def in_stock(movements: Iterable[dict[str, Any]]) -> dict[int, Decimal]:
    """What came less what went, by product, of the documents as they are now."""
    stock: dict[int, Decimal] = {}
    for movement in movements:
        if not movement["anulado"]:
            sign = 1 if movement["tipo"] == RECEIPT else -1
            product = movement["id_producto"]
            stock[product] = stock.get(product, Decimal(0)) + sign * movement["cantidad"]
    return stock


@pytest.mark.longest
def test_a_year_is_closed_month_by_month_and_archived(shop: Shop, request: pytest.FixtureRequest):
    step = 1 if request.config.getoption("--long") else SAMPLE
    shop.env["ETL_INITIAL_SINCE"] = "1997-01-01"
    shop.succeed("import", "--productos", str(PRODUCTS))
    typed, books, corrected = arrivals(step), Books(), 0
    for month, end in enumerate(ENDS):
        bring(shop, typed[month])
        corrected += correct(shop, typed[month - 1], step) if month else 0
        shop.run_in_process(as_of=end + HOUR)
        done = assert_olap_equals_replay(shop, SINCE, books=books)
        shop.succeed("close", (end - HOUR).date().isoformat(), "--anyway")
        books = close(done, end)
        (told,) = shop.olap_rows("SELECT * FROM dw.cierre ORDER BY hasta DESC LIMIT 1")
        assert (told["movimientos"], told["existencias"], told["valor"]) == totals(books, {})
    bring(shop, typed[12])
    corrected += correct(shop, typed[11], step)
    shop.run_in_process(as_of=ENDS[-1] + 31 * 24 * HOUR)
    books = assert_olap_equals_replay(shop, SINCE, books=books).books
    (late,) = shop.olap_rows(
        "SELECT count(*) FILTER (WHERE NOT reverso AND capa = 0) AS late,"
        " count(DISTINCT id_movimiento) FILTER (WHERE capa > 0) AS corrected"
        " FROM dw.kardex WHERE fecha_documento < fecha OR capa > 0"
    )
    assert late["late"] > 200
    assert late["corrected"] == corrected > 20

    documents = list(read_movements(shop.oltp))
    stock = {row["id_producto"]: row["existencias"] for row in inventory(shop)}
    assert {product: units for product, units in stock.items() if units} == {
        product: units for product, units in in_stock(documents).items() if units
    }
    before = inventory(shop)
    truncate_before(shop, ENDS[-1])
    shop.run_in_process(as_of=ENDS[-1] + 32 * 24 * HOUR)
    archived = assert_olap_equals_replay(shop, SINCE, books=books)
    gone = sum(not m["anulado"] and m["fecha"] < ENDS[-1] for m in documents)
    with restored(shop):
        found = json.loads(shop.succeed("verify", "--json").stdout)
        assert (found["clean"], found["archived"]) == (True, gone)
        shop.run_in_process(as_of=ENDS[-1] + 33 * 24 * HOUR)
        assert inventory(shop) == before
        # Nothing was typed since.
        assert_olap_equals(shop.olap, archived)


def inventory(shop: Shop) -> list[dict[str, Any]]:
    """Stock, value and cost of every product."""
    return shop.olap_rows(
        "SELECT id_producto, existencias, valor, costo_promedio FROM dw.inventario ORDER BY 1"
    )
