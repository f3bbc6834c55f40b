"""RunDue through its four tasks: what is due, what a failure leaves, and what the rerun does."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import LUIGI, Shop
from shop_luigid import luigid
from shop_server import must_succeed, run_program

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
LABEL = re.compile(r"(\d{8}T\d{6}Z)--(\d{8}T\d{6}Z)")
STEPS = ("extract.json", "load.json", "views.json", "marker.json")
EXTRACTED = ("movements.csv", "products.csv", "branches.csv")
EVERY_FILE = {"window.json", ".lock", *EXTRACTED, *STEPS}

# On PYTHONPATH as sitecustomize: the process kills itself where DIES_AT says.
KILLER = """
import os
import signal

from pipeline import olap
from pipeline.oltp.snapshot import HashingWriter
from pipeline.run import load
from pipeline.state.targets import DurableTarget


def dying(where, real, *, after=False):
    def call(*arguments, **named):
        if not after and os.environ.get("DIES_AT") == where(*arguments):
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments, **named)
        if after and os.environ.get("DIES_AT") == where(*arguments):
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call


DurableTarget.write_receipt = dying(
    lambda target, *_: target.file.name, DurableTarget.write_receipt
)
HashingWriter.write = dying(lambda *_: "in the COPY", HashingWriter.write, after=True)
olap.load_staged = dying(lambda *_: "before the commit", olap.load_staged, after=True)
"""


# What there is


def ago(delta: timedelta) -> datetime:
    """A moment in the past, in whole UTC seconds."""
    return datetime.now(UTC).replace(microsecond=0) - delta


def stamp(moment: datetime) -> str:
    """A moment as a label has it."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def argument(moment: datetime) -> str:
    """A moment as the command line takes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def bounds(folder: Path) -> tuple[datetime, datetime]:
    """A window folder's desde and hasta."""
    found = LABEL.fullmatch(folder.name)
    assert found, folder
    desde, hasta = (
        datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for text in found.groups()
    )
    return desde, hasta


def state(shop: Shop) -> Path:
    """The state folder."""
    return Path(shop.env["ETL_STATE_DIR"])


def folders(shop: Shop) -> list[Path]:
    """The window folders, oldest first."""
    if not state(shop).exists():
        return []
    return sorted(entry for entry in state(shop).iterdir() if LABEL.fullmatch(entry.name))


def receipt(folder: Path, name: str) -> dict[str, Any]:
    """One receipt."""
    return json.loads((folder / name).read_text(encoding="utf-8"))


def versions(folder: Path) -> dict[str, tuple[int, int]]:
    """Of every file, what changes when it is written again."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.iterdir()
        if path.name != ".lock"
    }


def runs(shop: Shop) -> list[dict[str, Any]]:
    """etl.corrida in order."""
    return shop.olap_rows("SELECT * FROM etl.corrida ORDER BY numero")


def control(shop: Shop) -> dict[str, Any]:
    """The control row."""
    (row,) = shop.olap_rows("SELECT * FROM etl.control")
    return row


def ledger(shop: Shop) -> dict[int, dict[str, Any]]:
    """The kardex by movement."""
    return {row["id_movimiento"]: row for row in shop.olap_rows("SELECT * FROM dw.kardex")}


# What happens


def stock_up(shop: Shop, when: datetime) -> list[int]:
    """A receipt and a sale on a day."""
    shop.product(1, "Abarrotes")
    return [
        *shop.receipt(when, (1, 10, "2.50"), (1, 5, "3.10")),
        *shop.sale(when + timedelta(hours=1), (1, 4, "6")),
    ]


def build(shop: Shop, task: str, window: tuple[datetime, datetime]) -> Any:
    """One of the tasks with --desde and --hasta, in this process; Luigi's result."""
    import luigi
    from luigi.task_register import Register

    import pipeline

    with shop.environment():
        Register.clear_instance_cache()
        return luigi.build(
            [getattr(pipeline, task)(desde=window[0], hasta=window[1])],
            local_scheduler=True,
            detailed_summary=True,
            log_level="WARNING",
        )


def succeed(shop: Shop, task: str, window: tuple[datetime, datetime]) -> None:
    """The same, which must do all it was asked for."""
    result = build(shop, task, window)
    assert result.scheduling_succeeded and result.worker.run_succeeded, result.summary_text


