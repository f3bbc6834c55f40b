"""The recipes for Medusa, tried on a real one: `scripts/test --medusa`."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from medusa_trade import LOGIN, OPENING, Trade
from shop_database import Shop
from shop_server import PASSWORD, REPOSITORY, ShopServer, running_server

from demo.server import embedded_binaries

PLACE = REPOSITORY / "build" / "medusa"
SET_UP = REPOSITORY / "tests" / "medusa"
MEDUSA = PLACE / "node_modules" / ".bin" / "medusa"
RECIPES = REPOSITORY / "sql" / "oltp" / "recetas"
DAYS = 27
FIRST_DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
    days=DAYS + 3
)
COST = Decimal("2.5")
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Traded:
    """A Medusa, and two pipelines that read it: with and without the owner's trigger."""

    medusa: Trade
    plain: Shop
    history: Shop


def environment(server: ShopServer, database: str, folder: Path) -> dict[str, str]:
    """What Medusa needs to run on the tests' server, by a clock of ours, without telemetry."""
    place = f"{server.server.host}:{server.server.port}"
    foreign = ("PG", "MEDUSA", "NODE", "DATABASE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {
        "DATABASE_URL": f"postgresql://{server.server.superuser}:{quote(PASSWORD)}@{place}/{database}",
        "MEDUSA_DISABLE_TELEMETRY": "true",
        "NODE_ENV": "production",
        "NODE_OPTIONS": f"--require {SET_UP / 'clock.js'}",
        "SHOP_CLOCK": str(folder / "clock"),
        "PGPASSWORD": PASSWORD,
    }


def must_run(*command: Any, **options: Any) -> None:
    """Run a program that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=PLACE, **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def fill(server: ShopServer, database: str, env: dict[str, str]) -> None:
    """Medusa's own tables, made by Medusa, which takes a minute, and kept for the next time."""
    kind = hashlib.sha256((SET_UP / "package.json").read_bytes()).hexdigest()[:12]
    kept = PLACE / f"empty-{server.version}-{kind}.dump"
    server.execute("CREATE DATABASE {name}", name=database)
    where = on_the_server(server, database)
    if kept.exists():
        must_run(server.server.binaries / "pg_restore", *where, kept, env=env)
        return
    must_run(MEDUSA, "db:migrate", env=env)
    must_run(MEDUSA, "user", "-e", LOGIN["email"], "-p", LOGIN["password"], env=env)
    must_run(server.server.binaries / "pg_dump", "-Fc", *where, "-f", kept, env=env)


def on_the_server(server: ShopServer, database: str) -> list[str]:
    """How PostgreSQL's programs find that database."""
    where = ["-h", server.server.host, "-p", str(server.server.port)]
    return [*where, "-U", server.server.superuser, "-d", database]


