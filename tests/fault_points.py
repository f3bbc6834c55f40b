"""Named points inside the pipeline's own process at which a test lets something happen.

The process loads this file at its start (see fault_process.py, which writes a sitecustomize
module for it), so that what is killed is the real command with the real tasks. `FAULT_POINT`
is the point, `FAULT_ACTION` what happens there, once for all the processes of a test.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Act = Callable[..., None]


def _fire(**at: Any) -> None:
    """Do what FAULT_ACTION says, if no process of this test has done it yet."""
    folder = Path(os.environ["FAULT_FOLDER"])
    try:
        os.close(os.open(folder / "fired", os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    action = os.environ.get("FAULT_ACTION", "kill")
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "orphan":
        # Luigi's parent goes, this worker of `--workers 2` goes on without it.
        os.kill(os.getppid(), signal.SIGKILL)
    elif action == "enospc":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    elif action == "terminate":
        _terminate(at["connection"])
    elif action == "pause":
        (folder / "paused").touch()
        while not (folder / "go").exists():
            time.sleep(0.02)
    else:
        raise AssertionError(f"FAULT_ACTION={action} is unknown")


def _terminate(connection: Any) -> None:
    """The administrator ends the session that the pipeline is using."""
    import psycopg2

    side = "OLTP" if connection.info.dbname == os.environ["OLTP_DB_NAME"] else "OLAP"
    administrator = psycopg2.connect(
        host=connection.info.host,
        port=connection.info.port,
        dbname=connection.info.dbname,
        user=os.environ[f"{side}_ADMIN_USER"],
        password=os.environ[f"{side}_ADMIN_PASSWORD"],
    )
    try:
        administrator.cursor().execute(
            "SELECT pg_terminate_backend(%s, 30000)", (connection.info.backend_pid,)
        )
    finally:
        administrator.close()


def _around(owner: Any, name: str, before: Act | None = None, after: Act | None = None) -> None:
    """Call `before` and `after` with the arguments of owner.name whenever that is called."""
    original = getattr(owner, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        if before:
            before(*arguments, **options)
        result = original(*arguments, **options)
        if after:
            after(*arguments, **options)
        return result

    setattr(owner, name, wrapped)


def _nth(number: int, act: Act) -> Act:
    """`act`, on the call of that number only."""
    calls = iter(range(1, 1 << 30))

    def counted(*arguments: Any, **options: Any) -> None:
        if next(calls) == number:
            act(*arguments, **options)

    return counted


def _plain(*_: Any, **__: Any) -> None:
    _fire()


def _on_connection(connection: Any, *_: Any, **__: Any) -> None:
    _fire(connection=connection)


def _partly_out(writer: Any, *_: Any) -> None:
    """Half of the file is on the disk when the process goes."""
    writer._stream.flush()
    _fire()


def _only_for(name: str) -> Act:
    def fire(target: Any, *_: Any) -> None:
        path = Path(getattr(target, "path", target))
        if path.name == name or path.name.startswith(f".{name}-luigi-tmp-"):
            _fire()

    return fire


def _install_receipt(point: str) -> bool:
    """`before:`, `renaming:` and `after:` the name of one of the state folder's files."""
    from pipeline.state.targets import DurableTarget

    when, _, name = point.partition(":")
    if when == "before":
        _around(DurableTarget, "write_receipt", before=_only_for(name))
    elif when == "after":
        _around(DurableTarget, "write_receipt", after=_only_for(name))
    elif when == "renaming":
        # Written and synced, but still under its temporary name.
        _around(Path, "replace", before=_only_for(name))
    else:
        return False
    return True


def install() -> None:
    """Patch the pipeline's functions at FAULT_POINT."""
    piece = os.environ.get("FAULT_PIECE")
    if piece:
        from pipeline.run import backfill

        backfill.PIECE = int(piece)
    point = os.environ.get("FAULT_POINT", "")
    if not point or _install_receipt(point):
        return
    from pipeline import olap
    from pipeline.oltp import open_read
    from pipeline.oltp import snapshot as oltp
    from pipeline.run import backfill, extract, load, refresh
    from pipeline.tasks import steps

    name, _, number = point.partition(":")
    nth = int(number or 1)
    if name == "snapshot":
        _around(open_read, "begin_snapshot", before=_nth(nth, _on_connection))
    elif name == "read":
        _around(open_read, "take_snapshot", after=_nth(nth, _on_connection))
    elif name == "copy_out":
        oltp._PIECE = 64
        _around(oltp.HashingWriter, "write", after=_nth(nth, _partly_out))
    elif name == "flush":
        _around(extract, "wait_for_flush", before=_nth(nth, _plain))
    elif name == "flushed":
        _around(extract, "wait_for_flush", after=_nth(nth, _plain))
    elif name == "rehearsing":
        from pipeline.run import rehearsal

        _around(rehearsal, "load_files", before=_nth(nth, _on_connection))
    elif name == "opening":
        _around(olap, "open_window", before=_nth(nth, _on_connection))
    elif name == "opened":
        _around(olap, "open_window", after=_nth(nth, _on_connection))
    elif name == "copy_in":
        _around(olap.staging._HashingReader, "read", before=_nth(nth, _plain))
    elif name == "copied":
        _around(olap, "copy_in", after=_nth(nth, _on_connection))
    elif name == "loaded":
        _around(olap, "load_staged", after=_nth(nth, _on_connection))
    elif name == "refresh":
        _around(refresh, "_refresh", before=_nth(nth, _on_connection))
    elif name == "noting":
        _around(steps, "note_views", before=_nth(nth, _plain))
    elif name == "receipt":
        _around(load, "_tell", after=_nth(nth, _plain))
    elif name == "piece":
        _around(backfill, "copy_to_file", after=_nth(nth, _plain))
    elif name == "merge":
        _around(olap, "copy_file", after=_nth(nth, _on_connection))
    elif name == "merged":
        # After cargar_historia(); its commit is still to come.
        _after_call(backfill.olap, "etl.cargar_historia")
    elif name == "closing":
        _around(olap, "call", before=_nth(nth, _on_connection))
    elif name == "closed":
        # The commit is still to come.
        _after_call(olap, "etl.cerrar(")
        _after_call(olap, "etl.reabrir(")
    elif name == "telling":
        from pipeline.commands import close

        _around(close, "print_facts", before=_nth(nth, _plain))
    else:
        raise AssertionError(f"FAULT_POINT={point} is unknown")


def _after_call(module: Any, function: str) -> None:
    original = module.call

    def call(connection: Any, statement: str, parameters: tuple[Any, ...] = ()) -> Any:
        result = original(connection, statement, parameters)
        if function in statement:
            _fire(connection=connection)
        return result

    module.call = call