def by_hand(shop: Shop, task: str, window: tuple[datetime, datetime], *options: str) -> Any:
    """One of the tasks from the command line."""
    program = [LUIGI, "--module", "pipeline", task, "--local-scheduler"]
    program += ["--desde", argument(window[0]), "--hasta", argument(window[1]), *options]
    return run_program([str(part) for part in program], shop.folder, shop.env)


def fails(shop: Shop, task: str, **parameters: Any) -> None:
    """RunDue in this process, in which just this task must fail."""
    with pytest.raises(AssertionError, match=rf"\* 1 failed:\s+- 1 {task}\("):
        shop.run_in_process(**parameters)


@contextmanager
def raising_at(name: str) -> Iterator[None]:
    """Fail where a receipt is about to be written."""
    from pipeline.state.targets import DurableTarget

    real = DurableTarget.write_receipt

    def write_receipt(self: Any, content: Any) -> None:
        if self.file.name == name:
            raise OSError(28, "No space left on device")
        real(self, content)

    with mock.patch.object(DurableTarget, "write_receipt", write_receipt):
        yield


@contextmanager
def raising_before_commit() -> Iterator[None]:
    """Fail when all of the load is done but its commit."""
    from pipeline import olap

    real = olap.load_staged

    def load_staged(*arguments: Any) -> None:
        real(*arguments)
        raise OSError("lost")

    with mock.patch.object(olap, "load_staged", load_staged):
        yield


# The first run


@pytest.mark.parametrize("as_now", [True, False], ids=["by default", "as_of"])
def test_the_first_run_takes_seven_days_and_its_initial_date_does_not_slide(
    shop: Shop, as_now: bool
):
    end = ago(timedelta()) if as_now else ago(3 * DAY)
    shop.product(1)
    shop.receipt(end - 8 * DAY, (1, 100, 1))
    if not as_now:
        shop.receipt(end - 7 * DAY - timedelta(seconds=1), (1, 100, 1))
    inside = stock_up(shop, end - 7 * DAY + 2 * MINUTE)
    if as_now:
        shop.run()
    else:
        edge = shop.receipt(end - 7 * DAY, (1, 1, 1))
        inside += edge
        shop.run_in_process(as_of=end)
    (first,) = folders(shop)
    desde, hasta = bounds(first)
    assert hasta - desde == 7 * DAY
    assert (desde >= end - 7 * DAY) if as_now else (hasta == end)
    assert control(shop)["desde_inicial"] == desde
    assert ledger(shop).keys() == set(inside)

    # What is typed in later is in scope from the same date, whenever that is by now.
    late = shop.sale(desde + timedelta(seconds=1), (1, 2, 5))
    out = shop.sale(desde - timedelta(seconds=1), (1, 2, 5))
    shop.run_in_process()
    assert control(shop)["desde_inicial"] == desde
    assert ledger(shop).keys() == {*inside, *late}
    assert not ledger(shop).keys() & set(out)
    assert_olap_equals_replay(shop, desde)


def test_initial_since_is_read_in_the_shops_zone_and_kept(shop: Shop):
    shop.env |= {"ETL_INITIAL_SINCE": "2024-03-05", "ETL_TIMEZONE": "America/Lima"}
    initial = datetime(2024, 3, 5, tzinfo=ZoneInfo("America/Lima"))
    stock_up(shop, initial + 100 * DAY)
    edge = shop.receipt(initial, (1, 7, 2))
    shop.receipt(initial - timedelta(microseconds=1), (1, 70, 2))
    shop.run()
    assert bounds(folders(shop)[0])[0] == initial
    assert set(edge) < ledger(shop).keys()
    assert_olap_equals_replay(shop, initial, zone="America/Lima")

    shop.env["ETL_INITIAL_SINCE"] = "2020-01-01"
    shop.receipt(initial - DAY, (1, 7, 2))
    shop.run_in_process()
    assert control(shop)["desde_inicial"] == initial
    assert_olap_equals_replay(shop, initial, zone="America/Lima")


def test_initial_days_is_another_default(shop: Shop):
    shop.env["ETL_INITIAL_DAYS"] = "30"
    end = ago(DAY)
    stock_up(shop, end - 29 * DAY)
    shop.run_in_process(as_of=end)
    assert control(shop)["desde_inicial"] == end - 30 * DAY
    assert len(ledger(shop)) == 3