@contextmanager
def medusa_at_work(folder: Path, env: dict[str, str]) -> Iterator[Trade]:
    """A running Medusa, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "medusa.log"
    with log.open("w") as said:
        process = subprocess.Popen(
            [MEDUSA, "start", "-H", "127.0.0.1", "-p", str(port)],
            cwd=PLACE, env=env, stdout=subprocess.PIPE, stderr=said, text=True,
        )  # fmt: skip
    try:
        assert process.stdout
        for line in process.stdout:
            if "Server is ready" in line:
                break
        else:
            pytest.fail(f"Medusa did not start:\n{log.read_text()[-2000:]}")
        # Whatever else it says, so that it never waits for a reader.
        subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        yield Trade(f"http://127.0.0.1:{port}", folder / "clock")
    finally:
        process.terminate()
        process.wait()


def keep_history(server: ShopServer, database: str) -> None:
    """What the owner runs once; the first rows are of the beginning, by the clock of this shop."""
    script = RECIPES / "medusa-2-historial" / "instalar.sql"
    server.run_script(database, script)
    with closing(server.connect(database)) as connection:
        connection.cursor().execute(
            "UPDATE historial.existencias SET momento = %s WHERE antes IS NULL",
            (FIRST_DAY + timedelta(hours=2),),
        )


def begin(shop: Shop, recipe: str, medusa: Trade, **settings: str) -> None:
    """The first window, and the opening balance of each product at each place."""
    shop.env |= {
        "ETL_OLTP_SQL_DIR": f"receta:{recipe}",
        "ETL_INITIAL_SINCE": FIRST_DAY.isoformat(),
        "ETL_MAX_SILENT_DAYS": "999",
        **settings,
    }
    shop.succeed("init")
    opening = shop.folder / f"{recipe}.csv"
    opening.write_text(
        "id_producto,id_sucursal,existencias,costo_promedio,fecha\n"
        + "".join(
            f"{medusa.items[sku]},{medusa.places[name]},{n},{COST},{FIRST_DAY:%Y-%m-%d}\n"
            for sku in ("A", "B", "D")
            for name, n in OPENING.items()
        )
    )
    shop.run_in_process(as_of=FIRST_DAY + timedelta(hours=12), accept_adjustments=True)
    shop.succeed("opening", str(opening))


@pytest.fixture(scope="module")
def traded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Traded]:
    """Four weeks of trade, with a window of each pipeline every few days."""
    if not request.config.getoption("--medusa"):
        pytest.skip("a real Medusa: scripts/test --medusa")
    if not MEDUSA.exists():
        pytest.skip(f"no {MEDUSA}: scripts/test --medusa installs it")
    folder, database = tmp_path_factory.mktemp("medusa"), "medusa"
    with running_server(folder, embedded_binaries()) as server, ExitStack() as stack:
        env = environment(server, database, folder)
        (folder / "clock").write_text(str(seconds_to(FIRST_DAY + timedelta(hours=1))))
        fill(server, database, env)
        medusa = stack.enter_context(medusa_at_work(folder, env))
        medusa.prepare()
        keep_history(server, database)
        shops = []
        for recipe, settings in (
            ("medusa-2", {"ETL_STOCK_DIFFERENCES": "adjust", "ETL_MAX_REMOVED_SHARE": "1"}),
            ("medusa-2-historial", {}),
        ):
            _example, olap = stack.enter_context(server.databases())
            place = folder / recipe
            place.mkdir()
            shops.append(stack.enter_context(closing(Shop(server, database, olap, place))))
            begin(shops[-1], recipe, medusa, **settings)
        found = Traded(medusa, *shops)
        for number in range(DAYS):
            medusa.day(number, seconds_to(FIRST_DAY + timedelta(days=number, hours=13)))
            if number % 3 == 2:
                window(found, number)
        yield found


def seconds_to(moment: datetime) -> int:
    """How far it is from now."""
    return round((moment - datetime.now(UTC)).total_seconds())


def window(traded: Traded, number: int) -> None:
    """A run of each after that day, and a look at what came of it."""
    as_of = FIRST_DAY + timedelta(days=number + 1)
    traded.plain.run_in_process(as_of=as_of, accept_adjustments=True)
    traded.history.run_in_process(as_of=as_of)
    assert_stock(traded)


def our_stock(traded: Traded, shop: Shop) -> dict[tuple[str, str], Decimal]:
    """What the OLAP has of each product at each place."""
    skus = {number: sku for sku, number in traded.medusa.items.items()}
    places = {number: name for name, number in traded.medusa.places.items()}
    rows = shop.olap_rows(
        "SELECT p.clave, s.clave AS lugar, e.existencias FROM dw.existencias_sucursal AS e"
        " JOIN dw.producto AS p USING (id_producto) JOIN dw.sucursal AS s USING (id_sucursal)"
    )
    return {(skus[row["clave"]], places[row["lugar"]]): row["existencias"] for row in rows}


def assert_stock(traded: Traded) -> None:
    """Fail unless the stock of both is Medusa's, but for what waits and what it forgot."""
    medusa = traded.medusa
    theirs = medusa.stock()
    waiting = {("B", "Tienda"): 4} if hasattr(medusa, "abroad") else {}
    kept = {("D", place): n for place, n in getattr(medusa, "deleted", {}).items()}
    for shop, forgotten in ((traded.plain, {}), (traded.history, medusa.forgotten)):
        ours = our_stock(traded, shop)
        apart = {
            key: ours.get(key, 0) - theirs.get(key, 0)
            for key in ours.keys() | theirs.keys()
            if ours.get(key, 0) != theirs.get(key, 0)
        }
        expected = {
            key: waiting.get(key, 0) + forgotten.get(key, 0) + kept.get(key, 0)
            for key in waiting.keys() | forgotten.keys() | kept.keys()
        }
        assert apart == {key: n for key, n in expected.items() if n}


