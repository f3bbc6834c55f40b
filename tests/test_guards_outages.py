"""Locks, cut connections, full disks: a clear line, a non-zero exit, and nothing half done."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fault_process import (
    Fault,
    Process,
    holding,
    start_run,
    wait_for,
    waiting_backend,
)
from fault_proxy import Cut, Proxy, after_bytes, answer_to
from fault_shop import now, olap_tables, settle, stock
from olap_comparison import assert_olap_equals_replay
from shop_database import LUIGI, Shop
from shop_server import OLAP_USER, OLTP_USER

from pipeline.demo import account

TASK_FAILED, SCHEDULING_ERROR = 30, 35


def fails(shop: Shop, *expected: str, code: int = TASK_FAILED, **env: str) -> str:
    """A run that fails, says all of `expected` in a line, and leaves the OLAP as it was."""
    before = olap_tables(shop)
    process = start_run(shop, **env)
    assert process.wait() == code, process.output
    check(process.output, *expected)
    assert olap_tables(shop) == before
    return process.output


def check(output: str, *expected: str) -> None:
    """All of `expected` was said, and no traceback shown."""
    for text in expected:
        assert text in output, f"not said: {text}\n{output}"
    assert "Traceback" not in output, output


def as_user(shop: Shop, side: str, name: str) -> Callable[[], Any]:
    """How a person with psql, under this application name, connects as the superuser."""
    database = shop.oltp_name if side == "OLTP" else shop.olap_name

    def connect() -> Any:
        connection = shop.server.connect(database)
        connection.cursor().execute("SELECT set_config('application_name', %s, false)", (name,))
        return connection

    return connect


LOCKS = {
    "the control row": "SELECT FROM etl.control FOR UPDATE",
    "the ledger": "LOCK TABLE dw.kardex IN SHARE MODE",
    "a staging table": "LOCK TABLE etl.etapa IN ACCESS EXCLUSIVE MODE",
    "the control table": "LOCK TABLE etl.control IN ACCESS EXCLUSIVE MODE",
    "a view": "LOCK TABLE dw.mv_abc IN ACCESS EXCLUSIVE MODE",
}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_held_on_the_olap_is_told_with_its_holder(shop: Shop, lock: str):
    initial = stock(shop)
    settle(shop, initial)
    shop.sale(now(), (1, 1, 5))
    with holding(as_user(shop, "OLAP", "psql de Ana"), LOCKS[lock]) as cursor:
        process = start_run(shop, ETL_LOCK_TIMEOUT="1")
        assert process.wait() in (TASK_FAILED, SCHEDULING_ERROR), process.output
        pid = cursor.connection.info.backend_pid
        check(process.output, "lock timeout", f"pid {pid}", "application psql de Ana")
    settle(shop, initial)


def test_a_reader_of_the_whole_olap_holds_nothing_up(shop: Shop):
    """As pg_dump does: an ACCESS SHARE lock on every table."""
    initial = stock(shop)
    settle(shop, initial)
    shop.sale(now(), (1, 1, 5))
    tables = ", ".join(t for t in olap_tables(shop) if not t.startswith("dw.mv_"))
    with holding(as_user(shop, "OLAP", "pg_dump"), f"LOCK TABLE {tables} IN ACCESS SHARE MODE"):
        shop.run(ETL_LOCK_TIMEOUT="1")
    assert_olap_equals_replay(shop, initial)


def blocked_run(shop: Shop, side: str) -> Process:
    """A run that waits in a statement for a lock that the caller holds."""
    process = start_run(shop)
    database = shop.oltp_name if side == "OLTP" else shop.olap_name
    wait_for(
        "the run waits for the lock",
        lambda: waiting_backend(shop.olap, database) or process.ended,
    )
    assert not process.ended, process.output
    return process


BLOCKS = {
    "OLTP": "LOCK TABLE detalle_transaccion IN ACCESS EXCLUSIVE MODE",
    "OLAP": "LOCK TABLE dw.inventario IN ACCESS EXCLUSIVE MODE",
}


@pytest.mark.parametrize("side", BLOCKS)
def test_a_session_ended_by_the_administrator_is_tried_again(shop: Shop, side: str):
    initial = stock(shop)
    database = shop.oltp_name if side == "OLTP" else shop.olap_name
    with holding(as_user(shop, side, "admin"), BLOCKS[side]):
        process = blocked_run(shop, side)
        for _ in range(2):
            pid = wait_for(
                "the run waits again", lambda: waiting_backend(shop.olap, database)
            )
            shop.olap.cursor().execute("SELECT pg_terminate_backend(%s, 30000)", (pid,))
    assert process.wait() == 0, process.output
    check(process.output, "trying again", "administrator command")
    assert_olap_equals_replay(shop, initial)


@pytest.mark.parametrize(
    "point", ["snapshot", "read", "opening", "opened", "copied", "loaded", "refresh:2"]
)
def test_a_session_ended_between_two_statements_is_tried_again(shop: Shop, point: str):
    initial = stock(shop)
    fault = Fault(shop.folder, point, "terminate")
    process = start_run(shop, fault=fault)
    assert process.wait() == 0 and fault.fired, process.output
    check(process.output, "trying again")
    assert_olap_equals_replay(shop, initial)


@contextmanager
def role_setting(shop: Shop, user: str, setting: str, value: str) -> Iterator[None]:
    """ALTER ROLE … SET, as an administrator does it, taken back afterwards."""
    shop.server.execute(f"ALTER ROLE {{user}} SET {setting} = '{value}'", user=user)
    try:
        yield
    finally:
        shop.server.execute(f"ALTER ROLE {{user}} RESET {setting}", user=user)


@pytest.mark.parametrize("side", BLOCKS)
def test_a_statement_timeout_is_a_clear_line(shop: Shop, side: str):
    initial = stock(shop)
    user = OLTP_USER if side == "OLTP" else OLAP_USER
    with (
        role_setting(shop, user, "statement_timeout", "1s"),
        holding(as_user(shop, side, "admin"), BLOCKS[side]),
    ):
        process = blocked_run(shop, side)
        assert process.wait() == TASK_FAILED, process.output
        check(process.output, f"{side}: ", "statement timeout")
    settle(shop, initial)


def test_a_deadlock_is_tried_again(shop: Shop):
    initial = stock(shop)
    with (
        # The load is the one that looks for it; ours would wait for ever.
        role_setting(shop, OLAP_USER, "deadlock_timeout", "10s"),
        holding(
            as_user(shop, "OLAP", "admin"),
            "SET LOCAL deadlock_timeout = '1h'",
            BLOCKS["OLAP"],
        ) as cursor,
    ):
        process = blocked_run(shop, "OLAP")
        cursor.execute("LOCK TABLE dw.kardex IN ACCESS EXCLUSIVE MODE")
    assert process.wait() == 0, process.output
    check(process.output, "deadlock detected", "trying again")
    assert_olap_equals_replay(shop, initial)


def test_a_serialization_failure_is_tried_again(shop: Shop):
    initial = stock(shop)
    with role_setting(shop, OLAP_USER, "default_transaction_isolation", "repeatable read"):
        with holding(
            as_user(shop, "OLAP", "admin"), "UPDATE etl.control SET corridas = corridas"
        ) as cursor:
            process = blocked_run(shop, "OLAP")
            cursor.connection.commit()
        assert process.wait() == 0, process.output
    check(process.output, "could not serialize", "trying again")
    assert_olap_equals_replay(shop, initial)


# Where the connection is cut: in which direction, and after how many bytes of it.
CUTS: dict[str, tuple[str, Cut]] = {
    **{f"OLTP-down-{n}": ("OLTP", after_bytes("down", n)) for n in (100, 3_000, 20_000, 60_000)},
    **{f"OLTP-up-{n}": ("OLTP", after_bytes("up", n)) for n in (1, 2_000)},
    **{f"OLAP-up-{n}": ("OLAP", after_bytes("up", n)) for n in (100, 1_500, 20_000, 60_000)},
    **{f"OLAP-down-{n}": ("OLAP", after_bytes("down", n)) for n in (1, 600)},
    "OLTP-flush": ("OLTP", answer_to(b"pg_logical_emit_message")),
    "OLAP-load": ("OLAP", answer_to(b"etl.cargar_ventana")),
    "OLAP-commit": ("OLAP", answer_to(b"COMMIT")),
    "OLAP-refresh": ("OLAP", answer_to(b"etl.refrescar_vista(")),
    "OLAP-noted": ("OLAP", answer_to(b"etl.anotar_vistas")),
}


def many_sales(shop: Shop) -> Any:
    """Enough for a COPY of some 100 kB; returns the initial date."""
    initial = stock(shop)
    shop.till(
        "WITH t AS (INSERT INTO transacciones (tipo, fecha)"
        " SELECT 'VENTA', now() - interval '1 hour' FROM generate_series(1, 1500)"
        " RETURNING id_transaccion)"
        " INSERT INTO detalle_transaccion (id_transaccion, id_producto, cantidad, precio_unitario)"
        " SELECT id_transaccion, 1 + id_transaccion % 4, 1, 9.99 FROM t"
    )
    return initial


@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_connection_is_tried_again(shop: Shop, cut: str):
    initial = many_sales(shop)
    side, when = CUTS[cut]
    with Proxy(shop.server.server.port, when) as proxy:
        done = shop.run(**{f"{side}_DB_PORT": str(proxy.port)})
        assert proxy.done == 1, done.stdout
    check(done.stdout, "trying again")
    assert_olap_equals_replay(shop, initial)
    assert len(shop.olap_rows("SELECT FROM etl.corrida")) == 1


@pytest.mark.parametrize("side, direction", [("OLTP", "down"), ("OLAP", "up")])
def test_a_line_that_is_always_cut_is_a_clear_line(shop: Shop, side: str, direction: str):
    initial = many_sales(shop)
    with Proxy(shop.server.server.port, after_bytes(direction, 30_000), cuts=99) as proxy:
        said = fails(shop, f"{side}: ", "run again", **{f"{side}_DB_PORT": str(proxy.port)})
        assert proxy.done == 4, said
    settle(shop, initial)


@pytest.mark.parametrize("side", ["OLTP", "OLAP"])
def test_a_server_that_is_down_is_a_clear_line(shop: Shop, side: str):
    with Proxy(1, after_bytes("up", 1)) as proxy:
        port = str(proxy.port)
    process = start_run(shop, **{f"{side}_DB_PORT": port})
    assert process.wait() == (TASK_FAILED if side == "OLTP" else SCHEDULING_ERROR), process.output
    check(process.output, f"cannot connect to {side}", f"{side}_DB_PORT", "trying again")


def test_a_file_that_cannot_grow_is_a_full_disk(shop: Shop):
    """With a limit on the size of files, which needs no rights: any write beyond it fails."""
    initial = many_sales(shop)
    before = olap_tables(shop)
    done = subprocess.run(
        [str(LUIGI), "--module", "pipeline", "RunDue", "--local-scheduler"],
        cwd=shop.folder,
        env=shop.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
        check=False,
    )
    assert done.returncode == TASK_FAILED, done.stdout
    check(done.stdout, "movements.csv cannot be written", "free disk space", "ETL_STATE_DIR")
    assert olap_tables(shop) == before
    assert not list((shop.folder / "state").rglob("*-luigi-tmp-*")), "half a file was left"
    settle(shop, initial)


@pytest.mark.parametrize(
    "name", ["window.json", "extract.json", "load.json", "views.json", "marker.json"]
)
def test_a_disk_that_is_full_at_a_receipt_loses_nothing(shop: Shop, name: str):
    initial = stock(shop)
    fault = Fault(shop.folder, f"renaming:{name}", "enospc")
    process = start_run(shop, fault=fault)
    assert process.wait() == TASK_FAILED and fault.fired, process.output
    check(process.output, f"{name} cannot be written", "No space left on device")
    assert not list((shop.folder / "state").rglob("*-luigi-tmp-*")), "half a file was left"
    settle(shop, initial)
    assert len(shop.olap_rows("SELECT FROM etl.corrida")) == 1 + (name in ("load.json",))


def test_a_state_folder_that_is_a_file_is_a_clear_line(shop: Shop):
    initial = stock(shop)
    (shop.folder / "state").write_text("")
    fails(shop, "state", "set ETL_STATE_DIR", code=SCHEDULING_ERROR)
    (shop.folder / "state").unlink()
    settle(shop, initial)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own, which only root may make."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_under_the_state_folder(shop: Shop):
    initial = many_sales(shop)
    with small_disk(shop.folder / "small", "96k") as disk:
        fails(shop, "cannot be written", "No space left on device", ETL_STATE_DIR=f"{disk}/state")
        assert not list(disk.rglob("*-luigi-tmp-*")), "half a file was left"
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        shop.run(ETL_STATE_DIR=f"{disk}/state")
    assert_olap_equals_replay(shop, initial)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_under_the_olap(shop: Shop):
    """The OLAP's database in a tablespace of 32 MB, with a file that fills the rest."""
    initial = many_sales(shop)
    settle(shop, initial)
    place = account.shared_place() / f"pipeline-small-{os.getpid()}"
    try:
        with small_disk(place, "32m") as disk:
            (disk / "data").mkdir()
            account.give(disk / "data")
            shop.olap.close()
            shop.server.execute(f"CREATE TABLESPACE chico LOCATION '{disk / 'data'}'")
            move = "ALTER DATABASE {olap} SET TABLESPACE "
            shop.server.execute(move + "chico", olap=shop.olap_name)
            shop.olap = shop.server.connect(shop.olap_name)
            many_sales_more(shop)
            fill(disk / "ballast")
            fails(shop, "OLAP: load: ", "No space left on device", "free disk space")
            (disk / "ballast").unlink()
            settle(shop, initial)
            shop.olap.close()
            shop.server.execute(move + "pg_default", olap=shop.olap_name)
            shop.server.execute("DROP TABLESPACE chico")
            shop.olap = shop.server.connect(shop.olap_name)
    finally:
        place.rmdir()


def many_sales_more(shop: Shop) -> None:
    """Enough that the load cannot do with the pages that its tables have already."""
    shop.till(
        "INSERT INTO detalle_transaccion (id_transaccion, id_producto, cantidad, precio_unitario)"
        " SELECT id_transaccion, 1, n, 9.99 FROM transacciones, generate_series(1, 5) AS n"
        " WHERE tipo = 'VENTA'"
    )


def fill(path: Path) -> None:
    """A file as large as the disk allows."""
    with path.open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(1 << 16))
        except OSError:
            pass