def test_a_first_window_that_failed_is_forgotten_when_another_initial_date_is_given(shop: Shop):
    stock_up(shop, ago(20 * DAY))
    with raising_before_commit():
        fails(shop, "LoadOLAP", as_of=ago(2 * MINUTE))
    since = ago(30 * DAY)
    shop.env["ETL_INITIAL_SINCE"] = since.isoformat()
    shop.run_in_process(as_of=ago(MINUTE))
    assert control(shop)["desde_inicial"] == since
    assert [(row["desde"], row["nuevas"]) for row in runs(shop)] == [(since, 3)]
    assert_olap_equals_replay(shop, since)


# Targets


def test_the_targets_have_their_names_and_only_their_owner_reads_them(shop: Shop):
    stock_up(shop, ago(DAY))
    before = os.umask(0)
    try:
        shop.run(ETL_STATE_DIR=str(shop.folder / "var" / "estado"))
    finally:
        os.umask(before)
    shop.env["ETL_STATE_DIR"] = str(shop.folder / "var" / "estado")
    (folder,) = folders(shop)
    assert {path.name for path in folder.iterdir()} == EVERY_FILE
    modes = {
        path: stat.S_IMODE(path.stat().st_mode) for path in (state(shop), *state(shop).rglob("*"))
    }
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_the_receipts_say_what_was_read_and_loaded(shop: Shop):
    ids = stock_up(shop, ago(DAY))
    shop.olap.cursor().execute("CREATE MATERIALIZED VIEW dw.mia AS SELECT 1 AS x")
    shop.run_in_process(as_of=ago(MINUTE))
    (folder,) = folders(shop)
    desde, hasta = bounds(folder)
    (run,) = runs(shop)
    extract = receipt(folder, "extract.json")
    assert datetime.fromisoformat(extract["desde"]) == desde == run["desde"]
    assert datetime.fromisoformat(extract["hasta"]) == hasta == run["hasta"]
    assert extract["sha256"] == run["sha256"]
    assert extract["horizonte"] == run["horizonte"] == control(shop)["horizonte"]
    for name in EXTRACTED:
        content = (folder / name).read_bytes()
        columns = extract["archivos"][name].pop("columns")
        assert len(columns) == len(set(columns))
        lines = csv.reader(content.decode().splitlines())
        assert {len(line) for line in lines} <= {len(columns)}, name
        assert extract["archivos"][name] == {
            "rows": content.count(b"\n"),
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    loaded = receipt(folder, "load.json")
    assert (loaded["superseded"], loaded["already_loaded"]) == (False, False)
    assert loaded["counts"]["altas"] == run["nuevas"] == run["filas_leidas"] == len(ids)
    assert (run["ventas"], run["entradas"]) == (1, 2)
    views = receipt(folder, "views.json")["views"]
    assert [(view["view"], view["error"]) for view in views] == [("dw.mia", None)]
    assert run["segundos_vistas"] is not None
    marker = receipt(folder, "marker.json")
    assert datetime.fromisoformat(marker["last_run"]) == hasta == control(shop)["hasta"]
    assert receipt(folder, "window.json")["window"] == folder.name


# What is due


def test_with_nothing_new_a_window_is_empty_and_green(shop: Shop):
    stock_up(shop, ago(DAY))
    shop.run()
    before = ledger(shop), shop.olap_rows("SELECT * FROM dw.inventario")
    shop.run()
    first, second = folders(shop)
    assert bounds(first)[1] == bounds(second)[0]
    assert bounds(second)[1] == control(shop)["hasta"]
    assert [row["nuevas"] for row in runs(shop)] == [3, 0]
    assert runs(shop)[1]["productos_tocados"] == 0
    assert (ledger(shop), shop.olap_rows("SELECT * FROM dw.inventario")) == before
    assert {path.name for path in second.iterdir()} == EVERY_FILE


@pytest.mark.parametrize("earlier", [timedelta(), MINUTE, 40 * DAY], ids=str)
def test_up_to_a_moment_that_was_already_reached_nothing_is_due(shop: Shop, earlier: timedelta):
    stock_up(shop, ago(DAY))
    end = ago(5 * MINUTE)
    shop.run_in_process(as_of=end)
    before = control(shop), runs(shop), versions(folders(shop)[0])
    shop.sale(ago(DAY), (1, 1, 9))
    shop.run_in_process(as_of=end - earlier)
    assert len(folders(shop)) == 1
    assert (control(shop), runs(shop), versions(folders(shop)[0])) == before


def test_as_of_on_the_command_line_is_in_utc_whatever_the_shops_zone(shop: Shop):
    shop.env["ETL_TIMEZONE"] = "America/Lima"
    stock_up(shop, ago(3 * DAY))
    end = ago(DAY)
    shop.run("--as-of", argument(end))
    assert control(shop)["hasta"] == end
    again = shop.run("--as-of", end.strftime("%Y-%m-%dT%H:%M:%S"), "--log-level", "DEBUG")
    assert "running   WriteMarker" not in again.stdout
    assert len(runs(shop)) == 1


def test_as_of_in_the_future_is_refused(shop: Shop):
    stock_up(shop, ago(DAY))
    done = shop.run_due("--as-of", argument(ago(-2 * MINUTE)))
    assert done.returncode == 35, done.stdout
    assert "as_of" in done.stdout and "Traceback" not in done.stdout
    assert (folders(shop), runs(shop)) == ([], [])


def test_a_clock_far_behind_the_last_window_is_an_error(shop: Shop):
    stock_up(shop, ago(DAY))
    shop.run_in_process(as_of=ago(MINUTE))
    shop.olap.cursor().execute("UPDATE etl.control SET hasta = now() + interval '2 minutes'")
    before = control(shop)
    done = shop.run_due()
    assert done.returncode == 35, done.stdout
    assert "clock" in done.stdout and "Traceback" not in done.stdout
    assert control(shop) == before


# A step fails


@pytest.mark.parametrize(
    ("task", "missing"),
    [
        ("ExtractWindow", STEPS),
        ("LoadOLAP", STEPS[1:]),
        ("RefreshViews", STEPS[2:]),
        ("WriteMarker", STEPS[3:]),
    ],
)
@pytest.mark.parametrize("first", [True, False], ids=["first window", "later window"])
def test_after_a_failed_step_the_rerun_repeats_only_what_was_missing(
    shop: Shop, task: str, missing: tuple[str, ...], first: bool
):
    before = 0 if first else 1
    initial = ago(5 * MINUTE) - 7 * DAY
    stock_up(shop, ago(DAY))
    if not first:
        shop.run_in_process(as_of=ago(5 * MINUTE))
        shop.sale(ago(DAY), (1, 1, 7))
    end = ago(4 * MINUTE)
    with raising_at(missing[0]):
        fails(shop, task, as_of=end)
    *_, folder = folders(shop)
    assert bounds(folder)[1] == end
    kept = versions(folder)
    assert not kept.keys() & set(missing)
    assert kept.keys() >= set(STEPS) - set(missing)
    # A load whose receipt could not be written has happened all the same.
    loaded = task != "ExtractWindow"
    assert len(runs(shop)) == before + loaded

    # In the meantime the shop goes on.
    late = shop.sale(ago(DAY), (1, 2, 8))
    again = ago(3 * MINUTE)
    shop.run_in_process(as_of=again)
    now = versions(folder)
    repeated = {name for name in now if kept.get(name) != now[name]}
    assert repeated == {*missing, *(EXTRACTED if task == "ExtractWindow" else ())}
    *_, resumed, rest = folders(shop)
    assert resumed == folder
    assert bounds(rest) == (end, again)
    assert {path.name for path in rest.iterdir()} == EVERY_FILE
    assert [(row["desde"], row["hasta"]) for row in runs(shop)][before:] == [
        bounds(folder),
        bounds(rest),
    ]
    assert receipt(folder, "load.json")["already_loaded"] == (task == "LoadOLAP")
    assert ledger(shop)[late[0]]["version"] == (before + 1 if not loaded else before + 2)
    assert_olap_equals_replay(shop, initial if not first else end - 7 * DAY)


def test_a_load_that_fails_before_its_commit_changes_nothing_and_keeps_its_extract(shop: Shop):
    stock_up(shop, ago(DAY))
    end = ago(4 * MINUTE)
    before = control(shop)
    with raising_before_commit():
        fails(shop, "LoadOLAP", as_of=end)
    assert (control(shop), runs(shop), ledger(shop)) == (before, [], {})
    (folder,) = folders(shop)
    kept = versions(folder)
    shop.run_in_process(as_of=end)
    assert versions(folder).items() > kept.items()
    assert_olap_equals_replay(shop, end - 7 * DAY)


def test_a_load_refused_by_the_server_keeps_its_extract(shop: Shop):
    stock_up(shop, ago(DAY))
    end = ago(4 * MINUTE)
    function = "FUNCTION etl.cargar_ventana(jsonb, jsonb)"
    shop.olap.cursor().execute(f"REVOKE EXECUTE ON {function} FROM etl_cargador")
    fails(shop, "LoadOLAP", as_of=end)
    (folder,) = folders(shop)
    kept = versions(folder)
    assert "extract.json" in kept
    # What holds the window is told until it is loaded.
    del kept["held.json"]
    shop.olap.cursor().execute(f"GRANT EXECUTE ON {function} TO etl_cargador")
    shop.run_in_process(as_of=end)
    assert versions(folder).items() > kept.items()
    assert_olap_equals_replay(shop, end - 7 * DAY)


def test_a_view_of_the_shops_own_that_is_broken_is_told_and_the_window_is_done(shop: Shop):
    stock_up(shop, ago(DAY))
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "CREATE MATERIALIZED VIEW dw.mia AS TABLE dw.mv_ventas_diarias WITH NO DATA;"
            "CREATE MATERIALIZED VIEW dw.rota AS SELECT 1 / (random() * 0)::int AS x WITH NO DATA"
        )
    done = shop.run("--as-of", argument(ago(3 * MINUTE)))
    assert "dw.rota: division by zero" in done.stdout
    assert "refreshed 1 of 2 views" in done.stdout
    (folder,) = folders(shop)
    assert {path.name for path in folder.iterdir()} == EVERY_FILE
    told = {view["view"]: view["error"] for view in receipt(folder, "views.json")["views"]}
    assert told == {"dw.mia": None, "dw.rota": "division by zero"}
    ours = "SELECT * FROM dw.mv_ventas_diarias ORDER BY dia, id_sucursal, categoria"
    assert shop.olap_rows(ours) == shop.olap_rows(ours.replace("mv_ventas_diarias", "mia")) != []


