"""Movements staged while they are still read: nothing lost or twice, whatever dies when."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fault_failures import many_sales
from fault_process import PATIENCE, Fault, holding, killed_at, start_run, wait_for
from fault_proxy import Proxy, after_bytes
from fault_shop import olap_tables, settle, window_folders
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop

from pipeline import olap
from pipeline.base.database import connect
from pipeline.commands import plan
from pipeline.errors import DataError, GuardError, StateError, TransientError
from pipeline.olap import staging_ahead
from pipeline.oltp import snapshot as oltp
from pipeline.run import extract, load
from pipeline.settings import Settings, load_settings
from pipeline.state.request import Request, write_request
from pipeline.state.window import Window

# Threads and files of ours; what they send is as any load's.
pytestmark = pytest.mark.one_postgres

EAGER = "10000"  # bytes, of some 100 kB that many_sales() makes


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small extracts are staged ahead, too."""
    monkeypatch.setattr(staging_ahead, "THRESHOLD", int(EAGER))
    monkeypatch.setattr(oltp, "_PIECE", 2000)


@pytest.fixture
def settings(shop: Shop) -> Iterator[Settings]:
    """Those of a shop with many sales, in this process."""
    many_sales(shop)
    with shop.environment():
        yield load_settings()


def read(settings: Settings, seconds: int = 1) -> Window:
    """ExtractWindow of a window that ends so many seconds after the last one."""
    control = olap.read_control(settings)
    start = olap.last_run(control) or settings.initial_since
    assert start is not None
    window = Window(start, start + timedelta(seconds=seconds))
    write_request(settings, window, Request())
    extract.extract_window(settings, window)
    assert not threads()
    return window


def staged(shop: Shop) -> list[str]:
    """Which runs' movements are in the OLAP's staging table."""
    rows = shop.olap_rows("SELECT id_corrida, filas FROM etl.adelanto")
    (found,) = shop.olap_rows("SELECT count(*) AS filas FROM etl.etapa")
    assert all(row["filas"] == found["filas"] for row in rows), (rows, found)
    return [row["id_corrida"] for row in rows]


def run_id(settings: Settings, window: Window) -> str:
    """That of the window's extract."""
    return str(load._read_extract(settings, window)["id_corrida"])


def damage(settings: Settings, window: Window) -> None:
    """Whoever reads the file of movements now, fails."""
    path = settings.state_dir / window.label / "movements.csv"
    path.write_bytes(b"0" * path.stat().st_size)


def threads() -> list[threading.Thread]:
    """Those that stage."""
    return [thread for thread in threading.enumerate() if thread.name == "staging ahead"]


def copying(shop: Shop) -> list[dict[str, Any]]:
    """Sessions that fill the staging table."""
    return shop.olap_rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = %s AND state = 'active'"
        " AND query LIKE 'COPY etl.etapa %%'",
        shop.olap_name,
    )


def is_free(shop: Shop) -> bool:
    """Whether nobody holds the lock of the OLAP."""
    query = "SELECT FROM etl.control FOR UPDATE SKIP LOCKED"
    return len(shop.olap_rows(query)) == 1


def initial(settings: Settings) -> Any:
    """The date from which the replay counts."""
    return settings.initial_since


def load_what_is_staged(shop: Shop, settings: Settings) -> None:
    """A window whose file nobody could load any more: all comes from the staging table."""
    window = read(settings)
    assert staged(shop) == [run_id(settings, window)]
    damage(settings, window)
    load.load_window(settings, window)
    assert staged(shop) == []


@pytest.mark.usefixtures("eager")
def test_the_load_does_not_read_what_was_staged_ahead(shop: Shop, settings: Settings):
    load_what_is_staged(shop, settings)
    assert_olap_equals_replay(shop, initial(settings))
    # And again, on a ledger that has them.
    shop.till("UPDATE detalle_transaccion SET cantidad = cantidad + 1")
    window = read(settings)
    (settings.state_dir / window.label / "movements.csv").unlink()
    load.load_window(settings, window)
    assert_olap_equals_replay(shop, initial(settings))


