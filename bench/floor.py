"""The floor: COPY out | COPY in of the finished ledger, into a table with the same indexes."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

from bench.measure import timed

if TYPE_CHECKING:
    from bench.place import Place


def prepare(place: Place, database: str, runs: int) -> None:
    """Make bench.piso like the ledger; with the rows of all runs but the last `runs`th, if any."""
    with closing(place.olap.connect(database)) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE SCHEMA IF NOT EXISTS bench; DROP TABLE IF EXISTS bench.piso")
        # LIKE leaves the storage options out, which say how full a page gets.
        cursor.execute("CREATE TABLE bench.piso (LIKE dw.kardex INCLUDING INDEXES)")
        cursor.execute("SELECT unnest(reloptions) FROM pg_class WHERE oid = 'dw.kardex'::regclass")
        for (option,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE bench.piso SET ({option})")
        cursor.execute("INSERT INTO bench.piso SELECT * FROM dw.kardex WHERE version < %s", (runs,))
        connection.commit()
    place.settle()


def carry(place: Place, database: str, run: int) -> float:
    """The seconds in which the ledger's rows of one run go through a pipe, as text."""
    read, write = os.pipe()
    out = f"COPY (SELECT * FROM dw.kardex WHERE version = {run:d}) TO STDOUT"
    with (
        closing(place.olap.connect(database)) as source,
        closing(place.olap.connect(database)) as target,
    ):

        def both() -> None:
            thread = threading.Thread(target=_copy_out, args=(source, out, write))
            thread.start()
            with os.fdopen(read, "rb") as stream:
                target.cursor().copy_expert("COPY bench.piso FROM STDIN", stream, 1 << 16)
            thread.join()
            target.commit()

        return timed(both)


def _copy_out(source: Any, statement: str, write: int) -> None:
    with os.fdopen(write, "wb") as stream:
        source.cursor().copy_expert(statement, stream)
