"""Ctrl-C while PostgreSQL is at work: the driver sees no signal before the statement has ended."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_ACTIVE

from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

_open: set[Connection] = set()
_watching = False


@contextmanager
def ends_what_runs(connection: Connection) -> Iterator[None]:
    """Within the block Ctrl-C cancels what runs there; then Python raises KeyboardInterrupt."""
    _watch()
    _open.add(connection)
    try:
        yield
    finally:
        _open.discard(connection)


def _watch() -> None:
    """Have a thread told of signals, once; where others handle them, they do."""
    global _watching
    if (
        _watching
        or threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        return
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    before = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    if before != -1:
        signal.set_wakeup_fd(before)
        os.close(told)
        os.close(tell)
        return
    _watching = True
    threading.Thread(target=_wait, args=(told,), name="Ctrl-C", daemon=True).start()


def _wait(told: int) -> None:
    while numbers := os.read(told, 16):
        if signal.SIGINT in numbers:
            for connection in tuple(_open):
                # One that is closed meanwhile has nothing that runs. To cancel takes a
                # connection of its own, and all threads wait for that.
                with suppress(psycopg2.Error):
                    if connection.info.transaction_status == TRANSACTION_STATUS_ACTIVE:
                        connection.cancel()


def _leave_to_parent() -> None:
    """A process that Luigi forks has no thread of ours, and would tell its parent's."""
    global _watching
    if _watching:
        signal.set_wakeup_fd(-1)
        _open.clear()
        _watching = False


os.register_at_fork(after_in_child=_leave_to_parent)


def say_interrupted() -> None:
    """Have a KeyboardInterrupt that nobody takes be one line, without a traceback."""
    before = sys.excepthook

    def say(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        wanted = logging.getLogger("luigi-interface").isEnabledFor(logging.DEBUG)
        if issubclass(kind, KeyboardInterrupt) and not wanted:
            print(_("interrupted; what is not committed is done again next time"), file=sys.stderr)
        else:
            before(kind, error, trace)

    sys.excepthook = say
