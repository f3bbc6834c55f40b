"""The recipe for Vendure, tried on a real one: `scripts/test --vendure`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from unittest import mock
from urllib.parse import quote

import pytest
from shop_database import Shop
from shop_server import PASSWORD, REPOSITORY, ShopServer, running_server
from system_trader import Trader

from demo.server import embedded_binaries
from pipeline.run import extract

PLACE = REPOSITORY / "build" / "vendure"
FIRST_DAY = datetime(2026, 9, 1, 15, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 42
# Vendure's PostgreSQL, its node and the shop are each in a zone of its own.
CLOCK, NODE, ZONE = "America/New_York", "Asia/Tokyo", "America/Lima"
CENT = Decimal("0.01")

# Vendure writes its times by now(), which here tells the test's. Only its own account looks there.
MADE = f"""
CREATE ROLE vendure LOGIN PASSWORD '{PASSWORD}';
CREATE DATABASE vendure OWNER vendure;
ALTER DATABASE vendure SET TimeZone = '{CLOCK}';
ALTER ROLE vendure IN DATABASE vendure SET search_path = public, reloj, pg_catalog;
"""
CLOCKWORK = """
CREATE SCHEMA reloj;
CREATE TABLE reloj.hoy AS SELECT now() AS momento, now() AS puesto;
CREATE FUNCTION reloj.now() RETURNS timestamptz LANGUAGE sql STABLE AS
    'SELECT h.momento + (pg_catalog.now() - h.puesto) FROM reloj.hoy AS h';
