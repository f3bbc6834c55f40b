"""The recipe for Tryton, tried on a real one: `scripts/test --tryton`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from olap_comparison import compare_branches, compare_kardex
from oracle import replay
from oracle_rows import Product, Replay, Rules
from shop_database import Shop
from shop_server import PASSWORD, REPOSITORY, ShopServer, running_server
from system_trader import Trader

from demo.server import embedded_binaries

# Which series an option is for; the name is that of the pins, and of the folder of build/.
SERIES = {"tryton": "8.2", "tryton-7": "7.0"}
MODULES = ("stock", "purchase", "sale", "production", "account_stock_landed_cost",
           "sale_supply_drop_shipment", "stock_lot_sled", "stock_consignment")  # fmt: skip
DAYS = 60
FIRST_DAY = datetime(2026, 9, 1, tzinfo=UTC)
COST = ("ENTRADA_MERCANCIA", "AJUSTE_ENTRADA", "DEVOLUCION_COMPRA")


def place_of(name: str) -> Path:
    """Where scripts/test installs a series."""
    return REPOSITORY / "build" / name


def python_of(name: str) -> Path:
    """The folder of its Python, and of its programs."""
    return place_of(name) / "venv" / "bin"


def fill(name: str, server: ShopServer, database: str, folder: Path) -> Path:
    """Tryton's own tables, made by Tryton, which takes minutes, and kept for the next time.

    Returns the configuration by which that database is found.
    """
    place = f"{server.server.host}:{server.server.port}"
    uri = f"postgresql://{server.server.superuser}:{quote(PASSWORD)}@{place}/"
    config = folder / "trytond.conf"
    config.write_text(f"[database]\nuri = {uri}\n", encoding="utf-8")
    pins = (REPOSITORY / "tests" / f"{name}.txt").read_bytes()
    kind = hashlib.sha256(pins + repr(MODULES).encode()).hexdigest()[:12]
    kept = place_of(name) / f"empty-{server.version}-{kind}.dump"
    server.execute("CREATE DATABASE {name}", name=database)
    where = ["-h", server.server.host, "-p", str(server.server.port)]
    where += ["-U", server.server.superuser, "-d", database]
    if kept.exists():
        must_run(server.server.binaries / "pg_restore", *where, kept)
        return config
    secret = folder / "password"
    secret.write_text("only for this test", encoding="utf-8")
    admin = [python_of(name) / "trytond-admin", "-c", config, "-d", database]
    must_run(*admin, "--all", "--email", "a@example.com", "-l", "es", TRYTONPASSFILE=str(secret))
    must_run(*admin, "-u", *MODULES, "--activate-dependencies")
    must_run(server.server.binaries / "pg_dump", "-Fc", *where, "-f", kept)
    return config


def must_run(*command: Any, **environment: str) -> None:
    """Run a program that must succeed, against the tests' server."""
    environment = {**os.environ, "PGPASSWORD": PASSWORD, **environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@contextmanager
def company(name: str, folder: Path) -> Iterator[tuple[Trader, Shop]]:
    """A company in Tryton, and the pipeline that reads it with the recipe."""
    database, script = "tryton", REPOSITORY / "tests" / "tryton_trade.py"
    with running_server(folder, embedded_binaries()) as server, ExitStack() as stack:
        config = fill(name, server, database, folder)
        command = [python_of(name) / "python", script, database]
        trader = Trader(command, TRYTOND_CONFIG=str(config))
        tryton = stack.enter_context(closing(trader))
        _example, olap = stack.enter_context(server.databases())
        shop = stack.enter_context(closing(Shop(server, database, olap, folder)))
        tryton.ask("prepare")
        shop.env |= {
            "ETL_OLTP_SQL_DIR": "receta:tryton-8",
            "ETL_INITIAL_SINCE": FIRST_DAY.isoformat(),
            "ETL_MAX_SILENT_DAYS": "999",
        }
        shop.succeed("init")
        yield tryton, shop


@pytest.fixture(scope="module", params=SERIES)
def name(request: pytest.FixtureRequest) -> str:
    """The series that is there, by its option."""
    name: str = request.param
    if not request.config.getoption(f"--{name}"):
        pytest.skip(f"a real Tryton {SERIES[name]}: scripts/test --{name}")
    if not (python_of(name) / "trytond-admin").exists():
        pytest.skip(f"no Tryton in {place_of(name)}: scripts/test --{name} installs it")
    return name


@pytest.fixture(scope="module")
def traded(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Trader, Shop]]:
    """Sixty days of trade, with a window every few days."""
    with company(name, tmp_path_factory.mktemp("tryton")) as (tryton, shop):
        for number in range(DAYS):
            tryton.ask("day", number)
            if number % 6 == 5:
                shop.run_in_process(as_of=FIRST_DAY + timedelta(days=number + 1))
                assert_ledger(tryton, shop)
        yield tryton, shop


