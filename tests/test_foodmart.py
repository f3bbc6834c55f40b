"""FoodMart's year through the real commands, each row equal to the oracle's replay of the CSV."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from olap_comparison import assert_olap_equals
from oracle import RECEIPT, SALE, replay
from oracle_rows import Product, Replay, Rules
from shop_database import Shop

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PRODUCTS = DATA / "FOODMART_productos.csv.gz"
YEAR_1997 = DATA / "FOODMART_transacciones.csv.gz"
BATCH_1998 = DATA / "FOODMART_extra1998_transacciones.csv.gz"
SINCE = datetime(1997, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not YEAR_1997.exists(), reason="../shared/data is absent: FoodMart is not part of the project"
)


def lines(path: Path) -> Iterable[dict[str, str]]:
    """The lines of a gzipped CSV."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def movements(path: Path) -> list[dict[str, Any]]:
    """A file of transactions as the oracle takes them."""
    return [
        {
            "id_movimiento": int(line["id_transaccion"]),
            "tipo": line["tipo"],
            "id_producto": int(line["id_producto"]),
            "id_sucursal": int(line["id_tienda"]) if line["id_tienda"] else None,
            "cantidad": Decimal(line["cantidad"]),
            "precio_unitario": Decimal(line["precio_unitario"])
            if line["precio_unitario"]
            else None,
            "costo_unitario": Decimal(line["costo_unitario"]) if line["costo_unitario"] else None,
            "fecha": datetime.fromisoformat(line["fecha"]),
            "anulado": False,
        }
        for line in lines(path)
    ]


def replay_of(*paths: Path) -> Replay:
    """The oracle's replay of files of transactions, one after the other."""
    products = {
        int(line["id_producto"]): Product(line["codigo"], line["nombre"], line["categoria"])
        for line in lines(PRODUCTS)
    }
    rules = Rules(initial=SINCE, snapshot=datetime.now(UTC) - timedelta(days=1))
    return replay([m for path in paths for m in movements(path)], products, rules)


def total(done: Replay, tipo: str, column: str) -> Decimal:
    """A sum over the ledger rows of a type."""
    return sum(
        (
            row.cantidad * getattr(row, column) if column != "cantidad" else row.cantidad
            for row in done.kardex.values()
            if row.tipo == tipo
        ),
        Decimal(0),
    )


def assert_its_totals(done: Replay) -> None:
    """FOODMART_README.md's of 1997, so that what is compared is the right thing."""
    kardex = done.kardex.values()
    assert len(kardex) == 90_896
    assert sum(row.tipo == SALE for row in kardex) == 86_837
    assert sum(row.tipo == RECEIPT for row in kardex) == 4_059
    assert not done.rejects
    assert total(done, SALE, "precio_unitario") == Decimal("565238.13")
    assert total(done, SALE, "cantidad") == 266_773
    assert total(done, RECEIPT, "cantidad") == 207_726
    stock = [row.existencias for row in done.inventory.values()]
    assert (sum(existencias < 0 for existencias in stock), sum(stock)) == (1_061, -59_047)
    went_below_zero = [
        ledger for ledger in done.ledgers.values() if min(row.existencias for row in ledger) < 0
    ]
    assert len(went_below_zero) == 1_523
    assert sum(row.tipo == SALE and row.costo_unitario == 0 for row in kardex) == 29_016
    weighted = [r for r in kardex if r.tipo == RECEIPT and r.existencias > r.cantidad]
    assert len(weighted) == 1_209


@pytest.mark.longest
def test_1997_and_then_1998_are_the_replay_to_the_last_digit(shop: Shop):
    shop.env["ETL_INITIAL_SINCE"] = "1997-01-01"
    shop.succeed("init")
    files = ("--productos", str(PRODUCTS), "--transacciones", str(YEAR_1997))
    said = shop.succeed("import", *files).stdout
    assert "productos: 1560 read, 1560 new, 0 changed, 0 same" in said
    assert "transacciones: 90896 read, 90896 new, 0 changed, 0 same" in said
    shop.run()
    of_1997 = replay_of(YEAR_1997)
    assert_its_totals(of_1997)
    assert_olap_equals(shop.olap, of_1997)
    again = shop.succeed("import", *files).stdout
    assert "productos: 1560 read, 0 new, 0 changed, 1560 same" in again
    assert "transacciones: 90896 read, 0 new, 0 changed, 90896 same" in again

    shop.succeed("import", "--transacciones", str(BATCH_1998))
    shop.run()
    expected = replay_of(YEAR_1997, BATCH_1998)
    assert len(expected.kardex) == 90_896 + 25_595
    assert_olap_equals(shop.olap, expected)