GRANT USAGE ON SCHEMA reloj TO vendure;
GRANT SELECT ON reloj.hoy TO vendure;
"""


@dataclass
class Traded:
    """Vendure, the pipeline that reads it, and what was seen on the way."""

    vendure: Trader
    shop: Shop
    taxed: bool  # whether its prices include the tax
    day: int = 0
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        """When the windows' snapshot is of."""
        return FIRST_DAY + self.day * DAY + timedelta(hours=8)

    def trade(self, *request: Any) -> Any:
        """Have something done on the day."""
        self.shop.till(
            "UPDATE reloj.hoy SET momento = %s, puesto = clock_timestamp()",
            FIRST_DAY + self.day * DAY,
        )
        return self.vendure.ask(*request)

    def window(self, **parameters: Any) -> None:
        """What came since the last, read at the end of the day."""
        real = extract.open_read

        def then(*arguments: Any) -> Any:
            source = real(*arguments)
            return replace(source, snapshot=replace(source.snapshot, moment=self.moment))

        with mock.patch.object(extract, "open_read", then):
            self.shop.run_in_process(as_of=self.moment, **parameters)

    def keys(self, table: str) -> dict[str, Any]:
        """The OLAP's number of each of the shop's own ids of products or branches."""
        rows = self.shop.olap_rows(f"SELECT id_{table} AS id, clave FROM dw.{table}")
        return {row["clave"] or str(row["id"]): row["id"] for row in rows}

    def theirs(self) -> dict[tuple[int, int], Decimal]:
        """Vendure's own figure of what is on hand, of what it keeps stock of."""
        products, places = self.keys("producto"), self.keys("sucursal")
        return {
            (products[variant], places[place]): Decimal(on_hand)
            for variant, place, on_hand, _allocated, tracked in self.vendure.ask("levels")
            if tracked
        }

    def ours(self) -> dict[tuple[int, int], Decimal]:
        """What the ledger says there is."""
        rows = self.shop.olap_rows("SELECT * FROM dw.existencias_sucursal")
        return {(row["id_producto"], row["id_sucursal"]): row["existencias"] for row in rows}

    def apart(self) -> dict[tuple[str, str], Decimal]:
        """By SKU and location where Vendure's figure is another than the ledger's, less ours."""
        theirs, ours = self.theirs(), self.ours()
        names = {row["id_producto"]: row["codigo"] for row in self.shop.olap_rows(
            "SELECT id_producto, codigo FROM dw.producto")}  # fmt: skip
        places = {row["id_sucursal"]: row["nombre"] for row in self.shop.olap_rows(
            "SELECT id_sucursal, nombre FROM dw.sucursal")}  # fmt: skip
        return {
            (names[product], places[place]): quantity - ours.get((product, place), Decimal())
            for (product, place), quantity in theirs.items()
            if quantity != ours.get((product, place), Decimal())
        }

    def assert_sold(self) -> None:
        """Fail unless what left and came back is what the book says, by day and SKU."""
        book: Counter[tuple[int, str]] = Counter()
        for day, sku, quantity in self.vendure.ask("book")["moved"]:
            book[day, sku] += quantity
        found: Counter[tuple[int, str]] = Counter()
        for row in self.shop.olap_rows(
            "SELECT p.codigo, k.* FROM dw.kardex AS k JOIN dw.producto AS p USING (id_producto)"
            " WHERE k.tipo IN ('VENTA', 'DEVOLUCION_VENTA')"
        ):
            # Not by another clock, nor in another zone.
            assert (row["fecha"] - FIRST_DAY) % DAY < timedelta(minutes=30)
            sign = 1 if row["tipo"] == "VENTA" else -1
            found[(row["fecha"] - FIRST_DAY).days, row["codigo"]] += sign * int(row["cantidad"])
        assert {key: n for key, n in found.items() if n} == {key: n for key, n in book.items() if n}

    def assert_amounts(self) -> None:
        """Fail unless what each order is of goods that were shipped is what Vendure says it is."""
        wanted, net = {}, {}
        for order in self.vendure.ask("orders"):
            lines = [line for line in order["lines"] if sent(line)]
            if order["currencyCode"] == "PEN" and lines:
                wanted[order["code"]] = sum(worth(line, self.taxed) for line in lines)
                net[order["code"]] = sum(worth(line, False) for line in lines)
        found: dict[str, Decimal] = {}
        bare: dict[str, Decimal] = {}
        for row in self.shop.olap_rows(
            "SELECT d.documento, k.* FROM dw.kardex AS k"
            " JOIN dw.documento_movimiento AS d USING (id_movimiento)"
            " WHERE k.tipo IN ('VENTA', 'DEVOLUCION_VENTA')"
        ):
            amount = row["importe"] if row["tipo"] == "VENTA" else -row["importe"]
            assert row["precio_con_impuesto"] is self.taxed
            within = 1 + row["impuesto"] if self.taxed else 1
            code = row["documento"]
            found[code] = found.get(code, Decimal()) + amount
            bare[code] = bare.get(code, Decimal()) + amount / within
        # Of what has come back whole, nothing is left to tell.
        assert wanted.keys() <= found.keys()
        wrong = {code: (amount, wanted.get(code)) for code, amount in found.items()
                 if abs(amount - wanted.get(code, 0)) > CENT}  # fmt: skip
        assert not wrong
        cents = sum(found.values()) - sum(wanted.values())
        self.seen["cents"] = cents
        self.seen["net"] = sum(bare.values()), sum(net.values())
        self.seen["orders"] = len(found)


def sent(line: dict[str, Any]) -> int:
    """How much of a line was shipped, in shipments that were not cancelled, and not come back."""
    whole = sum(one["quantity"] for one in line["fulfillmentLines"] or []
                if one["fulfillment"]["state"] not in ("Created", "Cancelled"))  # fmt: skip
    return min(whole, line["quantity"])