def test_a_small_window_is_not(shop: Shop, settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(oltp, "_PIECE", 2000)
    monkeypatch.setattr(staging_ahead.StagingAhead, "_start", None)
    window = read(settings)
    assert staged(shop) == []
    damage(settings, window)
    with pytest.raises(DataError, match="corrupt"):
        load.load_window(settings, window)
    load.load_window(settings, read(settings))
    assert_olap_equals_replay(shop, initial(settings))


@pytest.mark.usefixtures("eager")
def test_an_olap_that_goes_away_costs_nothing_but_the_gain(
    shop: Shop, settings: Settings, caplog: pytest.LogCaptureFixture
):
    with Proxy(shop.server.server.port, after_bytes("up", 40_000)) as proxy:
        shop.env["OLAP_DB_PORT"] = str(proxy.port)
        with shop.environment(), caplog.at_level(logging.INFO, staging_ahead.log.name):
            window = read(load_settings())
        assert proxy.done == 1
    (told,) = [text for text in caplog.messages if "not staged while it is read" in text]
    assert "OLAP: staging ahead: " in told and "\n" not in told
    wait_for("the server rolls back", lambda: is_free(shop))
    assert staged(shop) == []
    load.load_window(settings, window)
    assert_olap_equals_replay(shop, initial(settings))


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("lock", "expected"),
    [
        ("SELECT FROM etl.control FOR UPDATE", []),
        ("LOCK TABLE etl.control IN EXCLUSIVE MODE", ["lock timeout"]),
        ("LOCK TABLE etl.etapa IN ACCESS EXCLUSIVE MODE", ["lock timeout"]),
    ],
)
def test_it_waits_for_nobody(
    shop: Shop,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    lock: str,
    expected: list[str],
):
    caplog.set_level(logging.INFO, staging_ahead.log.name)
    with holding(lambda: shop.server.connect(shop.olap_name), lock):
        window = read(settings)
    told = [text for text in caplog.messages if "not staged while it is read" in text]
    assert len(told) == len(expected)
    assert all(words in text for words, text in zip(expected, told, strict=True))
    assert staged(shop) == []
    load.load_window(settings, window)
    assert_olap_equals_replay(shop, initial(settings))


@pytest.mark.usefixtures("eager")
def test_a_backup_that_reads_everything_stops_neither(shop: Shop, settings: Settings):
    tables = ", ".join(table for table in olap_tables(shop) if not table.startswith("dw.mv_"))
    for _ in range(2):
        lock = f"LOCK TABLE {tables} IN ACCESS SHARE MODE"
        with holding(lambda: shop.server.connect(shop.olap_name), lock):
            load_what_is_staged(shop, settings)
        assert_olap_equals_replay(shop, initial(settings))
        shop.till("UPDATE detalle_transaccion SET cantidad = cantidad + 1")


def during_the_copy(
    monkeypatch: pytest.MonkeyPatch, shop: Shop, happens: Callable[[], None]
) -> None:
    """All is written and the thread waits for more, when this happens."""
    real = oltp.copy_out

    def copy_out(connection: Any, query: Any, writer: Any) -> int:
        rows = real(connection, query, writer)
        if threads():
            wait_for("it copies", lambda: copying(shop))
            happens()
        return rows

    monkeypatch.setattr(extract, "copy_out", copy_out)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    "failure",
    [OSError(errno.ENOSPC, "full"), TransientError("cut"), KeyboardInterrupt(), SystemExit(1)],
    ids=lambda failure: type(failure).__name__,
)
def test_a_read_that_fails_leaves_nothing_behind(
    shop: Shop, settings: Settings, monkeypatch: pytest.MonkeyPatch, failure: BaseException
):
    def fail() -> None:
        raise failure

    with monkeypatch.context() as patch:
        during_the_copy(patch, shop, fail)
        expected = StateError if isinstance(failure, OSError) else type(failure)
        with pytest.raises(expected):
            read(settings)
    assert not threads() and not copying(shop) and is_free(shop)
    assert staged(shop) == [] and not shop.olap_rows("SELECT FROM etl.etapa")
    load.load_window(settings, read(settings))
    assert_olap_equals_replay(shop, initial(settings))