def as_movement(said: dict[str, Any]) -> dict[str, Any]:
    """What a document says, as the oracle takes it."""
    tipo = said["tipo"]
    price = Decimal(said["precio"]) if "precio" in said else None
    return {
        "id_movimiento": said["id_movimiento"],
        "tipo": tipo,
        "id_producto": said["producto"],
        "id_sucursal": said["sucursal"],
        "id_sucursal_destino": said.get("destino") and int(said["destino"]),
        "cantidad": Decimal(said["cantidad"]),
        "precio_unitario": None if tipo in COST else price,
        "costo_unitario": price if tipo in COST else None,
        "importe": Decimal(said["importe"]) if "importe" in said else None,
        "precio_con_impuesto": False,
        "fecha": datetime.fromisoformat(said["fecha"]).replace(tzinfo=UTC),
        "anulado": False,
        "id_origen": said.get("origen") and int(said["origen"]),
    }


def from_the_documents(tryton: Trader, shop: Shop, *who: str) -> Replay:
    """The ledger as the documents have it, by the oracle, without a look at Tryton's tables."""
    products = {
        row["id_producto"]: Product(row["codigo"], row["nombre"], row["categoria"])
        for row in shop.olap_rows("SELECT * FROM dw.producto")
    }
    rules = Rules(initial=FIRST_DAY, snapshot=datetime.now(UTC))
    return replay([as_movement(said) for said in tryton.ask(*who, "book")], products, rules)


def assert_ledger(tryton: Trader, shop: Shop, *who: str) -> None:
    """Fail with the first differences unless the ledger is what the documents say.

    `who` is "second" for that company's documents.
    """
    expected = from_the_documents(tryton, shop, *who)
    found = compare_kardex(shop.olap, expected) + compare_branches(shop.olap, expected)
    assert not found, "\n".join(found)


def stocks(tryton: Trader, shop: Shop, *who: str) -> tuple[dict[Any, Decimal], dict[Any, Decimal]]:
    """Tryton's own stock by product and place, without what is a supplier's own, and ours."""
    told = {(product, place): Decimal(q) for product, place, q in tryton.ask(*who, "stock")}
    theirs = dict(told)
    for consigned, place in tryton.ask("consigned"):
        for product, where in told:
            if where == consigned:
                theirs[product, place] -= told[product, where]
                del theirs[product, where]
    rows = shop.olap_rows("SELECT * FROM dw.existencias_sucursal")
    ours = {(row["id_producto"], row["id_sucursal"]): row["existencias"] for row in rows}
    return {k: q for k, q in theirs.items() if q}, {k: q for k, q in ours.items() if q}


def test_stock_is_what_tryton_says_without_what_is_the_suppliers(traded: tuple[Trader, Shop]):
    theirs, ours = stocks(*traded)
    assert theirs == ours
    assert len({place for _product, place in theirs}) > 2
    figures = {(product, place): Decimal(q) for product, place, q in traded[0].ask("stock")}
    consigned = {where for where, _place in traded[0].ask("consigned")}
    assert sum(q for (_product, place), q in figures.items() if place in consigned) > 20


def test_the_ledger_is_what_the_documents_say(traded: tuple[Trader, Shop]):
    tryton, shop = traded
    assert_ledger(tryton, shop)
    (types,) = shop.olap_rows("SELECT count(DISTINCT tipo) AS n FROM dw.kardex")
    assert types["n"] == 7
    assert not shop.olap_rows("SELECT * FROM etl.rechazo")