def worth(line: dict[str, Any], taxed: bool) -> Decimal:
    """What of a line was shipped, by Vendure's own figure of the line, after all discounts."""
    whole = line["proratedLinePriceWithTax" if taxed else "proratedLinePrice"]
    amount = Decimal(whole) * sent(line) / line["quantity"] / 100
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def make(server: ShopServer) -> str:
    """Vendure's database, empty, in a zone of its own and by the test's clock; where it is."""
    for statement in MADE.strip().split("\n"):
        server.execute(statement)
    with closing(server.connect("vendure")) as connection:
        connection.cursor().execute(CLOCKWORK)
    place = f"{server.server.host}:{server.server.port}"
    return f"postgresql://vendure:{quote(PASSWORD)}@{place}/vendure"


@pytest.fixture(scope="module", params=["integer", "uuid"])
def traded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Traded]:
    """Six weeks of trade, with a window every few days, and then what Vendure tells in two ways."""
    if not request.config.getoption("--vendure"):
        pytest.skip("a real Vendure: scripts/test --vendure")
    if not (PLACE / "node_modules" / "@vendure" / "core").exists():
        pytest.skip(f"no Vendure in {PLACE}: scripts/test --vendure installs it")
    folder = tmp_path_factory.mktemp("vendure")
    with running_server(folder, embedded_binaries()) as server, ExitStack() as stack:
        url = make(server)
        script = REPOSITORY / "tests" / "vendure" / "trade.mjs"
        # Else it tells its makers of itself, and keeps a number for that in the working directory.
        told = {"TZ": NODE, "VENDURE_DISABLE_TELEMETRY": "true"}
        trader = Trader(["node", script, PLACE, url, request.param], **told)
        stack.enter_context(closing(trader))
        _example, olap = stack.enter_context(server.databases())
        shop = stack.enter_context(closing(Shop(server, "vendure", olap, folder)))
        traded = Traded(trader, shop, request.param == "uuid")
        traded.trade("prepare", traded.taxed)
        shop.env |= {
            "ETL_OLTP_SQL_DIR": "receta:vendure-3",
            "ETL_INITIAL_SINCE": (FIRST_DAY - DAY).isoformat(),
            "ETL_MAX_SILENT_DAYS": "999",
            "ETL_TIMEZONE": ZONE,
        }
        shop.succeed("init")
        for traded.day in range(DAYS):
            traded.trade("day", traded.day)
            if traded.day % 6 == 5:
                traded.window()
                assert traded.apart() == {}
                traded.assert_sold()
                traded.assert_amounts()
        traded.seen["six weeks"] = dict(traded.seen)
        for event in ("rest", "dollars", "split", "last"):
            traded.day += 1
            before = traded.apart()
            traded.trade("begin", traded.day)
            traded.trade(event)
            traded.window()
            after = traded.apart()
            traded.seen[event] = {
                key: after.get(key, 0) - before.get(key, 0)
                for key in after.keys() | before.keys()
                if after.get(key, 0) != before.get(key, 0)
            }
            traded.assert_sold()
            traded.assert_amounts()
        yield traded


def test_in_six_weeks_vendures_own_figure_is_the_ledgers(traded: Traded):
    """And so it was after each window: the fixture has looked, at what was sold as well."""
    assert traded.seen["six weeks"]["orders"] > 30
    assert abs(traded.seen["six weeks"]["cents"]) < Decimal("0.05")


def test_what_vendures_own_figure_tells_otherwise(traded: Traded):
    first = "Default Stock Location"
    assert traded.seen["rest"] == {("MUG", first): 2}
    assert traded.seen["split"] == {}
    assert traded.seen["last"] == {("POEMS", first): 1}
    assert traded.seen["dollars"] == {("TEA", first): -3}
    # What waits as a reject explains what it moves.
    told = traded.shop.olap_rows("SELECT codigo, diferencia FROM dw.v_diferencias_existencias")
    assert {row["codigo"]: row["diferencia"] for row in told} == {"MUG": 2, "TEA": -3, "POEMS": 1}