def test_stock_is_medusas_but_for_what_the_guide_says(traded: Traded):
    assert_stock(traded)
    # Of 1 and of the 2 within a kit, which came back at once, Medusa brought back either.
    assert list(traded.medusa.forgotten) == [("A", "Tienda")]
    assert traded.medusa.forgotten["A", "Tienda"] in (1, 2)
    assert sum(traded.medusa.stock().values()) > 500
    (waits,) = traded.history.olap_rows("SELECT * FROM etl.rechazo")
    assert (waits["motivo"], waits["cantidad"]) == ("sin precio", 4)


@pytest.mark.parametrize("recipe", ["plain", "history"])
def test_net_sales_are_what_the_orders_say(traded: Traded, recipe: str):
    shop: Shop = getattr(traded, recipe)
    rows = shop.olap_rows(
        "SELECT d.documento,"
        " sum(CASE k.tipo WHEN 'VENTA' THEN k.importe ELSE -k.importe END) AS neto"
        " FROM dw.kardex AS k JOIN dw.documento_movimiento AS d USING (id_movimiento)"
        " WHERE k.tipo IN ('VENTA', 'DEVOLUCION_VENTA') GROUP BY 1"
    )
    ours = {row["documento"]: row["neto"] for row in rows}
    theirs = traded.medusa.net_sales()
    abroad = f"#{traded.medusa.order(traded.medusa.abroad)['display_id']}"
    assert theirs.pop(abroad) > 0
    assert abroad not in ours
    apart = {
        order: (ours.get(order, 0), net)
        for order, net in theirs.items()
        if abs(ours.get(order, 0) - net) > CENT / 1000
    }
    assert not apart
    assert set(ours) <= set(theirs)
    assert len([net for net in theirs.values() if net]) == 21


def test_each_correction_by_hand_has_its_day(traded: Traded):
    medusa = traded.medusa
    skus = {number: sku for sku, number in medusa.items.items()}
    places = {number: name for name, number in medusa.places.items()}
    rows = traded.history.olap_rows(
        "SELECT k.fecha, p.clave, s.clave AS lugar, k.variacion, d.documento FROM dw.kardex AS k"
        " JOIN dw.producto AS p USING (id_producto)"
        " JOIN dw.sucursal AS s ON s.id_sucursal = k.id_sucursal"
        " LEFT JOIN dw.documento_movimiento AS d USING (id_movimiento)"
        " WHERE k.tipo IN ('AJUSTE_ENTRADA', 'AJUSTE_SALIDA') AND d.documento IS NULL"
    )
    found = sorted(
        (
            (row["fecha"] - FIRST_DAY).days,
            skus[row["clave"]],
            places[row["lugar"]],
            row["variacion"],
        )
        for row in rows
    )
    assert found == sorted(medusa.by_hand)


def test_without_the_trigger_the_units_are_the_same_and_the_day_is_the_windows(traded: Traded):
    medusa = traded.medusa
    (row,) = traded.plain.olap_rows(
        "SELECT sum(variacion) AS unidades, count(*) AS n, count(DISTINCT fecha) AS momentos"
        " FROM dw.kardex WHERE id_movimiento < -(2::bigint ^ 60)"
    )
    expected = sum(change for _day, _sku, _place, change in medusa.by_hand)
    assert row["unidades"] == expected - sum(medusa.forgotten.values())
    assert row["momentos"] < row["n"] < len(medusa.by_hand) + 2


