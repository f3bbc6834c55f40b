"""The OLTP: one snapshot, its horizon and identity, and COPY out of it."""

from __future__ import annotations

import codecs
import hashlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from psycopg2 import sql
from psycopg2.extensions import encodings

from pipeline.base.database import commit_each, connect
from pipeline.base.sql_files import read_sql
from pipeline.errors import DatabaseError
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.plans import Tables
    from pipeline.settings import Settings
    from pipeline.state.receipts import Taken

_FLUSH_PATIENCE = 40.0  # seconds
_PIECE = 1 << 18  # bytes


@dataclass(frozen=True)
class Identity:
    """Which server, timeline, database and tables were read; a restore changes one of them."""

    system: str
    timeline: str
    database: int
    tables: dict[str, Tables]

    def as_json(self) -> dict[str, Any]:
        """As kept in etl.control."""
        return {
            "sistema": self.system,
            "linea_de_tiempo": self.timeline,
            "base": self.database,
            "tablas": {
                query: {table: list(known) for table, known in tables.items()}
                for query, tables in self.tables.items()
            },
        }


@dataclass(frozen=True)
class Snapshot:
    """The bounds of a REPEATABLE READ snapshot: 64-bit transaction ids, WAL position, UTC time."""

    horizon: int
    ceiling: int
    moment: datetime
    standby: bool
    lsn: str
    identity: Identity
    queries: dict[str, str]

    def as_json(self) -> Taken:
        """What a receipt keeps of it, for the next window to read from."""
        return {
            "leida": self.moment.isoformat(),
            "horizonte": str(self.horizon),
            "lsn": self.lsn,
            "identidad": self.identity.as_json(),
            "consultas": self.queries,
        }


def join_in_order(connection: Connection) -> None:
    """Lean the planner, for this transaction, towards joining whole tables in order of their keys.

    Where headers and lines lie in the order in which they were written, two indexes give them
    nearly page by page, while a hash of the headers outgrows work_mem; but the planner takes the
    two for equally dear. Half the usual cost decides it, and keeps the hash where they lie in no
    order.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('random_page_cost',"
            " least(2, current_setting('random_page_cost')::float8)::text, true)"
        )


def take_snapshot(
    connection: Connection, tables: dict[str, Tables], queries: dict[str, str]
) -> Snapshot:
    """Describe the transaction's snapshot.

    `tables` are the sources as query_plans.py finds them, `queries` what query_prints.py says.
    """
    with connection.cursor() as cursor:
        cursor.execute(read_sql("oltp", "instantanea.sql"))
        row = cursor.fetchone()
    assert row is not None
    horizon, ceiling, moment, standby, lsn, system, timeline, database = row
    identity = Identity(system, timeline, database, tables)
    return Snapshot(horizon, ceiling, moment, standby, lsn, identity, queries)


def wal_position(lsn: str) -> int:
    """An LSN as a number, to be compared."""
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


class HashingWriter(io.RawIOBase):
    """Passes what COPY yields on to a stream, and counts and hashes it.

    `count_rows` is told of the rows of each piece, for whoever watches.
    """

    def __init__(self, stream: BinaryIO, count_rows: Callable[[int], None]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self._count_rows = count_rows
        self.size = 0

    def writable(self) -> bool:
        """What a buffer before it asks."""
        return True

    def write(self, data: Any) -> int:
        """Take one piece of the COPY."""
        piece = bytes(data)
        self._digest.update(piece)
        self.size += len(piece)
        self._stream.write(piece)
        # A line within quotes counts, too: it is only shown.
        self._count_rows(piece.count(b"\n"))
        return len(piece)

    @property
    def sha256(self) -> str:
        """Of everything written so far, in hexadecimal."""
        return self._digest.hexdigest()


class _InUtf8(io.RawIOBase):
    """Passes on in UTF-8 what a database that converts nothing yields in an encoding of its own."""

    def __init__(self, writer: HashingWriter, codec: str) -> None:
        self._writer = writer
        self._decoder = codecs.getincrementaldecoder(codec)()

    def writable(self) -> bool:
        """What a buffer before it asks."""
        return True

    def write(self, data: Any) -> int:
        """Take one piece, which may end within a character."""
        self._writer.write(self._decoder.decode(bytes(data)).encode())
        return len(data)


def copy_out(connection: Connection, query: sql.Composable, writer: HashingWriter) -> int:
    """Write the query's rows as CSV, and return how many they are; the writer is closed."""
    statement = sql.SQL("COPY (\n{}\n) TO STDOUT (FORMAT csv)").format(query)
    # The driver hands on a row at a time: nothing of ours may be called for each.
    codec = encodings[connection.encoding]
    stream = writer if codec == "utf_8" else _InUtf8(writer, codec)
    with io.BufferedWriter(stream, _PIECE) as rows, connection.cursor() as cursor:
        cursor.copy_expert(statement, rows)
        return int(cursor.rowcount)


def read_rows(connection: Connection, query: sql.Composable) -> list[tuple[Any, ...]]:
    """All rows of a query that yields few."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def wait_for_flush(settings: Settings, snapshot: Snapshot) -> None:
    """Make sure that the WAL up to the snapshot is on the OLTP's disk.

    Otherwise a crash of the OLTP can reuse transaction ids that this window counts
    as seen. A committed message forces the flush in milliseconds; a standby has no
    WAL of its own, so there is nothing to wait for. Raises DatabaseError when
    the WAL is not flushed within 40 s.
    """
    if snapshot.standby:
        return
    with connect(settings.oltp, "flush wait") as connection:
        with connection.cursor() as cursor:
            # A missing synchronous standby must not hold up the commit.
            cursor.execute("SET LOCAL synchronous_commit = local")
            cursor.execute("SELECT pg_logical_emit_message(true, 'etl', '')")
        connection.commit()
        commit_each(connection)
        deadline = time.monotonic() + _FLUSH_PATIENCE
        with connection.cursor() as cursor:
            while True:
                cursor.execute("SELECT pg_current_wal_flush_lsn() >= %s::pg_lsn", (snapshot.lsn,))
                row = cursor.fetchone()
                if row is not None and row[0]:
                    return
                if time.monotonic() > deadline:
                    raise DatabaseError(
                        _(
                            "OLTP: its WAL up to {lsn} was not on disk after "
                            "{flush_patience:.0f} s; look at the server's disk, then run again"
                        ).format(lsn=snapshot.lsn, flush_patience=_FLUSH_PATIENCE)
                    )
                time.sleep(0.05)
