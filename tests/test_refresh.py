"""Which views a run refreshes: none that is stale is passed over, and none for nothing."""

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
from psycopg2 import sql
from shop_database import Shop

from pipeline.commands import opening
from pipeline.errors import TransientError
from pipeline.run import backfill, refresh
from pipeline.settings import load_settings

pytestmark = pytest.mark.one_postgres

# Noon in Lima, so that the hours that a test goes on stay in one day.
START = datetime(2026, 10, 17, 17, tzinfo=UTC)


@pytest.fixture
def settled(shop: Shop) -> Shop:
    """A shop whose views show what is loaded, up to START."""
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
    return shop


def run(shop: Shop, hours: int) -> dict[str, bool]:
    """A window that ends so many hours after START: each view, and whether it was refreshed."""
    moment = START + timedelta(hours=hours)
    shop.run_in_process(as_of=moment)
    newest = max(Path(shop.env["ETL_STATE_DIR"]).glob(f"*--{moment:%Y%m%dT%H%M%SZ}/views.json"))
    views = json.loads(newest.read_text(encoding="utf-8"))["views"]
    return {view["view"]: not view["unchanged"] for view in views}


def stale(shop: Shop) -> list[str]:
    """The views that do not show what their own query yields now."""
    found = []
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "SELECT matviewname, rtrim(definition, ';') FROM pg_matviews WHERE schemaname = 'dw'"
        )
        for name, query in cursor.fetchall():
            view = sql.Identifier("dw", name)
            differ = sql.SQL("(TABLE {v} EXCEPT ALL ({q})) UNION ALL (({q}) EXCEPT ALL TABLE {v})")
            cursor.execute(differ.format(v=view, q=sql.SQL(query.replace("%", "%%"))))
            if cursor.fetchall():
                found.append(name)
    return found


def test_a_window_with_nothing_new_refreshes_the_date_of_the_data_alone(settled: Shop):
    with settled.olap.cursor() as cursor:
        cursor.execute("CREATE MATERIALIZED VIEW dw.mia AS SELECT 1 AS x; ")
        cursor.execute("CREATE UNIQUE INDEX ON dw.mia (x)")
    for hours in (1, 2):
        views = run(settled, hours)
        assert {name for name, done in views.items() if done} == {"dw.mv_datos_al", "dw.mia"}
        assert {"dw.mv_abc", "dw.mv_ventas_diarias"} <= set(views)
        assert stale(settled) == []


def _rename_branch(shop: Shop) -> None:
    shop.till("UPDATE sucursales SET nombre = 'Centro' WHERE id_sucursal = 1")


def _price(shop: Shop) -> None:
    with shop.olap.cursor() as cursor:
        cursor.execute("INSERT INTO dw.politica_precio VALUES (2, NULL, 0.5, 0.18, 1)")


NEWS: dict[str, Callable[[Shop], object]] = {
    "a sale": lambda shop: shop.sale(START, (1, 1, 3)),
    "a late receipt": lambda shop: shop.receipt(START - timedelta(days=20), (1, 5, 9)),
    "a correction": lambda shop: shop.correct_line(1, costo_unitario=7),
    "an annulment": lambda shop: shop.correct_document(3, anulada=True),
    "another name": lambda shop: shop.till(
        "UPDATE productos SET nombre = 'x' WHERE id_producto = 1"
    ),
    "another category": lambda shop: shop.product(1, "Abarrotes"),
    "a branch's name": _rename_branch,
    "a price policy": _price,
    "the tax in prices": lambda shop: shop.env.update(ETL_PRICES_INCLUDE_TAX="false"),
}


@pytest.mark.parametrize("news", NEWS)
def test_whatever_a_view_may_show_has_all_refreshed(settled: Shop, news: str):
    run(settled, 1)
    NEWS[news](settled)
    assert all(run(settled, 2).values())
    assert stale(settled) == []


def test_another_day_has_all_refreshed(settled: Shop):
    assert not all(run(settled, 11).values())
    # Midnight in Lima.
    assert all(run(settled, 12).values())
    assert stale(settled) == []


@contextmanager
def failing_refresh(monkeypatch: pytest.MonkeyPatch, module: Any) -> Iterator[None]:
    """Within it `module` dies where it would refresh; that it did is asserted."""

    def die(_settings: object) -> None:
        raise TransientError("the server went away")

    with monkeypatch.context() as patch, pytest.raises(TransientError):
        patch.setattr(module, "refresh_views", die)
        patch.setattr(
            "pipeline.base.retry.tenacity.stop_after_attempt", lambda _times: lambda _: True
        )
        yield


