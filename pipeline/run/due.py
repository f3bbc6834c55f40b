"""Which windows are due: from the state folder, the OLAP's control row and the time."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipeline import olap
from pipeline.base.database import sessions_lent
from pipeline.base.logs import log
from pipeline.errors import GuardError, StateError
from pipeline.state import window as windows
from pipeline.state.targets import DurableTarget, make_private_folder
from pipeline.state.window import Window, whole_second, windows_in
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings


_CLOCK_TOLERANCE = timedelta(seconds=60)


@sessions_lent()
def windows_due(settings: Settings, as_of: datetime, *, wait: bool) -> tuple[Window, ...]:
    """The windows to run now, in order: an unfinished one first, then the one up to `as_of`.

    First sets aside the folders of windows that the OLAP turns out not to have. With
    `wait`, an `as_of` that is not after the last window is moved on, as soon as the
    clock passes it. Raises GuardError when the clock contradicts what was loaded.
    """
    make_private_folder(settings.state_dir)
    control = olap.read_control(settings)
    check_clock(control, as_of)
    loaded = set_aside_unknown(settings)
    pending = find_pending(settings, control, loaded)
    if pending is not None:
        start: datetime = pending.hasta
    else:
        start = olap.last_run(control) or first_start(settings, as_of)
    if pending is None and olap.last_run(control) is None and start >= as_of:
        raise GuardError(
            _(
                "the first run would begin at {start}, which has not come yet: correct "
                "ETL_INITIAL_SINCE"
            ).format(start=start.isoformat())
        )
    if wait and as_of <= start:
        as_of = _wait_until_after(start)
    fresh = (Window(start, as_of),) if as_of > start else ()
    return (pending, *fresh) if pending is not None else fresh


def first_start(settings: Settings, as_of: datetime) -> datetime:
    """Where the first window begins: the initial date."""
    if settings.initial_since is not None:
        return whole_second(settings.initial_since)
    return as_of - timedelta(days=settings.initial_days)


def find_pending(settings: Settings, control: olap.Control, loaded: set[Window]) -> Window | None:
    """The window that a run began and did not finish, if it can still be finished."""
    last = olap.last_run(control)
    unfinished = [
        window
        for window in windows_in(settings.state_dir)
        if not windows.marker(settings.state_dir, window).exists()
    ]
    for window in unfinished:
        if window in loaded and window.hasta == last:
            return window
    for window in unfinished:
        if window in loaded or _superseded(settings.state_dir, window):
            continue
        if last is None:
            since = settings.initial_since
            if since is None or whole_second(since) == window.desde:
                return window
        elif window.desde == last:
            return window
    return None


def predecessor(state: Path, window: Window) -> Window | None:
    """An unfinished window that ends where this one begins: it must be finished first."""
    for other in windows_in(state):
        if other.hasta == window.desde and not windows.marker(state, other).exists():
            return other
    return None


def set_aside_unknown(settings: Settings) -> set[Window]:
    """Rename the folders whose receipt says loaded where the OLAP lacks the window.

    That is so after the OLAP was restored from a backup: the receipts are of a
    future that is gone, and what they cover is read again. Returns the windows with
    a folder that the OLAP has.
    """
    state = settings.state_dir
    # The folders are looked at before the OLAP is asked: a run that commits in
    # between leaves its window in the OLAP, never a receipt without one.
    found = windows_in(state)
    received = {
        window
        for window in found
        if windows.load_receipt(state, window).exists() and not _superseded(state, window)
    }
    loaded = olap.loaded_windows(settings, found)
    aside = sorted(received - loaded)
    now = windows.stamp(datetime.now(UTC))
    for window in aside:
        folder = windows.folder(state, window)
        folder.rename(folder.with_name(f"{window.label}.set-aside-{now}"))
    if aside:
        # What it had booked by itself may be gone, too.
        olap.ask_of_adjustments(settings)
        log.warning(
            _(
                "the OLAP lacks %d windows that the state folder says were loaded (%s to %s): "
                "was it restored from a backup? They were set aside, and are read again"
            ),
            len(aside),
            aside[0],
            aside[-1],
        )
    return loaded


def _superseded(state: Path, window: Window) -> bool:
    receipt = windows.load_receipt(state, window)
    if not receipt.exists():
        return False
    try:
        return bool(DurableTarget(str(receipt)).read_receipt().get("superseded"))
    except StateError:
        return False


def check_clock(control: olap.Control, as_of: datetime) -> None:
    """Raise GuardError where this machine's clock, or `as_of`, contradicts what was loaded."""
    now = datetime.now(UTC)
    last = olap.last_run(control)
    if last is not None and last > now + _CLOCK_TOLERANCE:
        raise GuardError(
            _(
                "the OLAP's last window ends at {last}, but this machine's clock says {now}: "
                "set the clock right, then run again"
            ).format(last=last.isoformat(), now=now.isoformat(timespec="seconds"))
        )
    refuse_future("as_of", as_of)


def refuse_future(what: str, moment: datetime) -> None:
    """Raise GuardError for a moment to come: no window could begin where one ends before it."""
    now = datetime.now(UTC)
    if moment > now + _CLOCK_TOLERANCE:
        raise GuardError(
            _("{what} is {moment}, but it is only {now} now: give a time that has passed").format(
                what=what, moment=moment.isoformat(), now=now.isoformat(timespec="seconds")
            )
        )


def _wait_until_after(moment: datetime) -> datetime:
    while True:
        now = whole_second(datetime.now(UTC))
        if now > moment:
            return now
        time.sleep(0.05)


def forget_old_windows(settings: Settings, current: Window) -> None:
    """Remove the folders of windows older than ETL_KEEP_DAYS, but never the newest marker's.

    Half-written files that a killed run left behind go after a day.
    """
    state = settings.state_dir
    keep_from = current.hasta - timedelta(days=settings.keep_days)
    for entry in state.iterdir():
        window = windows.parse_label(entry.name.split(".set-aside-")[0])
        if window is None or not entry.is_dir() or window == current:
            continue
        if window.hasta < keep_from:
            shutil.rmtree(entry, ignore_errors=True)
        else:
            _sweep(entry)


def _sweep(folder: Path) -> None:
    a_day_ago = time.time() - 86_400
    for leftover in folder.glob("*-luigi-tmp-*"):
        # Its writer may end, or another process remove it, at this moment.
        with suppress(OSError):
            if leftover.stat().st_mtime < a_day_ago:
                leftover.unlink()