@pytest.mark.one_postgres
@pytest.mark.parametrize("where", ["in the COPY", "before the commit", *STEPS])
def test_after_kill_9_the_rerun_repeats_only_what_was_missing(shop: Shop, where: str):
    (shop.folder / "sitecustomize.py").write_text(KILLER)
    stock_up(shop, ago(DAY))
    end = ago(5 * MINUTE)
    done = shop.run_due("--as-of", argument(end), PYTHONPATH=str(shop.folder), DIES_AT=where)
    assert done.returncode == -signal.SIGKILL, done.stdout
    (folder,) = folders(shop)
    kept = versions(folder)
    missing = {"in the COPY": STEPS, "before the commit": STEPS[1:]}.get(where)
    missing = STEPS[STEPS.index(where) :] if missing is None else missing
    assert kept.keys() & set(STEPS) == set(STEPS) - set(missing)
    assert len(runs(shop)) == (0 if len(missing) == 4 or where == "before the commit" else 1)

    late = shop.sale(ago(DAY), (1, 2, 8))
    shop.run_in_process(as_of=ago(4 * MINUTE))
    now = versions(folder)
    finished = set(STEPS) - set(missing)
    assert {name: now[name] for name in finished} == {name: kept[name] for name in finished}
    assert now.keys() >= set(STEPS)
    assert [row["hasta"] for row in runs(shop)] == [end, bounds(folders(shop)[1])[1]]
    assert late[0] in ledger(shop)
    assert_olap_equals_replay(shop, end - 7 * DAY)


