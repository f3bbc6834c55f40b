"""The recipe for Celerp, tried on a real one: `scripts/test --celerp`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from shop_database import Shop
from shop_server import PASSWORD, REPOSITORY, running_server
from system_trader import Trader

from demo.server import embedded_binaries

PYTHON = REPOSITORY / "build" / "celerp" / "venv" / "bin" / "python"
FIRST_DAY = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 42
CENT = Decimal("0.01")
# Celerp's ledger takes its times from PostgreSQL's clock: here from one that the test sets.
CLOCKWORK = """
CREATE SCHEMA reloj;
CREATE TABLE reloj.hoy AS SELECT now() AS momento, now() AS puesto;
CREATE FUNCTION reloj.ahora() RETURNS timestamptz LANGUAGE sql STABLE AS
    'SELECT h.momento + (now() - h.puesto) FROM reloj.hoy AS h';
ALTER TABLE public.ledger ALTER ts SET DEFAULT reloj.ahora();
"""


@dataclass
class Traded:
    """Celerp, the pipeline that reads it, and how many days have gone by."""

    celerp: Trader
    shop: Shop
    day: int = 0

    def trade(self, *request: Any) -> Any:
        """Have something done on the day."""
        self.shop.till(
            "UPDATE reloj.hoy SET momento = %s, puesto = clock_timestamp()",
            FIRST_DAY + timedelta(days=self.day, hours=9),
        )
        return self.celerp.ask(*request)

    def window(self) -> None:
        """What came since the last, read at the end of the day."""
        self.shop.run_in_process(as_of=FIRST_DAY + timedelta(days=self.day + 1))

    def keys(self, table: str) -> dict[str, Any]:
        """The OLAP's number of each of Celerp's own ids of products or places."""
        rows = self.shop.olap_rows(f"SELECT id_{table} AS id, clave FROM dw.{table}")
        return {row["clave"]: row["id"] for row in rows}

    def assert_stock(self) -> None:
        """Fail unless stock is Celerp's own by product and place, and what was traded by SKU."""
        products, places = self.keys("producto"), self.keys("sucursal")
        theirs: Counter[tuple[int, int]] = Counter()
        for product, place, quantity in self.celerp.ask("levels"):
            thousandths = round(Decimal(str(quantity)) * 1000)
            theirs[products[product], places[place or "sin-lugar"]] += thousandths
        ours: Counter[tuple[int, int]] = Counter()
        by_sku: Counter[str] = Counter()
        for row in self.shop.olap_rows(
            "SELECT e.*, p.codigo FROM dw.existencias_sucursal AS e"
            " JOIN dw.producto AS p USING (id_producto)"
        ):
            assert row["existencias"] * 1000 == int(row["existencias"] * 1000)
            ours[row["id_producto"], row["id_sucursal"]] += int(row["existencias"] * 1000)
            by_sku[row["codigo"]] += int(row["existencias"] * 1000)
        assert {key: n for key, n in ours.items() if n} == {
            key: n for key, n in theirs.items() if n
        }
        assert by_sku == self.celerp.ask("book")["stock"]

    def sales(self) -> dict[str, Decimal]:
        """Net sales by document, without those that came to nothing."""
        return {
            row["documento"]: row["neto"]
            for row in self.shop.olap_rows(
                "SELECT d.documento,"
                " sum(CASE k.tipo WHEN 'VENTA' THEN k.importe ELSE -k.importe END) AS neto"
                " FROM dw.kardex AS k JOIN dw.documento_movimiento AS d USING (id_movimiento)"
                " WHERE k.tipo IN ('VENTA', 'DEVOLUCION_VENTA') GROUP BY d.documento"
            )
            if row["neto"]
        }

    def assert_sales(self) -> None:
        """Fail unless net sales are those of the documents."""
        told = {number: Decimal(net) for number, net in self.celerp.ask("book")["sold"].items()}
        found = self.sales()
        assert found.keys() == told.keys()
        wrong = {number: (net, told[number]) for number, net in found.items()
                 if abs(net - told[number]) > Decimal("0.00001")}  # fmt: skip
        assert not wrong


@pytest.fixture(scope="module")
def traded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Traded]:
    """Six weeks of trade, with a window every few days."""
    if not request.config.getoption("--celerp"):
        pytest.skip("a real Celerp: scripts/test --celerp")
    if not PYTHON.exists():
        pytest.skip(f"no {PYTHON}: scripts/test --celerp installs it")
    folder = tmp_path_factory.mktemp("celerp")
    with running_server(folder, embedded_binaries()) as server, ExitStack() as stack:
        server.execute("CREATE DATABASE {name}", name="celerp")
        place = f"{server.server.host}:{server.server.port}"
        url = f"postgresql://{server.server.superuser}:{quote(PASSWORD)}@{place}/celerp"
        script = REPOSITORY / "tests" / "celerp_trade.py"
        celerp = stack.enter_context(closing(Trader([PYTHON, script, url, folder])))
        celerp.ask("levels")  # once it answers, its tables are there
        _example, olap = stack.enter_context(server.databases())
        shop = stack.enter_context(closing(Shop(server, "celerp", olap, folder)))
        shop.till(CLOCKWORK)
        shop.till("UPDATE ledger SET ts = %s", FIRST_DAY)
        traded = Traded(celerp, shop)
        traded.trade("prepare")
        shop.env |= {
            "ETL_OLTP_SQL_DIR": "receta:celerp-2.7",
            "ETL_INITIAL_SINCE": (FIRST_DAY - timedelta(days=1)).isoformat(),
            "ETL_MAX_SILENT_DAYS": "999",
        }
        shop.succeed("init")
        for traded.day in range(DAYS):
            traded.trade("day", traded.day)
            if traded.day % 6 == 5:
                traded.window()
                traded.assert_stock()
                traded.assert_sales()
        yield traded


def test_six_weeks_are_celerps_own(traded: Traded):
    """And so they were after each window: the fixture has looked."""
    book = traded.celerp.ask("book")
    assert not traded.shop.olap_rows("SELECT * FROM etl.rechazo")
    assert not traded.shop.olap_rows("SELECT * FROM dw.v_diferencias_existencias")
    assert abs(sum(traded.sales().values()) - Decimal(book["sales"])) < CENT
    assert len(book["sold"]) > DAYS
    types = {row["tipo"] for row in traded.shop.olap_rows("SELECT DISTINCT tipo FROM dw.kardex")}
    assert types == {
        "ENTRADA_MERCANCIA", "DEVOLUCION_COMPRA", "VENTA", "DEVOLUCION_VENTA",
        "AJUSTE_ENTRADA", "AJUSTE_SALIDA", "TRASLADO",
    }  # fmt: skip


def test_verify_finds_nothing_and_doctor_names_the_version(traded: Traded):
    assert "the OLAP equals the OLTP" in traded.shop.succeed("verify").stdout
    assert "Celerp 2.7.0; the queries were tried with 2.7" in traded.shop.command("doctor").stdout
    (system,) = json.loads(traded.shop.succeed("adapt", "--detect", "--json").stdout)["systems"]
    assert (system["recipe"], system["version"]) == ("celerp-2.7", "2.7.0")


def test_renamed_things_have_their_new_names(traded: Traded):
    names = {
        row["codigo"]: row["nombre"] for row in traded.shop.olap_rows("SELECT * FROM dw.producto")
    }
    assert names["A-1"] == "Arroz"
    assert "E-5" not in names
    places = {row["nombre"] for row in traded.shop.olap_rows("SELECT * FROM dw.sucursal")}
    assert "Almacen Norte" in places
