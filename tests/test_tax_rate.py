"""A tax rate that nobody has said is asked for; one that was said, be it 0, is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from guide import block_texts
from shop_database import Shop
from shop_words import own_words

from pipeline.report.figures import read_figures
from pipeline.report.page import render_page
from pipeline.settings import load_settings

pytestmark = pytest.mark.one_postgres

ASKED = "nobody has said the tax rate of the prices"
ON_THE_PAGE = "Nadie ha dicho qué impuesto llevan los precios"
GENERAL = "WHERE id_producto IS NULL AND categoria IS NULL AND desde IS NULL"


@pytest.fixture
def unsaid(shop: Shop) -> Shop:
    """A shop that sold for 11.80, of which nobody has said what tax is within."""
    shop.olap.cursor().execute(f"UPDATE dw.politica_precio SET impuesto = NULL {GENERAL}")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    shop.product(1)
    shop.receipt(yesterday, (1, 10, 5))
    shop.sale(yesterday + timedelta(minutes=1), (1, 1, "11.80"))
    return shop


def asks(shop: Shop) -> list[bool]:
    """Whether init, doctor, status, their JSON and the page ask for it."""
    doctor = json.loads(shop.succeed("doctor", "--json").stdout)
    (finding,) = [f for f in doctor["findings"] if f["what"] == "tax of prices"]
    with shop.environment():
        page = render_page(read_figures(load_settings()), "es")
    return [
        ASKED in shop.succeed("init").stdout,
        not json.loads(shop.succeed("init", "--json").stdout)["tax_rate_said"],
        finding["state"] == "warning" and "dw.politica_precio" in finding["remedy"],
        ASKED in shop.succeed("status").stdout,
        not json.loads(shop.succeed("status", "--json").stdout)["tax_rate_said"],
        ON_THE_PAGE in page,
    ]


def test_it_is_asked_for_until_somebody_says_it(unsaid: Shop):
    unsaid.run_in_process()
    assert asks(unsaid) == [True] * 6
    # As the guide says it, and doctor's remedy.
    (said,) = block_texts("4. First run", "sql")
    unsaid.olap.cursor().execute(said)
    unsaid.run_in_process(as_of=datetime.now(UTC) + timedelta(seconds=2))
    assert asks(unsaid) == [False] * 6
    with unsaid.environment():
        figures = read_figures(load_settings())
    (day,) = [row for row in figures.lists["ventas_diarias"] if row["bruta"]]
    # What is in the drawer beside what is left of it.
    assert (day["bruta"], day["venta"]) == (Decimal("11.80"), 10)


@pytest.mark.parametrize("said", ["0", "category", "product", "dated"])
def test_whoever_has_said_anything_is_not_asked(unsaid: Shop, said: str):
    statements = {
        "0": f"UPDATE dw.politica_precio SET impuesto = 0 {GENERAL}",
        "category": "INSERT INTO dw.politica_precio (categoria, impuesto) VALUES ('X', 0.1)",
        "product": "INSERT INTO dw.politica_precio (id_producto, impuesto) VALUES (1, 0.1)",
        "dated": "INSERT INTO dw.politica_precio (desde, impuesto) VALUES ('2020-01-01', 0.1)",
    }
    unsaid.olap.cursor().execute(statements[said])
    unsaid.run_in_process()
    assert asks(unsaid) == [False] * 6


def test_lines_that_say_their_own_are_enough(unsaid: Shop):
    own_words(unsaid)
    unsaid.till("UPDATE detalle_transaccion SET impuesto = 0.18")
    unsaid.run_in_process()
    assert asks(unsaid) == [False] * 6
    # One that does not is asked for.
    unsaid.product(2)
    unsaid.sale(datetime.now(UTC), (2, 1, "11.80"))
    unsaid.run_in_process(as_of=datetime.now(UTC) + timedelta(seconds=2))
    assert asks(unsaid) == [True] * 6


def test_prices_without_tax_are_not_asked_for_one(unsaid: Shop):
    unsaid.env["ETL_PRICES_INCLUDE_TAX"] = "false"
    unsaid.run_in_process()
    assert asks(unsaid) == [False] * 6


def test_what_is_shipped_says_nothing(shop: Shop):
    """A fresh OLAP's own row; what tests start from has been told 0."""
    with shop.olap.cursor() as cursor:
        cursor.execute("DELETE FROM dw.politica_precio")
    assert ASKED in shop.succeed("init").stdout
    assert shop.olap_rows("SELECT margen, impuesto, redondeo FROM dw.politica_precio") == [
        {"margen": Decimal("0.30"), "impuesto": None, "redondeo": Decimal("0.01")}
    ]
