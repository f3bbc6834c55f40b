"""The materialized views that a shop adds: each run refreshes them, and they stop none."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fault_process import PATIENCE
from fault_shop import stale
from shop_database import Shop
from shop_server import must_succeed

from pipeline.errors import TransientError
from pipeline.run import refresh

pytestmark = pytest.mark.one_postgres

# Noon in Lima, so that the hours that a test goes on stay in one day.
START = datetime(2026, 10, 17, 17, tzinfo=UTC)
# The first by name reads the last: only the turns say which of them comes first.
VIEWS = """
CREATE MATERIALIZED VIEW dw.z_stock AS TABLE dw.mv_inventario_valorizado;
CREATE UNIQUE INDEX ON dw.z_stock (id_producto);
CREATE VIEW dw.entre AS SELECT sum(existencias) AS existencias, count(*) AS n FROM dw.z_stock;
CREATE MATERIALIZED VIEW dw.a_total AS SELECT existencias, datos_al FROM dw.entre, dw.mv_datos_al;
CREATE UNIQUE INDEX ON dw.a_total (existencias);
CREATE MATERIALIZED VIEW dw.m_ventas AS TABLE dw.mv_ventas_diarias;
CREATE UNIQUE INDEX ON dw.m_ventas (dia, id_sucursal, categoria);
"""
NAMES = {"dw.z_stock", "dw.a_total", "dw.m_ventas"}


@pytest.fixture
def settled(shop: Shop) -> Shop:
    """A shop with views of its own that show what is loaded, up to START."""
    shop.env |= {
        "ETL_TIMEZONE": "America/Lima",
        "ETL_INITIAL_SINCE": (START - timedelta(days=40)).isoformat(),
    }
    shop.branch(1)
    shop.product(1, "Lácteos")
    shop.product(2, "Abarrotes")
    shop.receipt(START - timedelta(days=30), (1, 10, 2), (2, 10, 3))
    shop.sale(START - timedelta(days=3), (1, 2, 3), (2, 1, 5), id_sucursal=1)
    shop.run_in_process(as_of=START)
    shop.olap.cursor().execute(VIEWS)
    return shop


def run(shop: Shop, hours: int) -> dict[str, dict[str, Any]]:
    """A window that ends so many hours after START: what became of each view."""
    moment = START + timedelta(hours=hours)
    shop.run_in_process(as_of=moment)
    newest = max(Path(shop.env["ETL_STATE_DIR"]).glob(f"*--{moment:%Y%m%dT%H%M%SZ}/views.json"))
    views = json.loads(newest.read_text(encoding="utf-8"))["views"]
    return {view["view"]: view for view in views}


def done(views: dict[str, dict[str, Any]]) -> set[str]:
    """Those that were refreshed beside their readers."""
    return {name for name, view in views.items() if not view["error"] and not view["notice"]}


def test_every_window_refreshes_the_shops_views_and_no_other(settled: Shop):
    settled.sale(START, (1, 1, 3))
    for hours in (1, 2):
        views = run(settled, hours)
        assert done(views) == set(views) == NAMES
        assert stale(settled) == []


def test_a_shop_without_views_of_its_own_has_none_refreshed(settled: Shop):
    settled.olap.cursor().execute("DROP MATERIALIZED VIEW dw.z_stock, dw.m_ventas CASCADE")
    settled.sale(START, (1, 1, 3))
    assert run(settled, 1) == {}
    assert settled.olap_rows("SELECT sum(unidades) AS u FROM dw.mv_ventas_diarias") == [{"u": 4}]


def _opening(shop: Shop) -> None:
    file = shop.folder / "opening.csv"
    moment = (START - timedelta(days=35)).isoformat()
    file.write_text(f"id_producto,existencias,costo_promedio,fecha\n1,7,4,{moment}\n")
    shop.succeed("opening", str(file))


def _history(shop: Shop) -> None:
    shop.receipt(START - timedelta(days=50), (1, 4, 1))
    since = (START - timedelta(days=60)).date().isoformat()
    must_succeed(shop.task("Backfill", "--since", since))


@pytest.mark.parametrize("other", [_opening, _history, lambda shop: shop.succeed("rebuild")])
def test_whatever_else_changes_the_ledger_refreshes_them(
    settled: Shop, other: Callable[[Shop], object]
):
    settled.olap.cursor().execute("UPDATE dw.inventario SET existencias = existencias + 1")
    other(settled)
    assert stale(settled) == []


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("SELECT 1 / (random() * 0)::int AS x WITH NO DATA", "division by zero"),
        ("SELECT 1 AS x", "no unique index on plain columns"),
    ],
)
def test_one_that_cannot_be_refreshed_as_it_should_is_told_and_stops_nothing(
    settled: Shop, view: str, said: str
):
    settled.olap.cursor().execute(f"CREATE MATERIALIZED VIEW dw.mala AS {view}")
    settled.sale(START, (1, 1, 3))
    views = run(settled, 1)
    assert done(views) == NAMES
    bad = views["dw.mala"]
    assert said in (bad["error"], bad["notice"])
    settled.olap.cursor().execute("DROP MATERIALIZED VIEW dw.mala")
    assert stale(settled) == []
    assert len(settled.olap_rows("SELECT FROM etl.corrida")) == 2


def test_views_are_refreshed_in_one_session_where_the_server_grants_no_other(
    settled: Shop, monkeypatch: pytest.MonkeyPatch
):
    settled.sale(START, (1, 1, 3))
    real, open_now = refresh.connect, 0

    @contextmanager
    def one_at_a_time(*arguments: Any, **options: Any) -> Iterator[Any]:
        nonlocal open_now
        if open_now:
            raise TransientError("too many connections for database")
        open_now += 1
        try:
            with real(*arguments, **options) as connection:
                yield connection
        finally:
            open_now -= 1

    monkeypatch.setattr(refresh, "connect", one_at_a_time)
    assert done(run(settled, 1)) == NAMES
    assert stale(settled) == []


def test_views_that_do_not_read_each_other_are_refreshed_in_two_sessions(
    settled: Shop, monkeypatch: pytest.MonkeyPatch
):
    settled.sale(START, (1, 1, 3))
    sessions, both = set(), threading.Barrier(2)
    original = refresh._refresh

    def in_session(connection: Any, settings: Any, oid: int, name: str) -> Any:
        sessions.add(connection.info.backend_pid)
        if name != "dw.a_total":
            # They wait for each other: in one session the second would never come.
            both.wait(PATIENCE)
        return original(connection, settings, oid, name)

    monkeypatch.setattr(refresh, "_refresh", in_session)
    assert done(run(settled, 1)) == NAMES
    assert len(sessions) == 2
    assert stale(settled) == []


def test_views_are_refreshed_with_settings_of_their_own(settled: Shop):
    ours = {
        "jit": "off",
        "default_statistics_target": "10",
        "work_mem": "64MB",
        "max_parallel_workers_per_gather": "0",
        "max_parallel_maintenance_workers": "0",
    }
    columns = ", ".join(f"current_setting('{name}') AS {name}" for name in ours)
    with settled.olap.cursor() as cursor:
        cursor.execute(
            f"CREATE MATERIALIZED VIEW dw.mv_mia AS SELECT {columns};"
            "CREATE UNIQUE INDEX ON dw.mv_mia (jit)"
        )
    (the_shops,) = settled.olap_rows("TABLE dw.mv_mia")
    assert not set(ours.items()) & set(the_shops.items())
    run(settled, 1)
    assert settled.olap_rows("TABLE dw.mv_mia") == [ours]
    # Nor are they left behind in the transaction of whoever refreshes by hand.
    with settled.olap.cursor() as cursor:
        cursor.execute("BEGIN; SELECT count(error) FROM dw.refrescar_vistas_materializadas()")
        assert cursor.fetchone() == (0,)
    assert settled.olap_rows(f"SELECT {columns}") == [the_shops]
    with settled.olap.cursor() as cursor:
        cursor.execute("COMMIT")


def test_a_branch_0_gives_its_name_to_0_until_a_full_read_finds_it_gone(settled: Shop):
    def shown() -> list[str]:
        rows = settled.olap_rows(
            "SELECT DISTINCT sucursal FROM dw.mv_ventas_diarias WHERE id_sucursal = 0"
        )
        return [row["sucursal"] for row in rows]

    settled.sale(START, (1, 1, 3))
    run(settled, 1)
    assert shown() == ["Sin sucursal"]
    settled.till("INSERT INTO sucursales (id_sucursal, nombre) VALUES (0, 'Matriz')")
    run(settled, 2)
    assert shown() == ["Matriz"]
    settled.till("DELETE FROM sucursales WHERE id_sucursal = 0")
    settled.succeed("rebuild")
    assert shown() == ["Sin sucursal"]