def test_a_history_whose_refresh_failed_is_shown_by_a_window_with_nothing_new(
    settled: Shop, monkeypatch: pytest.MonkeyPatch
):
    since = START - timedelta(days=60)
    settled.receipt(START - timedelta(days=50), (1, 4, 1))
    run(settled, 1)
    with settled.environment(), failing_refresh(monkeypatch, backfill):
        backfill.backfill(load_settings(), since)
    assert stale(settled) != []
    assert all(run(settled, 2).values())
    assert stale(settled) == []


def test_an_opening_whose_refresh_failed_is_shown_by_a_window_with_nothing_new(
    settled: Shop, monkeypatch: pytest.MonkeyPatch
):
    file = settled.folder / "opening.csv"
    file.write_text(
        "id_producto,existencias,costo_promedio,fecha\n"
        f"1,7,4,{(START - timedelta(days=35)).isoformat()}\n",
        encoding="utf-8",
    )
    run(settled, 1)
    from pipeline.__main__ import _parser

    with settled.environment(), failing_refresh(monkeypatch, opening):
        opening.run(_parser().parse_args(["opening", str(file)]))
    assert stale(settled) != []
    run(settled, 2)
    assert stale(settled) == []


def test_a_view_of_ours_that_failed_is_refreshed_by_the_next_run(
    settled: Shop, monkeypatch: pytest.MonkeyPatch
):
    settled.sale(START, (1, 1, 3))
    original = refresh._refresh

    def one_fails(connection: Any, settings: Any, oid: int, name: str, own: bool) -> Any:
        if name == "dw.mv_abc":
            return refresh._row(name, own, error="out of disk")
        return original(connection, settings, oid, name, own)

    with monkeypatch.context() as patch:
        patch.setattr(refresh, "_refresh", one_fails)
        with pytest.raises(AssertionError):
            run(settled, 1)
    assert stale(settled) == ["mv_abc"]
    settled.run_in_process(as_of=START + timedelta(hours=1))
    assert stale(settled) == []


def test_what_is_loaded_while_views_are_refreshed_is_shown_by_the_next_run(
    settled: Shop, monkeypatch: pytest.MonkeyPatch
):
    original = refresh._refresh
    settled.sale(START, (1, 1, 3))

    def with_another_load(connection: Any, settings: Any, oid: int, name: str, own: bool) -> Any:
        done = original(connection, settings, oid, name, own)
        if name == "dw.mv_ventas_diarias":
            # As a backfill does beside a run: it changes what is loaded, and the version with it.
            with settled.olap.cursor() as cursor:
                cursor.execute("UPDATE dw.resumen_diario SET movimientos = movimientos + 1;")
                cursor.execute("UPDATE dw.resumen_diario SET venta_neta = venta_neta + 1;")
                cursor.execute("UPDATE etl.control SET version = gen_random_uuid()")
        return done

    with monkeypatch.context() as patch:
        patch.setattr(refresh, "_refresh", with_another_load)
        run(settled, 1)
    assert "mv_ventas_diarias" in stale(settled)
    assert all(run(settled, 2).values())
    assert stale(settled) == []


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
    assert all(run(settled, 1).values())
    assert stale(settled) == []


def test_views_that_do_not_read_each_other_are_refreshed_in_two_sessions(
    settled: Shop, monkeypatch: pytest.MonkeyPatch
):
    settled.sale(START, (1, 1, 3))
    sessions, both = set(), threading.Barrier(2)
    with settled.olap.cursor() as cursor:
        cursor.execute("SELECT nombre FROM etl.vistas_por_refrescar() LIMIT 2")
        # They wait for each other: in one session the second would never come.
        first_two = {name for (name,) in cursor.fetchall()}
    original = refresh._refresh

    def in_session(connection: Any, settings: Any, oid: int, name: str, own: bool) -> Any:
        sessions.add(connection.info.backend_pid)
        if name in first_two:
            both.wait(PATIENCE)
        return original(connection, settings, oid, name, own)

    monkeypatch.setattr(refresh, "_refresh", in_session)
    assert all(run(settled, 1).values())
    assert len(sessions) == 2
    assert stale(settled) == []


def test_a_view_that_reads_the_date_of_the_data_shows_the_new_one(settled: Shop):
    with settled.olap.cursor() as cursor:
        cursor.execute("CREATE MATERIALIZED VIEW dw.al AS SELECT datos_al FROM dw.mv_datos_al")
    run(settled, 1)
    assert stale(settled) == []


def test_what_init_may_have_changed_is_refreshed(settled: Shop):
    assert not all(run(settled, 1).values())
    settled.succeed("init")
    assert all(run(settled, 2).values())


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