def test_what_a_killed_write_left_behind_goes_after_a_day(shop: Shop):
    stock_up(shop, ago(DAY))
    shop.run_in_process(as_of=ago(5 * MINUTE))
    (folder,) = folders(shop)
    old, fresh = folder / ".load.json-luigi-tmp-1", folder / ".views.json-luigi-tmp-2"
    for leftover in (old, fresh):
        leftover.write_text("{")
    two_days_ago = ago(2 * DAY).timestamp()
    os.utime(old, (two_days_ago, two_days_ago))
    shop.run_in_process(as_of=ago(4 * MINUTE))
    assert not old.exists()
    assert fresh.exists()


# Receipts are not the truth


@pytest.mark.parametrize(
    "lost",
    [
        ("marker.json",),
        ("views.json", "marker.json"),
        ("load.json", "views.json", "marker.json"),
        ("extract.json", "load.json", "views.json", "marker.json"),
    ],
    ids=lambda lost: lost[0],
)
def test_receipts_lost_after_the_commit_are_written_without_loading_again(
    shop: Shop, lost: tuple[str, ...]
):
    stock_up(shop, ago(DAY))
    end = ago(5 * MINUTE)
    shop.run_in_process(as_of=end)
    (folder,) = folders(shop)
    for name in lost:
        (folder / name).unlink()
    # Not carried by what follows, as nothing later is due: only the receipts are.
    late = shop.sale(ago(DAY), (1, 2, 8))
    before = control(shop), ledger(shop), [row["version"] for row in runs(shop)]
    shop.run_in_process(as_of=end)
    assert (control(shop), ledger(shop), [row["version"] for row in runs(shop)]) == before
    assert {path.name for path in folder.iterdir()} == EVERY_FILE
    assert receipt(folder, "load.json")["already_loaded"] == ("load.json" in lost)
    assert not receipt(folder, "load.json")["superseded"]

    shop.run_in_process(as_of=ago(4 * MINUTE))
    assert late[0] in ledger(shop)
    assert_olap_equals_replay(shop, end - 7 * DAY)


