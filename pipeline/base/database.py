"""Connections to either side: pinned sessions, and errors said in one line."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ, QuotedString

from pipeline.base.interrupt import ends_what_runs
from pipeline.base.pooled import PooledConnection
from pipeline.errors import DatabaseError, LockedError, TransientError, one_line, translate
from pipeline.translation import translated as _
from pipeline.translation.stored import worded

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.sql import Composable

    from pipeline.settings import Database

# A dead peer is noticed in about a minute, also in the middle of a COPY.
_KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 4,
    "tcp_user_timeout": 60_000,
}


# What this process has open.
_opened: WeakSet[Connection] = WeakSet()
# Within sessions_lent(), those that nobody has now.
_idle: dict[Database, list[PooledConnection]] | None = None


def _cut_after_fork() -> None:
    """A fork has its parent's sockets, and would get the answers to its questions without an error.

    In the child each leads nowhere: whatever is asked there fails, and the parent's stays as it is.
    Nor is any lent there.
    """
    global _idle
    _idle = None
    nowhere = os.open(os.devnull, os.O_RDWR)
    for connection in _opened:
        # One that is closed has none.
        with suppress(psycopg2.Error):
            os.dup2(nowhere, connection.fileno())
    os.close(nowhere)
    _opened.clear()


os.register_at_fork(after_in_child=_cut_after_fork)


def _connect(database: Database, read_only: bool) -> PooledConnection:
    try:
        connection: PooledConnection = psycopg2.connect(
            connection_factory=PooledConnection,
            host=database.host,
            port=database.port,
            dbname=database.name,
            user=database.user,
            password=database.password or None,
            sslmode=database.sslmode,
            sslrootcert=database.sslrootcert or None,
            application_name="pipeline",
            client_encoding="UTF8",
            connect_timeout=10,
            **_KEEPALIVE,
        )
    except psycopg2.OperationalError as error:
        text = one_line(str(error))
        side, account = database.side, database.account
        message = _(
            "cannot connect to {database}: {text}; check {side}_DB_HOST, {side}_DB_PORT, "
            "{side}_DB_NAME, {side}_DB_SSLMODE, {account}_USER and {account}_PASSWORD, and "
            "that the server is up"
        ).format(database=database, text=text, side=side, account=account)
        refused = any(word in text for word in ("password", "does not exist", "pg_hba", "no pass"))
        failure = DatabaseError if refused else TransientError
        raise failure(message, plain=_plain(side, refused=refused)) from error
    _opened.add(connection)
    if database.encoding and connection.info.parameter_status("server_encoding") == "SQL_ASCII":
        # Such a server converts nothing: what comes is read, and written, in this encoding.
        connection.set_client_encoding(database.encoding)
    settings = _session_settings(database)
    connection.autocommit = True
    with connection.cursor() as cursor:
        # In one trip: a window takes ten sessions.
        cursor.execute("; ".join([*(f"SET {s}" for s in settings), "SELECT pg_backend_pid()"]))
        (pid,) = cursor.fetchone()
    connection.set_session(readonly=read_only, autocommit=False)
    # Another session answers than the one that was connected to.
    if pid != connection.info.backend_pid:
        connection.begins_with = "; ".join(f"SET LOCAL {setting}" for setting in settings)
    return connection


def _plain(side: str, *, refused: bool) -> str:
    """Why there is no connection, for whoever reads the page."""
    databases = {"OLTP": _("the shop's database"), "OLAP": _("the database of these figures")}
    said = (
        _("{database} does not let the pipeline in")
        if refused
        else _("{database} cannot be reached")
    )
    return said.format(database=databases[side])


def _session_settings(database: Database) -> list[str]:
    return [
        f"TimeZone = {QuotedString(database.timezone)}",
        # Give up on a lock that somebody else keeps, instead of waiting for ever.
        f"lock_timeout = '{database.lock_timeout}s'",
        "DateStyle = ISO",
        "IntervalStyle = postgres",
        "extra_float_digits = 3",
        # One side's snapshot stays open while the other reckons: minutes, of a large ledger.
        "idle_in_transaction_session_timeout = 0",
        # The server, too, notices a dead peer: one in the middle of a COPY holds locks.
        "tcp_keepalives_idle = 20",
        "tcp_keepalives_interval = 10",
        "tcp_keepalives_count = 4",
        # A policy that hides rows must be an error, not a sale that is never seen.
        "row_security = off",
    ]


@contextmanager
def sessions_lent() -> Iterator[None]:
    """Within the block a session that is done with is lent to who next connects to that database.

    For the steps of one shop's run in one process: a new session plans and compiles anew what the
    one before it knew, and ten of them took a quarter of a small window. All are closed at the
    end, of the outer one of two blocks. In a fork there is no such block.
    """
    global _idle
    if _idle is not None:
        yield
        return
    idle: dict[Database, list[PooledConnection]] = {}
    _idle = idle
    try:
        yield
    finally:
        _idle = None
        for connection in chain.from_iterable(idle.values()):
            connection.close()


def _borrow(database: Database, read_only: bool) -> PooledConnection | None:
    waiting = _idle.get(database, []) if _idle else []
    while waiting:
        try:
            connection = waiting.pop()
        except IndexError:
            # Another thread, as a refresh has two, was faster.
            break
        silent = select.poll()
        silent.register(connection, select.POLLIN)
        # A session that is idle is told nothing but that it ends.
        if not silent.poll(0):
            connection.set_session("DEFAULT", readonly=read_only, autocommit=False)
            return connection
        connection.close()
    return None


def _give_back(database: Database, connection: PooledConnection) -> None:
    """Have it lent, with what was not committed rolled back; else closed, as one that failed is."""
    lent = _idle
    if lent is None or connection.closed:
        connection.close()
        return
    try:
        connection.rollback()
    except psycopg2.Error:
        connection.close()
    else:
        lent.setdefault(database, []).append(connection)


@contextmanager
def connect(database: Database, step: str, *, read_only: bool = False) -> Iterator[Connection]:
    """A connection whose session has its time zone pinned to the shop's, closed or lent at the end.

    Leaves nothing half done: what was not committed by the body is rolled back.
    Driver errors are raised as ours, in one line that begins with the side and
    `step`: TransientError where a new attempt may succeed, else DatabaseError or
    what a function of sql/olap chose.
    """
    where = f"{database.side}: {step}"
    try:
        connection = _borrow(database, read_only) or _connect(database, read_only)
    except psycopg2.Error as error:
        raise translate(error, where) from error
    lent = False
    try:
        with ends_what_runs(connection):
            yield connection
        _give_back(database, connection)
        lent = True
    except psycopg2.Error as error:
        failure = translate(error, where, reads_shop=database.side == "OLTP")
        if isinstance(failure, LockedError) and database.side == "OLAP":
            raise LockedError(
                _("{failure}; held by {database}").format(
                    failure=failure, database=who_blocks(database)
                ),
                plain=str(failure),
            ) from error
        raise failure from error
    finally:
        if not lent:
            connection.close()


def commit_each(connection: Connection) -> None:
    """Make each statement from here on a transaction of its own.

    Through a pooler it may write even where the connection was to read only: that would be set in
    a session of the server, and its next user could write nothing.
    """
    if isinstance(connection, PooledConnection) and connection.begins_with:
        connection.set_session(readonly="default")
    connection.autocommit = True


def begin_snapshot(connection: Connection) -> None:
    """Make the next statement open the one snapshot that the whole read is done in."""
    connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)


def call(
    connection: Connection, statement: str | Composable, parameters: tuple[Any, ...] = ()
) -> Any:
    """Run a statement that yields one row of one column, and return that value."""
    with connection.cursor() as cursor:
        # With an empty tuple the driver would take a percent sign of a shop's query for a slot.
        cursor.execute(statement, parameters or None)
        row = cursor.fetchone()
    return row[0] if row else None


def rows_of(
    connection: Connection, statement: str | Composable, parameters: tuple[Any, ...] = ()
) -> list[Any]:
    """Run a statement as call() does, and return all its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall()


def who_blocks(olap: Database) -> str:
    """The sessions that hold locks in the OLAP, in words; asked after a lock timeout."""
    try:
        with (
            closing(_connect(olap, read_only=True)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT etl.quien_bloquea()")
            row = cursor.fetchone()
    except (psycopg2.Error, DatabaseError):
        # The account may be an administrator's own database without our functions, or have
        # no other session to ask in.
        return _("a session that could not be asked for")
    if not row or not row[0]:
        return _("a session that has ended since")
    return "; ".join(map(worded, row[0].split("; ")))