def test_another_currency_is_a_reject_that_says_which(traded: Traded):
    (reject,) = traded.shop.olap_rows(
        "SELECT r.motivo, d.documento FROM etl.rechazo AS r"
        " LEFT JOIN dw.documento_movimiento AS d USING (id_movimiento)"
    )
    assert reject["motivo"] == "sin precio"
    assert reject["documento"].endswith(", en USD")
    assert ", en USD" in traded.shop.succeed("rejects").stdout


def test_the_catalogue_is_vendures(traded: Traded):
    book = traded.vendure.ask("book")
    rows = traded.shop.olap_rows("SELECT * FROM dw.producto")
    assert {row["codigo"]: row["nombre"] for row in rows} == book["names"]
    assert {row["codigo"] for row in rows if not row["activo"]} == set(book["deleted"]) == {"LAMP"}
    assert [row["codigo"] for row in rows if not row["inventariable"]] == ["CARD"]
    kitchen = {row["codigo"] for row in rows if row["categoria"] == "Kitchen"}
    assert kitchen == {"MUG", "TEA", "LAMP"}
    branches = traded.shop.olap_rows("SELECT nombre FROM dw.sucursal")
    assert {row["nombre"] for row in branches} >= {"Default Stock Location", "Store"}


def test_verify_finds_nothing_and_doctor_names_the_version(traded: Traded):
    assert "the OLAP equals the OLTP" in traded.shop.succeed("verify").stdout
    assert "Vendure 3.7; the queries were tried with 3.7" in traded.shop.command("doctor").stdout
    assert "receta:vendure-3: Vendure 3.7" in traded.shop.succeed("adapt", "--detect").stdout


def test_a_location_is_closed_and_what_differs_is_booked(traded: Traded):
    """Its adjustments go from Vendure with it, and its sales are those of the first location."""
    shop = traded.shop
    shop.env["ETL_STOCK_DIFFERENCES"] = "adjust"
    traded.day += 1
    traded.window(accept_adjustments=True)
    # What waits as a reject explains what it moves.
    assert traded.apart() == {("TEA", "Default Stock Location"): -3}
    booked = (
        "SELECT codigo, cantidad FROM dw.ajuste_existencias JOIN dw.producto USING (id_producto)"
    )
    assert {row["codigo"]: row["cantidad"] for row in shop.olap_rows(booked)} == {
        "MUG": 2,
        "POEMS": 1,
    }
    # What the other location takes over is more than goes without being asked.
    traded.trade("close", 1, 0)
    traded.day += 2
    traded.window(accept_adjustments=True)
    assert traded.apart() == {}
    # Of a line that was kept at both the second part is at the first location now, and no version
    # of it has changed.
    done = shop.command("verify")
    assert done.returncode != 0
    assert "different             1: E" in done.stdout
    assert "the OLAP equals the OLTP" in shop.succeed("verify", "--repair").stdout
    assert traded.apart() == {}
    left = "SELECT * FROM dw.existencias_sucursal JOIN dw.sucursal USING (id_sucursal)"
    assert not shop.olap_rows(f"{left} WHERE nombre = 'Store' AND existencias <> 0")


def test_rows_that_were_written_all_at_once_are_read(traded: Traded):
    """As after a restore: every row is of one transaction."""
    shop = traded.shop
    tables = ("fulfillment", "history_entry", "order", "order_line", "order_line_reference",
              "product_variant", "stock_level", "stock_movement")  # fmt: skip
    shop.till(";".join(f'UPDATE "{table}" SET id = id' for table in tables))
    traded.day += 1
    traded.window()
    assert traded.apart() == {}
    assert "the OLAP equals the OLTP" in shop.succeed("verify").stdout


def test_another_version_is_refused_in_a_line(traded: Traded):
    shop = traded.shop
    shop.till('ALTER TABLE stock_level ADD COLUMN "custom" integer')
    try:
        done = shop.run_due()
        assert done.returncode == 30
        assert "the shop runs Vendure of an unknown version, and the queries that" in done.stdout
    finally:
        shop.till('ALTER TABLE stock_level DROP COLUMN "custom"')