def test_a_lost_state_folder_costs_nothing(shop: Shop):
    ids = stock_up(shop, ago(DAY))
    end = ago(5 * MINUTE)
    shop.run_in_process(as_of=end)
    before = ledger(shop)
    shutil.rmtree(state(shop))
    late = shop.sale(ago(DAY), (1, 2, 8))
    shop.run_in_process(as_of=ago(4 * MINUTE))
    (folder,) = folders(shop)
    assert bounds(folder)[0] == end
    assert [row["nuevas"] for row in runs(shop)] == [len(ids), 1]
    assert runs(shop)[-1]["cambiadas"] == 0
    assert before.keys() | {late[0]} == ledger(shop).keys()
    assert_olap_equals_replay(shop, end - 7 * DAY)


def restore(shop: Shop, copy: str) -> None:
    """Put the OLAP back to what it was when the copy was made."""
    shop.olap.close()
    server = shop.server
    server.execute("DROP DATABASE {name} WITH (FORCE)", name=shop.olap_name)
    server.execute("CREATE DATABASE {name} TEMPLATE {copy}", name=shop.olap_name, copy=copy)
    shop.olap = server.connect(shop.olap_name)


@contextmanager
def copy_of_olap(shop: Shop) -> Iterator[str]:
    """A copy of the OLAP as it is now, which is what a backup holds."""
    copy = f"{shop.olap_name}_copia"
    shop.olap.close()
    shop.server.execute("CREATE DATABASE {copy} TEMPLATE {name}", copy=copy, name=shop.olap_name)
    shop.olap = shop.server.connect(shop.olap_name)
    try:
        yield copy
    finally:
        shop.server.execute("DROP DATABASE {copy} WITH (FORCE)", copy=copy)


@pytest.mark.parametrize("windows_before", [0, 1], ids=["empty copy", "copy of one window"])
def test_an_olap_restored_from_a_copy_is_noticed_and_healed(shop: Shop, windows_before: int):
    initial = ago(10 * DAY)
    shop.env["ETL_INITIAL_SINCE"] = initial.isoformat()
    shop.product(2, "Aseo")
    ids = stock_up(shop, ago(DAY))
    for minutes in range(30, 30 - windows_before, -1):
        shop.run_in_process(as_of=ago(minutes * MINUTE))
    with copy_of_olap(shop) as copy:
        for minutes in (20, 19):
            shop.receipt(ago(2 * DAY), (2, minutes, 3))
            shop.run_in_process(as_of=ago(minutes * MINUTE))
        shop.correct_line(ids[0], cantidad=11)
        shop.run_in_process(as_of=ago(18 * MINUTE))
        restore(shop, copy)
    had = control(shop)["hasta"]
    gone = folders(shop)[windows_before:]
    assert len(gone) == 3
    shop.sale(ago(DAY), (2, 1, 9))

    done = shop.run("--as-of", argument(ago(10 * MINUTE)))
    assert "3 windows" in done.stdout and "set aside" in done.stdout
    assert not any(folder.exists() for folder in gone)
    aside = [entry.name for entry in state(shop).iterdir() if not LABEL.fullmatch(entry.name)]
    assert sorted(name.split(".")[0] for name in aside) == [folder.name for folder in gone]
    *_, healed = folders(shop)
    assert bounds(healed)[0] == (had or initial)
    assert len(runs(shop)) == windows_before + 1
    assert_olap_equals_replay(shop, initial)

    calm = shop.run("--as-of", argument(ago(9 * MINUTE)))
    assert "set aside" not in calm.stdout


# Superseded windows


