"""The recipe for django-oscar, tried on a real one: `scripts/test --oscar`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

import pytest
from shop_database import Shop
from shop_server import PASSWORD, REPOSITORY, running_server
from system_trader import Trader

from demo.server import embedded_binaries

PYTHON = REPOSITORY / "build" / "oscar" / "venv" / "bin" / "python"
FIRST_DAY = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 60
COST = Decimal(4)


@pytest.fixture(scope="module")
def sold(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Trader, Shop]]:
    """Sixty days of orders, with a window every few days; the shop began with 1000 of each."""
    if not request.config.getoption("--oscar"):
        pytest.skip("a real django-oscar: scripts/test --oscar")
    if not PYTHON.exists():
        pytest.skip(f"no {PYTHON}: scripts/test --oscar installs it")
    folder = tmp_path_factory.mktemp("oscar")
    with running_server(folder, embedded_binaries()) as server:
        server.execute("CREATE DATABASE {name}", name="oscar")
        place = f"{server.server.host}:{server.server.port}"
        url = f"postgresql://{server.server.superuser}:{quote(PASSWORD)}@{place}/oscar"
        script = REPOSITORY / "tests" / "oscar_trade.py"
        with (
            closing(Trader([PYTHON, script, url])) as oscar,
            server.databases() as (_example, olap),
            closing(Shop(server, "oscar", olap, folder)) as shop,
        ):
            oscar.ask("prepare")
            shop.env |= {
                "ETL_OLTP_SQL_DIR": "receta:oscar-4",
                "ETL_INITIAL_SINCE": FIRST_DAY.isoformat(),
                "ETL_MAX_SILENT_DAYS": "999",
            }
            shop.succeed("init")
            shop.run_in_process(as_of=FIRST_DAY + timedelta(hours=1))
            opening = folder / "opening.csv"
            opening.write_text(
                "id_producto,existencias,costo_promedio,fecha\n"
                + "".join(f"{sku},1000,{COST},2026-09-01\n" for sku in ("A-1", "B-2", "C-3"))
            )
            shop.succeed("opening", str(opening))
            for number in range(DAYS):
                oscar.ask("day", number)
                if number % 6 == 5:
                    shop.run_in_process(as_of=FIRST_DAY + timedelta(days=number + 1))
            yield oscar, shop


def test_the_ledger_is_what_was_ordered(sold: tuple[Trader, Shop]):
    oscar, shop = sold
    expected = {
        int(line): (
            said["sku"],
            Decimal(said["cantidad"]),
            Decimal(said["importe"]),
            said["cantidad"] * COST,
            datetime.fromisoformat(said["fecha"]),
            said["documento"],
        )
        for line, said in oscar.ask("book").items()
    }
    rows = shop.olap_rows(
        "SELECT k.id_movimiento, p.clave, k.cantidad, k.importe, k.costo_total, k.fecha,"
        " d.documento FROM dw.kardex AS k JOIN dw.producto AS p USING (id_producto)"
        " LEFT JOIN dw.documento_movimiento AS d USING (id_movimiento) WHERE k.tipo = 'VENTA'"
    )
    found = {row["id_movimiento"]: tuple(list(row.values())[1:]) for row in rows}
    assert found == expected
    assert len(expected) > DAYS


def test_the_stock_differs_by_what_came_in_and_what_was_deleted(sold: tuple[Trader, Shop]):
    oscar, shop = sold
    theirs = oscar.ask("stock")
    assert set(theirs) == {"A-1", "B-2"}
    ours = {
        row["clave"]: row["existencias"]
        for row in shop.olap_rows(
            "SELECT p.clave, i.existencias FROM dw.inventario AS i"
            " JOIN dw.producto AS p USING (id_producto)"
        )
    }
    assert theirs["A-1"] - ours["A-1"] == 50
    assert theirs["B-2"] == ours["B-2"]
    differences = shop.olap_rows("SELECT * FROM dw.v_diferencias_existencias")
    assert {row["codigo"]: row["diferencia"] for row in differences} == {
        "775A-1": 50,
        "775C-3": -ours["C-3"],
    }
    (gone,) = shop.olap_rows("SELECT * FROM dw.producto WHERE NOT activo")
    assert gone["clave"] == "C-3"


def test_verify_finds_nothing_and_doctor_names_the_version(sold: tuple[Trader, Shop]):
    _oscar, shop = sold
    assert "the OLAP equals the OLTP" in shop.succeed("verify").stdout
    said = shop.command("doctor").stdout
    assert "django-oscar 4.2; the queries were tried with 4.2" in said