def test_names_are_those_that_tryton_shows(traded: tuple[Trader, Shop]):
    tryton, shop = traded
    rows = shop.olap_rows("SELECT * FROM dw.producto WHERE inventariable")
    assert {row["codigo"]: row["nombre"] for row in rows} == tryton.ask("names")
    assert {(row["categoria"], row["activo"]) for row in rows} == {("Food", True)}
    assert "Leche" in {row["nombre"] for row in rows}
    branches = {row["nombre"] for row in shop.olap_rows("SELECT * FROM dw.sucursal")}
    assert {"Warehouse", "Depot", "Transit"} <= branches


# How far Tryton's own average may be from ours, by what the guide says: it keeps what went back to
# the supplier in it, and holds that a sale emptied the shelf that was filled for it the same day.
APART = {"YOGURT": Decimal("0.12"), "HONEY": Decimal("0.04")}


def assert_average(tryton: Trader, shop: Shop, *who: str) -> None:
    """Fail unless Tryton's own average, after its nightly task, is near ours."""
    tryton.ask(*who, "recompute")
    theirs = tryton.ask(*who, "costs")
    rows = shop.olap_rows(
        "SELECT * FROM dw.inventario JOIN dw.producto USING (id_producto) WHERE existencias <> 0"
    )
    both = {
        row["codigo"]: (Decimal(theirs[str(row["id_producto"])]), row["costo_promedio"])
        for row in rows
    }
    print(both)
    near = Decimal("0.006")
    assert {
        code: (their, our)
        for code, (their, our) in both.items()
        if abs(their / our - 1) > APART.get(code, near)
    } == {}
    assert len(both) > (2 if who else 5)


def test_the_average_is_trytons_but_for_what_the_guide_says(traded: tuple[Trader, Shop]):
    assert_average(*traded)


def test_no_sale_is_brought_back_for_more_than_it_was(traded: tuple[Trader, Shop]):
    _tryton, shop = traded
    said = json.loads(shop.succeed("status", "--json").stdout)
    assert (said["returned_beyond_sale_count"], said["unusable_origins_count"]) == (0, 0)


def test_the_second_companys_ledger_is_a_line_away(traded: tuple[Trader, Shop], tmp_path: Path):
    tryton, first = traded
    assert "de otra empresa" in first.command("status").stdout
    queries = tmp_path / "consultas"
    shutil.copytree(REPOSITORY / "sql" / "oltp" / "recetas" / "tryton-8", queries)
    text = (queries / "movimientos.sql").read_text(encoding="utf-8")
    others = text.replace("SELECT min(c.id)", "SELECT max(c.id)")
    assert others != text
    (queries / "movimientos.sql").write_text(others, encoding="utf-8")
    with (
        first.server.databases() as (_example, olap),
        closing(Shop(first.server, first.oltp_name, olap, tmp_path)) as shop,
    ):
        shop.env = first.env | shop.env
        shop.env |= {"ETL_OLTP_SQL_DIR": str(queries), "ETL_INITIAL_SINCE": FIRST_DAY.isoformat()}
        shop.succeed("init")
        shop.run_in_process(as_of=FIRST_DAY + timedelta(days=DAYS))
        assert_ledger(tryton, shop, "second")
        theirs, ours = stocks(tryton, shop, "second")
        assert theirs == ours
        assert len(theirs) > 4
        assert "the OLAP equals the OLTP" in shop.succeed("verify").stdout
        assert_average(tryton, shop, "second")


def test_verify_finds_nothing_and_doctor_names_the_series(name: str, traded: tuple[Trader, Shop]):
    _tryton, shop = traded
    assert "the OLAP equals the OLTP" in shop.succeed("verify").stdout
    said = shop.command("doctor").stdout
    assert f"Tryton {SERIES[name]}; the queries were tried with 7.0, 8.2" in said
    (system,) = json.loads(shop.succeed("adapt", "--detect", "--json").stdout)["systems"]
    assert (system["recipe"], system["version"]) == ("tryton-8", SERIES[name])


def test_a_delivery_that_was_read_and_is_deleted_is_found_by_verify(traded: tuple[Trader, Shop]):
    tryton, shop = traded
    tryton.ask("cancel_a_sale", 3, True)
    shop.run_in_process(as_of=FIRST_DAY + timedelta(days=DAYS + 1))
    shop.succeed("verify", "--repair")
    assert_ledger(tryton, shop)
