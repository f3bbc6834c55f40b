"""How far a step is: a live line on a terminal, a percentage and a message in luigid.

Nothing here fails a step: what is shown is not what is done.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from pipeline.base.logs import log
from pipeline.settings import load_settings
from pipeline.translation import translated as _

if TYPE_CHECKING:
    import luigi


_TELL_EVERY = 2.0  # seconds between two messages to the scheduler, which may be far away

_task: ContextVar[Any] = ContextVar("task", default=None)


@contextmanager
def of(task: luigi.Task) -> Iterator[None]:
    """Within it, stages are told to the scheduler as `task`'s; it links to ETL_TRACKING_URL.

    A scheduler that does not answer is asked no more until the end of it.
    """
    token = _task.set(task)
    _guarded(lambda: _link(task))
    try:
        yield
    finally:
        _task.reset(token)


def _link(task: luigi.Task) -> None:
    """Have luigid's page lead to the shop's; a task that no worker runs is on no page."""
    address = load_settings().tracking_url
    if address and getattr(task, "set_tracking_url", None) is not None:
        _to_scheduler(lambda: task.set_tracking_url(address))


def _guarded(action: Callable[[], object]) -> None:
    try:
        action()
    except Exception as failure:
        log.debug("progress could not be shown: %s", failure)


def _to_scheduler(action: Callable[[], object]) -> None:
    """Tell it something; after a failure the step has nobody to tell any more.

    Each call to a luigid that is gone waits out Luigi's retries, a minute by default, while
    the step stands still.
    """
    try:
        action()
    except Exception as failure:
        _task.set(None)
        log.warning(_("luigid is told no more of how far this step is: %s"), failure)


@contextmanager
def stage(what: str, unit: str = "", total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A part of a step: what is yielded takes how many more `unit` are done.

    `total` is how many there will be, where that is known; no `unit`, where nothing is counted.
    """
    shown = _Stage(what, unit, total)
    shown.begin()
    try:
        yield shown.advance
    finally:
        shown.end()


class _Stage:
    """Counts, and shows the count in both places; each call survives whatever happens there."""

    def __init__(self, what: str, unit: str, total: int | None) -> None:
        self._what, self._unit, self._total = what, unit, total
        self._done = 0
        self._started = self._told = time.monotonic()
        self._line: Any = None

    def begin(self) -> None:
        _guarded(self._show)
        _to_scheduler(self._tell)

    def advance(self, count: int) -> None:
        self._done += count
        if self._line is not None:
            _guarded(lambda: self._line.advance(self._line.task_ids[0], count))
        if time.monotonic() - self._told >= _TELL_EVERY:
            _to_scheduler(self._tell)

    def end(self) -> None:
        if self._line is not None:
            _guarded(self._line.stop)

    def _show(self) -> None:
        """A line of its own on a terminal, gone when the stage is; rich is an extra."""
        if not sys.stderr.isatty():
            return
        with suppress(ImportError):
            self._line = _line(self._what, self._unit, self._total)
            self._line.start()

    def _tell(self) -> None:
        """To the scheduler; a task that no worker runs has nobody to tell."""
        self._told = time.monotonic()
        task = _task.get()
        if getattr(task, "set_status_message", None) is None:
            return
        seconds = self._told - self._started
        rate = (
            _(", {rate:,.0f} a second").format(rate=self._done / seconds)
            if self._done and seconds
            else ""
        )
        of_total = _(" of {total:,}").format(total=self._total) if self._total else ""
        count = f": {self._done:,}{of_total} {self._unit}{rate}" if self._unit else ""
        task.set_status_message(self._what + count)
        if self._total:
            task.set_progress_percentage(min(100, 100 * self._done // self._total))


def _line(what: str, unit: str, total: int | None) -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    class Rate(ProgressColumn):
        """How many a second."""

        def render(self, task: Any) -> str:
            return f"{task.speed:,.0f}/s" if task.speed else ""

    columns: list[Any] = [SpinnerColumn(), TextColumn("{task.description}")]
    if total:
        columns += [BarColumn(bar_width=24), TextColumn("{task.percentage:>3.0f} %")]
    if unit:
        columns += [TextColumn(f"{{task.completed:,.0f}} {unit}"), Rate()]
    columns.append(TimeElapsedColumn())
    if total:
        columns += [TextColumn("left"), TimeRemainingColumn()]
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    progress.add_task(what, total=total)
    return progress