@pytest.mark.usefixtures("eager")
def test_a_session_that_hangs_is_cut(
    shop: Shop, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """The thread is within a statement that does not end when the read fails."""

    def hang(connection: Any, *_: Any) -> Any:
        connection.cursor().execute("SELECT pg_sleep(3600)")

    def fail() -> None:
        wait_for(
            "it hangs",
            lambda: shop.olap_rows("SELECT FROM pg_stat_activity WHERE query LIKE '%%(3600)'"),
        )
        raise KeyboardInterrupt

    real = oltp.copy_out
    with monkeypatch.context() as patch:
        patch.setattr(olap, "open_ahead", hang)
        patch.setattr(extract, "copy_out", lambda *given: (real(*given), fail()))
        with pytest.raises(KeyboardInterrupt):
            read(settings)
    assert not threads()
    load.load_window(settings, read(settings))
    assert_olap_equals_replay(shop, initial(settings))


@pytest.mark.usefixtures("eager")
def test_a_read_that_takes_long_lets_the_others_go_first(
    shop: Shop, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    shop.env["ETL_LOCK_TIMEOUT"] = "1"

    def take_long() -> None:
        for thread in threads():
            thread.join(PATIENCE)
        assert not threads() and is_free(shop)

    during_the_copy(monkeypatch, shop, take_long)
    with shop.environment():
        window = read(load_settings())
    assert staged(shop) == []
    load.load_window(settings, window)
    assert_olap_equals_replay(shop, initial(settings))


@pytest.mark.usefixtures("eager")
def test_of_two_that_read_the_same_window_each_loads_its_own(shop: Shop, settings: Settings):
    sold = "SELECT sum(cantidad) AS sold FROM "
    first = read(settings)
    expected = shop.olap_rows(sold + "etl.etapa")
    kept = settings.state_dir.rename(settings.state_dir.with_name("kept"))
    shop.till("UPDATE detalle_transaccion SET cantidad = cantidad + 1")
    second = read(settings)
    assert first == second and staged(shop) == [run_id(settings, second)]
    settings.state_dir.rename(settings.state_dir.with_name("second"))
    kept.rename(settings.state_dir)
    loaded = load.load_window(settings, first)
    assert loaded["run_id"] == run_id(settings, first) and staged(shop) == []
    assert shop.olap_rows(sold + "dw.kardex") == expected
    settle(shop, initial(settings))


@pytest.mark.usefixtures("eager")
def test_a_window_that_another_run_overtook_is_superseded(shop: Shop, settings: Settings):
    slow = read(settings)
    load.load_window(settings, read(settings, seconds=2))
    assert load.load_window(settings, slow)["superseded"]
    assert_olap_equals_replay(shop, initial(settings))


@pytest.mark.usefixtures("eager")
def test_it_is_staged_anew_where_the_olap_has_changed(shop: Shop, settings: Settings):
    window = read(settings)
    before = run_id(settings, window)
    shop.olap.cursor().execute("UPDATE etl.control SET version = gen_random_uuid()")
    shop.till("UPDATE detalle_transaccion SET cantidad = cantidad + 1")
    assert load.load_window(settings, window)["run_id"] != before
    assert staged(shop) == []
    assert_olap_equals_replay(shop, initial(settings))


@pytest.mark.usefixtures("eager")
def test_nothing_is_staged_for_a_version_that_is_gone(
    shop: Shop, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    window = read(settings)
    before = staged(shop), shop.olap_rows("SELECT * FROM etl.etapa ORDER BY 1")
    real = olap.read_control
    gone = {"version": "00000000-0000-4000-8000-000000000000"}
    monkeypatch.setattr(olap, "read_control", lambda given: real(given) | gone)
    extract.extract_window(settings, window)
    assert (staged(shop), shop.olap_rows("SELECT * FROM etl.etapa ORDER BY 1")) == before
    monkeypatch.undo()
    load.load_window(settings, window)
    assert_olap_equals_replay(shop, initial(settings))


@pytest.mark.usefixtures("eager")
def test_a_load_that_is_rolled_back_finds_it_again(
    shop: Shop, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    window = read(settings)
    damage(settings, window)
    before = shop.olap_rows("SELECT * FROM etl.etapa ORDER BY 1")
    real = olap.load_staged

    def fail(*given: Any) -> Any:
        real(*given)
        raise TransientError("cut before the commit")

    with monkeypatch.context() as patch, pytest.raises(TransientError):
        patch.setattr(olap, "load_staged", fail)
        load.load_window(settings, window)
    wait_for("the server rolls back", lambda: is_free(shop))
    assert staged(shop) == [run_id(settings, window)]
    assert shop.olap_rows("SELECT * FROM etl.etapa ORDER BY 1") == before
    load.load_window(settings, window)
    assert staged(shop) == []
    assert_olap_equals_replay(shop, initial(settings))


@pytest.mark.usefixtures("eager")
def test_an_extract_that_a_guard_discards_is_read_and_staged_anew(shop: Shop, settings: Settings):
    shop.till("UPDATE detalle_transaccion SET cantidad = -1")
    window = read(settings)
    discarded = run_id(settings, window)
    with pytest.raises(GuardError):
        load.load_window(settings, window)
    shop.till("UPDATE detalle_transaccion SET cantidad = 1")
    window = read(settings)
    assert staged(shop) == [run_id(settings, window)] != [discarded]
    load.load_window(settings, window)
    assert_olap_equals_replay(shop, initial(settings))


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("hands", ["TRUNCATE etl.etapa", "TRUNCATE etl.etapa, etl.adelanto"])
def test_a_staging_table_that_somebody_empties_loses_nothing(
    shop: Shop, settings: Settings, hands: str
):
    window = read(settings)
    shop.olap.cursor().execute(hands)
    if "adelanto" not in hands:
        with pytest.raises(DataError, match=r"etl\.etapa holds 0 movements"):
            load.load_window(settings, window)
        window = read(settings)
    load.load_window(settings, window)
    assert_olap_equals_replay(shop, initial(settings))


@pytest.mark.usefixtures("eager")
def test_a_plan_leaves_it_as_it_was(shop: Shop, settings: Settings):
    window = read(settings)
    before = olap_tables(shop)
    assert before["etl.adelanto"] and before["etl.etapa"]
    assert plan._plan(settings)["read"] == len(before["etl.etapa"])
    assert olap_tables(shop) == before
    damage(settings, window)
    load.load_window(settings, window)
    assert_olap_equals_replay(shop, initial(settings))


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("other", ["an opening", "earlier history"])
def test_whoever_empties_the_staging_table_says_so(shop: Shop, settings: Settings, other: str):
    load.load_window(settings, read(settings))
    shop.till("UPDATE detalle_transaccion SET cantidad = cantidad + 1")
    window = read(settings)
    before = run_id(settings, window)
    if other == "an opening":
        (shop.folder / "opening.csv").write_text("codigo,existencias,costo_promedio\nP1,5,2\n")
        shop.succeed("opening", "opening.csv")
    else:
        with connect(settings.olap, "test") as connection:
            since = initial(settings) - timedelta(days=1)
            query = "SELECT etl.abrir_historia(%s, %s)"
            assert olap.call(connection, query, (since, settings.timezone)) == "cargar"
            connection.commit()
    assert staged(shop) == [] and not shop.olap_rows("SELECT FROM etl.etapa")
    loaded = load.load_window(settings, window)
    assert (loaded["run_id"] == before) == (other != "an opening")
    (run,) = shop.olap_rows("SELECT filas_leidas FROM etl.corrida ORDER BY numero DESC LIMIT 1")
    (sold,) = shop.olap_rows("SELECT count(*) AS filas FROM dw.kardex")
    assert run["filas_leidas"] == sold["filas"]


POINTS = ("staging", "staging_copy:1", "staging_copy:3", "staged", "noted", "flushed", "opening",
          "opened", "copied", "loaded")  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
def test_a_run_killed_at_any_point_of_it_is_resumed(shop: Shop, point: str):
    begin = many_sales(shop)
    killed_at(shop, point, FAULT_AHEAD=EAGER)
    shop.sale(begin + timedelta(hours=23), (1, 1, 5))
    settle(shop, begin)


@pytest.mark.parametrize("point", ["staging", "staged"])
def test_a_session_of_it_that_is_ended_costs_no_attempt(shop: Shop, point: str):
    begin = many_sales(shop)
    fault = Fault(shop.folder, point, "terminate")
    process = start_run(shop, fault=fault, FAULT_AHEAD=EAGER)
    assert process.wait() == 0 and fault.fired, process.output
    assert "not staged while it is read" in process.output
    assert "trying again" not in process.output and "Traceback" not in process.output
    assert_olap_equals_replay(shop, begin)


def test_a_large_window_is_staged_ahead_as_it_comes(shop: Shop):
    """With the command as it is, and a file of more than 8 MB."""
    begin = many_sales(shop)
    shop.till(
        "INSERT INTO detalle_transaccion (id_transaccion, id_producto, cantidad, precio_unitario)"
        " SELECT id_transaccion, 1 + n %% 4, 1, 9.99 FROM transacciones, generate_series(1, 120) n"
        " WHERE tipo = 'VENTA'"
    )
    killed_at(shop, "opening")
    (folder,) = window_folders(shop)
    file: Path = folder / "movements.csv"
    assert file.stat().st_size > staging_ahead.THRESHOLD
    assert staged(shop)
    file.unlink()
    settle(shop, begin)