def test_names_are_medusas_and_what_is_no_stock_is_marked(traded: Traded):
    rows = traded.history.olap_rows("SELECT * FROM dw.producto")
    assert {
        (row["codigo"], row["nombre"], row["inventariable"], row["activo"]) for row in rows
    } == {
        ("A", "Arroz extra", True, True),
        ("B", "Bolsa", True, True),
        ("D", "Dulce", True, False),
        ("S", "Servicio", False, True),
        ("sin-variante", "Sin variante", False, True),
    }
    branches = {row["nombre"] for row in traded.history.olap_rows("SELECT * FROM dw.sucursal")}
    assert {"Tienda", "Almacen", "Feria"} <= branches
    assert traded.medusa.refused == 1


@pytest.mark.parametrize("recipe", ["plain", "history"])
def test_a_line_of_no_variant_is_sold_and_is_no_stock(traded: Traded, recipe: str):
    rows = getattr(traded, recipe).olap_rows(
        "SELECT k.tipo, k.cantidad, k.importe, k.variacion FROM dw.kardex AS k"
        " JOIN dw.producto AS p USING (id_producto) WHERE p.clave = 'sin-variante'"
        " ORDER BY k.fecha"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("VENTA", 2, 14, 0),
        ("DEVOLUCION_VENTA", 1, 7, 0),
    ]


def test_what_is_in_another_currency_says_so(traded: Traded):
    said = traded.history.succeed("rejects").stdout
    number = traded.medusa.order(traded.medusa.abroad)["display_id"]
    assert f"#{number}, en usd" in said


@pytest.mark.parametrize("recipe", ["plain", "history"])
def test_verify_finds_nothing_and_doctor_names_the_version(traded: Traded, recipe: str):
    shop: Shop = getattr(traded, recipe)
    assert "the OLAP equals the OLTP" in shop.succeed("verify", "--all").stdout
    said = shop.command("doctor").stdout
    assert "Medusa 2.21; the queries were tried with 2.21" in said
    said = shop.succeed("adapt", "--detect").stdout
    for name in ("medusa-2", "medusa-2-historial"):
        assert f"receta:{name}: Medusa 2.21" in said


def test_rows_that_were_written_all_at_once_are_read(traded: Traded):
    """As after a restore: the youngest version of each movement is the same."""
    tables = ("fulfillment", "fulfillment_item", "order_fulfillment", "order", "order_change",
              "order_change_action", "order_item", "order_line_item", "return",
              "order_line_item_adjustment", "order_line_item_tax_line")  # fmt: skip
    touched = [f'UPDATE "{table}" SET created_at = created_at' for table in tables]
    touched.append("UPDATE historial.existencias SET momento = momento")
    traded.plain.till(";".join(touched))
    window(traded, DAYS)
    for shop in (traded.plain, traded.history):
        assert "the OLAP equals the OLTP" in shop.succeed("verify", "--all").stdout


def test_another_version_is_refused_in_a_line(traded: Traded):
    shop = traded.plain
    shop.till("INSERT INTO mikro_orm_migrations (name) VALUES ('Migration20270101000000')")
    try:
        done = shop.run_due()
        assert done.returncode == 30
        assert "the shop runs Medusa Migration20270101000000, and the queries that" in done.stdout
    finally:
        shop.till("DELETE FROM mikro_orm_migrations WHERE name = 'Migration20270101000000'")


def test_the_trigger_is_taken_away_without_a_trace(traded: Traded):
    shop = traded.history
    script = (RECIPES / "medusa-2-historial" / "desinstalar.sql").read_text()
    shop.till(script.replace("\\set ON_ERROR_STOP on", ""))
    cursor = shop.oltp.cursor()
    cursor.execute(
        "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgname = 'anotar_existencias'"
    )
    assert cursor.fetchone() == (0,)
    cursor.execute("SELECT to_regnamespace('historial')")
    assert cursor.fetchone() == (None,)