@pytest.mark.parametrize("task", ["LoadOLAP", "WriteMarker"])
def test_a_window_that_does_not_begin_at_last_run_is_superseded(shop: Shop, task: str):
    stock_up(shop, ago(DAY))
    end = ago(10 * MINUTE)
    shop.run_in_process(as_of=end)
    late = shop.sale(ago(DAY), (1, 2, 8))
    before = control(shop), runs(shop), ledger(shop)
    for window in ((end - MINUTE, ago(5 * MINUTE)), (end + MINUTE, ago(4 * MINUTE))):
        done = must_succeed(by_hand(shop, task, window))
        assert "superseded" in done.stdout
        folder = state(shop) / f"{stamp(window[0])}--{stamp(window[1])}"
        written = STEPS[1:] if task == "WriteMarker" else STEPS[1:2]
        assert [receipt(folder, name)["superseded"] for name in written] == [True] * len(written)
        assert (control(shop), runs(shop), ledger(shop)) == before

    # Neither is it taken for the last run, nor for a window to resume or to set aside.
    shop.run_in_process(as_of=ago(3 * MINUTE))
    assert runs(shop)[-1]["desde"] == end
    assert len(runs(shop)) == 2
    assert late[0] in ledger(shop)
    assert folder.exists()
    assert_olap_equals_replay(shop, end - 7 * DAY)


def test_of_two_runs_that_read_the_same_start_the_later_one_to_load_is_superseded(shop: Shop):
    stock_up(shop, ago(DAY))
    start = ago(10 * MINUTE)
    shop.run_in_process(as_of=start)
    slow, fast = (start, ago(8 * MINUTE)), (start, ago(7 * MINUTE))
    shop.sale(ago(DAY), (1, 1, 8))
    succeed(shop, "ExtractWindow", slow)
    shop.sale(ago(DAY), (1, 2, 8))
    succeed(shop, "WriteMarker", fast)
    before = control(shop), runs(shop), ledger(shop)
    succeed(shop, "WriteMarker", slow)
    assert (control(shop), runs(shop), ledger(shop)) == before
    assert receipt(folders(shop)[1], "load.json")["superseded"]
    assert_olap_equals_replay(shop, start - 7 * DAY)


def test_an_extract_that_was_overtaken_by_an_opening_is_read_again_at_once(shop: Shop):
    stock_up(shop, ago(DAY))
    start = ago(10 * MINUTE)
    shop.run_in_process(as_of=start)
    window = (start, ago(5 * MINUTE))
    succeed(shop, "ExtractWindow", window)
    stale = receipt(folders(shop)[-1], "extract.json")
    (shop.folder / "conteo.csv").write_text("id_producto,existencias,costo_promedio\n1,50,2\n")
    shop.succeed("opening", str(shop.folder / "conteo.csv"))
    late = shop.sale(ago(DAY), (1, 2, 8))
    succeed(shop, "LoadOLAP", window)
    assert receipt(folders(shop)[-1], "extract.json")["version"] != stale["version"]
    assert late[0] in ledger(shop)
    assert_olap_equals_replay(shop, start - 7 * DAY)


# Tasks by hand, workers, schedulers


def test_each_task_can_be_run_alone(shop: Shop):
    stock_up(shop, ago(DAY))
    window = (ago(7 * DAY), ago(MINUTE))
    (written,) = ["window.json"]
    for task, step in zip(
        ("ExtractWindow", "LoadOLAP", "RefreshViews", "WriteMarker"), STEPS, strict=True
    ):
        done = must_succeed(by_hand(shop, task, window, "--log-level", "DEBUG"))
        assert re.findall(r"running   (\w+)\(", done.stdout) == [task]
        (folder,) = folders(shop)
        assert (folder / written).exists() and (folder / step).exists()
        assert not any((folder / later).exists() for later in STEPS[STEPS.index(step) + 1 :])
    assert bounds(folder) == window
    assert_olap_equals_replay(shop, window[0])
    nothing = must_succeed(by_hand(shop, "WriteMarker", window, "--log-level", "DEBUG"))
    assert "running   " not in nothing.stdout


@pytest.mark.parametrize("length", [timedelta(), -DAY], ids=["empty", "reversed"])
def test_a_window_that_ends_before_it_begins_is_refused(shop: Shop, length: timedelta):
    start = ago(DAY)
    done = by_hand(shop, "WriteMarker", (start, start + length))
    assert done.returncode != 0
    assert "--hasta" in done.stdout and "Traceback" not in done.stdout
    assert (folders(shop), runs(shop)) == ([], [])


