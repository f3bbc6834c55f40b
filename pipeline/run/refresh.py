"""The refresh of the materialized views that a shop added to dw, two at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from itertools import groupby
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg2
from psycopg2 import errorcodes

from pipeline.base import progress
from pipeline.base.database import commit_each, connect, who_blocks
from pipeline.base.logs import log
from pipeline.errors import DatabaseError
from pipeline.olap import call
from pipeline.settings import shops
from pipeline.translation import translated as _
from pipeline.translation.stored import worded

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings
    from pipeline.state.window import Window


class _View(NamedTuple):
    """A row of etl.vistas_por_refrescar()."""

    oid: int
    name: str
    turn: int


def refresh_views(settings: Settings) -> list[dict[str, Any]]:
    """Refresh the shop's own materialized views of dw, each in a transaction of its own.

    Returns one row a view: its name, its seconds, a notice (why it was refreshed plainly) and an
    error, or None. A view's failure stops no other, and no run.
    """
    with connect(settings.olap, "views") as connection:
        commit_each(connection)
        with connection.cursor() as cursor:
            cursor.execute("SELECT vista, nombre, turno FROM etl.vistas_por_refrescar()")
            views = [_View(*row) for row in cursor.fetchall()]
        if not views:
            return []
        rows = []
        with (
            progress.stage(_("refreshing views"), _("views"), len(views)) as advance,
            _sessions(connection, settings, min(len(views), 2)) as sessions,
        ):
            # A turn after the other: the views of a later one may read those of an earlier.
            for _turn, turn in groupby(views, key=lambda view: view.turn):
                for row in _refresh_turn(sessions, settings, list(turn)):
                    rows.append(row)
                    advance(1)
        return rows


def _refresh_turn(
    sessions: list[Connection], settings: Settings, views: list[_View]
) -> Iterator[dict[str, Any]]:
    """Views that do not read each other, as many at a time as there are sessions."""
    idle: SimpleQueue[Connection] = SimpleQueue()
    for session in sessions:
        idle.put(session)

    def refresh(view: _View) -> dict[str, Any]:
        session = idle.get()
        try:
            return _refresh(session, settings, view.oid, view.name)
        finally:
            idle.put(session)

    turn = shops.current()
    with ThreadPoolExecutor(
        len(sessions), initializer=shops.take_turn, initargs=(turn,)
    ) as threads:
        try:
            yield from threads.map(refresh, views)
        except BaseException:
            # Neither the views that wait nor the other that is under way is waited for.
            threads.shutdown(wait=False, cancel_futures=True)
            for session in sessions:
                # A server that cannot be reached must not hide why.
                with suppress(psycopg2.Error):
                    session.cancel()
            raise


@contextmanager
def _sessions(
    connection: Connection, settings: Settings, wanted: int
) -> Iterator[list[Connection]]:
    """`wanted` sessions, the given one first; fewer where the server grants no other."""
    with ExitStack() as stack:
        sessions = [connection]
        while len(sessions) < wanted:
            try:
                other = stack.enter_context(connect(settings.olap, "views"))
            except DatabaseError as failure:
                log.debug("the views are refreshed in one session: %s", failure)
                break
            commit_each(other)
            sessions.append(other)
        yield sessions


def _refresh(connection: Connection, settings: Settings, oid: int, name: str) -> dict[str, Any]:
    started = datetime.now()
    notice = error = None
    try:
        notice = call(connection, "SELECT etl.refrescar_vista(%s)", (oid,))
    except psycopg2.Error as failure:
        if connection.closed:
            raise
        error = worded((failure.diag.message_primary or str(failure)).strip())
        if failure.pgcode == errorcodes.LOCK_NOT_AVAILABLE:
            error += _("; held by {blocker}").format(blocker=who_blocks(settings.olap))
    seconds = round((datetime.now() - started).total_seconds(), 3)
    return {"view": name, "seconds": seconds, "notice": notice, "error": error}


def tell_views(views: Iterable[dict[str, Any]]) -> None:
    """Log each that was not refreshed as it should be, and why."""
    for view in views:
        if view["error"] or view["notice"]:
            log.warning("%s: %s", view["view"], view["error"] or view["notice"])


def note_views(settings: Settings, window: Window, seconds: float) -> None:
    """Record with the window how long the refresh took."""
    with connect(settings.olap, "views") as connection:
        call(
            connection,
            "SELECT etl.anotar_vistas(%s, %s, %s)",
            (window.desde, window.hasta, seconds),
        )
        connection.commit()
