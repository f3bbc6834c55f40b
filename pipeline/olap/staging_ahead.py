"""Stages a large extract's movements in the OLAP while they are still being read of the OLTP."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

import psycopg2

from pipeline import olap
from pipeline.base.database import connect
from pipeline.base.logs import fields, log
from pipeline.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings
    from pipeline.state.receipts import File
    from pipeline.state.window import Window


# Bytes of the file from which on a second connection is worth its while.
THRESHOLD = 8_000_000

_PATIENCE = 1.0  # seconds in which a thread that is to end does so in good order


class _GivenUpError(Exception):
    """Why the rest is not staged ahead."""


class StagingAhead:
    """A thread that COPYs the file of movements into etl.etapa, behind its writer.

    It reads the file and not the OLTP's answer, so that a slow OLAP never keeps the OLTP's
    snapshot open. What fails in it is told in the log and costs nothing but the gain:
    the load takes the file where etl.adelanto does not name its extract. At the end of the block
    the thread is over or ends by itself; nothing names what it staged if the block raises.
    """

    def __init__(self, settings: Settings, window: Window, version: str, run_id: str) -> None:
        self._settings, self._window = settings, window
        self._version, self._run_id = version, run_id
        self._thread: threading.Thread | None = None
        # What follows is shared with the thread, under this lock.
        self._changed = threading.Condition()
        self._written = 0
        self._file: File | None = None
        self._abandoned = False
        self._connection: Connection | None = None
        # The thread's own.
        self._descriptor = -1
        self._sent = 0
        self._digest = hashlib.sha256()
        self._deadline = 0.0
        self._why = ""

    def __enter__(self) -> StagingAhead:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._thread is None:
            return
        try:
            if kind is None and self._file is not None and self._thread.is_alive():
                self._thread.join(max(0.0, self._deadline - time.monotonic()))
                if self._thread.is_alive():
                    self._tell("the OLAP is too slow")
        finally:
            # Also where Ctrl-C comes while it is waited for.
            self._abandon(self._thread)

    def grown(self, stream: BinaryIO, size: int) -> None:
        """Tell that `stream`, the file of movements, was given `size` bytes so far."""
        if size < THRESHOLD:
            return
        stream.flush()
        with self._changed:
            self._written = size
            self._changed.notify()
        if not self._deadline:
            self._start(stream)

    def complete(self, stream: BinaryIO, file: File) -> None:
        """Tell that `stream` has all its content; `file` are its rows, bytes and sha256."""
        stream.flush()
        with self._changed:
            self._written = file["bytes"]
            self._file = file
            self._changed.notify()

    def _start(self, stream: BinaryIO) -> None:
        # Whoever waits for the lock meanwhile must not wait in vain.
        self._deadline = time.monotonic() + self._settings.olap.lock_timeout / 2
        # A daemon, so that a process which is told twice to end does so.
        thread = threading.Thread(target=self._run, name="staging ahead", daemon=True)
        try:
            self._descriptor = os.dup(stream.fileno())
            thread.start()
        except (OSError, RuntimeError) as failure:
            self._close()
            self._tell(str(failure))
        else:
            self._thread = thread

    def _abandon(self, thread: threading.Thread) -> None:
        with self._changed:
            self._abandoned = True
            self._changed.notify()
        if thread.is_alive():
            thread.join(_PATIENCE)
        # One that is not connected yet ends by itself as soon as it is.
        if thread.is_alive() and self._cut():
            thread.join()

    def _cut(self) -> bool:
        """End the thread's session, if it has one, under its hands: the server rolls back."""
        with self._changed:
            if self._connection is None:
                return False
            with (
                suppress(OSError, psycopg2.Error),
                socket.socket(fileno=os.dup(self._connection.fileno())) as line,
            ):
                line.shutdown(socket.SHUT_RDWR)
            return True

    # In the thread

    def _run(self) -> None:
        try:
            self._stage()
        except Exception as failure:
            if not self._abandoned:
                self._tell(self._why or one_line(str(failure)))
        finally:
            self._close()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _stage(self) -> None:
        settings, window = self._settings, self._window
        with (
            connect(settings.olap, "staging ahead") as connection,
            self._using(connection),
        ):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
                verdict = olap.open_ahead(connection, settings, window, self._version)
                if verdict != "cargar":
                    log.debug("%s: not staged while it is read: %s", window, verdict)
                    return
                copy = f"COPY {olap.STAGED_MOVEMENTS} FROM STDIN (FORMAT csv)"
                cursor.copy_expert(copy, self, 1 << 16)
                rows, sha256 = cursor.rowcount, self._digest.hexdigest()
            file: File = {"rows": rows, "bytes": self._sent, "sha256": sha256}
            if file != self._file:
                raise _GivenUpError("what was staged is not what was read")
            olap.note_staged(connection, self._run_id, file)

    @contextmanager
    def _using(self, connection: Connection) -> Iterator[None]:
        """Let _cut() reach it, as long as it is open."""
        with self._changed:
            if self._abandoned:
                raise _GivenUpError
            self._connection = connection
        try:
            yield
        finally:
            with self._changed:
                self._connection = None

    def read(self, size: int = -1) -> bytes:
        """What the writer has added, for COPY; waits for it, and is empty at the end."""
        try:
            expected = min(size, self._available())
            data = os.pread(self._descriptor, expected, self._sent)
            if expected and not data:
                raise _GivenUpError("the file is shorter than what was written to it")
        except (OSError, _GivenUpError) as failure:
            # The driver keeps the server's words only.
            self._why = one_line(str(failure))
            raise
        self._digest.update(data)
        self._sent += len(data)
        return data

    readline = read  # psycopg2's type asks for it; COPY does not call it

    def _available(self) -> int:
        with self._changed:
            while self._sent == self._written and self._file is None and not self._abandoned:
                if not self._changed.wait(max(0.0, self._deadline - time.monotonic())):
                    break
            if self._abandoned or time.monotonic() >= self._deadline:
                raise _GivenUpError("it takes longer than others may be kept waiting")
            return self._written - self._sent

    def _tell(self, why: str) -> None:
        text = "%s: not staged while it is read (%s); the load takes the file, run %s"
        extra = fields("ExtractWindow", self._window, self._run_id)
        log.info(text, self._window, why, self._run_id, extra=extra)
