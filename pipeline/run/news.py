"""Whether a shop has anything new, asked before a window is opened for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from psycopg2 import sql

from pipeline import olap
from pipeline.base.database import call, connect
from pipeline.oltp.open_read import open_read
from pipeline.oltp.queries import load_levels
from pipeline.oltp.reads import changed_since
from pipeline.run import catalogue, deleted
from pipeline.run.due import check_clock
from pipeline.run.extract import levels_are_whole
from pipeline.run.source_change import rewritten, why_everything
from pipeline.state.receipts import horizon
from pipeline.state.window import is_done, windows_named

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg2.extensions import connection as Connection

    from pipeline.olap import Control
    from pipeline.oltp.open_read import Source
    from pipeline.settings import Settings


@dataclass(frozen=True)
class _Shop:
    """What the OLTP says before it is known what the OLAP has."""

    connection: Connection
    source: Source
    catalogue: str


def passed_on(settings: Settings, as_of: datetime) -> bool:
    """Have a shop's data hold up to `as_of`, if there is nothing that a window would carry.

    One question to each side and one small write: no folder, no window of etl.corrida. False
    where a window must be run, whatever for: something new, one that is unfinished or asked for
    more, rejects that are tried again, stock that is to be booked, what is deleted to be looked
    for, or the first of a day, which has more to do. Raises what connect() and windows_due()
    raise, after one attempt.
    """
    with ExitStack() as left_open, ThreadPoolExecutor(1) as beside:
        # Each side's session takes its server longer than all questions: so both are begun at once.
        look = beside.submit(copy_context().run, _look, settings, left_open)
        with connect(settings.olap, "control") as analytical:
            control = olap.checked_control(analytical, settings)
            # A session that waits for the other side holds nothing.
            analytical.rollback()
            if settings.shop and control["tienda"] is None:
                olap.adopt(analytical, settings)
                analytical.commit()
            check_clock(control, as_of)
            # Also where a window is run anyway: it would try a server that is gone four times.
            shop = look.result()
            # The inner of the two sessions, so that what fails there is told of its own side.
            with left_open.pop_all():
                if not _may_pass(settings, control, as_of) or _has_news(shop, settings, control):
                    return False
            return olap.pass_on(analytical, settings, control, as_of)


def _look(settings: Settings, left_open: ExitStack) -> _Shop:
    """What the OLTP says; its session is `left_open`, unless it fails."""
    with ExitStack() as own:
        connection = own.enter_context(connect(settings.oltp, "news", read_only=True))
        source = open_read(connection, settings)
        found = _Shop(connection, source, catalogue.fingerprint(connection, source.queries[1]))
        left_open.push(own.pop_all())
    return found


def _may_pass(settings: Settings, control: Control, as_of: datetime) -> bool:
    last = olap.last_run(control)
    return (
        last is not None
        and settings.capture != "full"
        and last < as_of
        and _same_day(settings, last, as_of)
        # Of what is gone no new version tells.
        and not deleted.is_due(settings, as_of, control)
        and not _folder_says_otherwise(settings, last)
    )


def _same_day(settings: Settings, last: datetime, as_of: datetime) -> bool:
    zone = ZoneInfo(settings.timezone)
    return last.astimezone(zone).date() == as_of.astimezone(zone).date()


def _folder_says_otherwise(settings: Settings, last: datetime) -> bool:
    """Whether a window there is to be finished, or is one that the OLAP has lost."""
    state = settings.state_dir
    return any(
        window.hasta > last or (last in (window.desde, window.hasta) and not is_done(state, window))
        for window in windows_named(state)
    )


def _has_news(shop: _Shop, settings: Settings, control: Control) -> bool:
    """Whether the OLTP has a row that is new, or is not what was read last."""
    queries, snapshot = shop.source.queries, shop.source.snapshot
    if (
        why_everything(shop.connection, snapshot, control)
        or any(rewritten(snapshot, control, name) for name in ("productos", "sucursales"))
        or shop.catalogue != control["catalogo"]
    ):
        return True
    levels = load_levels(shop.connection, settings)
    if levels is not None:
        # What is booked is of all that there is: of a row that is gone no version tells.
        if settings.stock_differences == "adjust" or levels_are_whole(levels, control):
            return True
        queries = [*queries, levels]
    elif control["existencias"] is not None:
        return True
    asked = sql.SQL(" OR ").join(
        sql.SQL("EXISTS (\n{}\n)").format(changed_since(query, horizon(control)))
        for query in queries
    )
    return bool(call(shop.connection, sql.SQL("SELECT {}").format(asked)))