@pytest.mark.one_postgres
def test_two_workers_keep_a_resumed_window_before_the_next(shop: Shop):
    stock_up(shop, ago(DAY))
    end = ago(10 * MINUTE)
    with raising_at("extract.json"):
        fails(shop, "ExtractWindow", as_of=end)
    done = shop.run("--workers", "2", "--as-of", argument(ago(5 * MINUTE)))
    assert "superseded" not in done.stdout
    assert [row["hasta"] for row in runs(shop)] == [end, bounds(folders(shop)[1])[1]]
    assert all({path.name for path in folder.iterdir()} == EVERY_FILE for folder in folders(shop))
    assert_olap_equals_replay(shop, end - 7 * DAY)


@pytest.mark.one_postgres
def test_with_luigid_a_failed_window_is_resumed_by_the_next_run(shop: Shop):
    stock_up(shop, ago(DAY))

    def run(port: int, end: datetime, *options: str) -> subprocess.CompletedProcess[str]:
        program = [str(LUIGI), "--module", "pipeline", "RunDue", "--scheduler-port", str(port)]
        program += ["--as-of", argument(end), *options]
        return run_program(program, shop.folder, shop.env)

    with luigid(shop.folder, shop.env) as port:
        end = ago(10 * MINUTE)
        function = "FUNCTION etl.cargar_ventana(jsonb, jsonb)"
        shop.olap.cursor().execute(f"REVOKE EXECUTE ON {function} FROM etl_cargador")
        for _ in range(2):
            failed = run(port, end)
            assert failed.returncode == 30, failed.stdout
            assert "Traceback" not in failed.stdout
        shop.olap.cursor().execute(f"GRANT EXECUTE ON {function} TO etl_cargador")
        must_succeed(run(port, ago(9 * MINUTE)))
        assert [row["hasta"] for row in runs(shop)] == [end, bounds(folders(shop)[1])[1]]
        shop.sale(ago(DAY), (1, 2, 8))
        last = ago(8 * MINUTE)
        must_succeed(run(port, last))
        nothing = must_succeed(run(port, last, "--log-level", "DEBUG"))
    assert "running   WriteMarker" not in nothing.stdout
    assert len(runs(shop)) == 3
    assert_olap_equals_replay(shop, end - 7 * DAY)


@pytest.mark.one_postgres
def test_without_luigi_cfg_a_failure_still_exits_with_its_code(shop: Shop):
    shop.env.pop("LUIGI_CONFIG_PATH")
    stock_up(shop, ago(DAY))
    assert shop.run_due(OLAP_DB_PASSWORD="otra").returncode == 35
    shop.olap.cursor().execute("REVOKE INSERT ON etl.etapa FROM etl_cargador")
    assert shop.run_due().returncode == 30
    shop.olap.cursor().execute("GRANT INSERT ON etl.etapa TO etl_cargador")
    shop.run()
    # Its own lock would stop a second shop with the same command line.
    assert not (Path("/tmp") / "luigi" / shop.olap_name).exists()


# Retention


def test_old_windows_go_after_a_success_and_the_newest_marker_stays(shop: Shop):
    shop.env |= {"ETL_KEEP_DAYS": "30", "ETL_INITIAL_SINCE": ago(100 * DAY).isoformat()}
    stock_up(shop, ago(DAY))
    ends = [ago(days * DAY) for days in (61, 45, 31, 29)]
    for end in ends:
        shop.run_in_process(as_of=end)
    # After each success: none is older than 30 days before its own end.
    assert [bounds(folder)[1] for folder in folders(shop)] == ends[1:]
    aside = state(shop) / f"{folders(shop)[0].name}.set-aside-{stamp(ends[-1])}"
    folders(shop)[0].rename(aside)
    mine = state(shop) / "apuntes"
    mine.mkdir()

    # Taken once: a second later, a window of one second more would be due.
    until = ago(MINUTE)
    with raising_at("views.json"):
        fails(shop, "RefreshViews", as_of=until)
    assert aside.exists()
    assert [bounds(folder)[1] for folder in folders(shop)][:2] == ends[2:]

    shop.env["ETL_KEEP_DAYS"] = "1"
    shop.run_in_process(as_of=until)
    (newest,) = folders(shop)
    assert (newest / "marker.json").exists()
    assert not aside.exists()
    assert mine.exists()
    assert_olap_equals_replay(shop, control(shop)["desde_inicial"])
