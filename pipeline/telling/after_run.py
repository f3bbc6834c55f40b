"""What follows a run, whatever came of it: people, heartbeat, metrics, dashboards.

Luigi calls run_failed(), run_succeeded() and views_refreshed() through its events, in
the process that ran the task. Nothing here fails a run.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any

from luigi import Event
from luigi.rpc import RPCError

from pipeline.base.logs import log
from pipeline.errors import PipelineError, StateError
from pipeline.run import adjustments
from pipeline.settings import Notices, load_notices, load_settings, shops
from pipeline.settings.moments import in_zone
from pipeline.state import told as memories
from pipeline.state import window as windows
from pipeline.state.targets import DurableTarget
from pipeline.superset.renewal import renew_dashboards
from pipeline.telling import booked_late, deleted, left_out, metrics, notify, stock_apart
from pipeline.telling.messages import say
from pipeline.telling.wording import (
    dated,
    first_line,
    for_the_page,
    next_command,
    shop_zone,
    typed,
)
from pipeline.translation import translated as _

if TYPE_CHECKING:
    import luigi


# How luigi.retcodes begins its last line, before it exits with 40.
_UNCAUGHT = "Uncaught exception in luigi"
# By what a message tells.
_KINDS: dict[str, notify.Kind] = {
    **dict.fromkeys(("failed", "unpublished", "apart"), "failure"),
    **dict.fromkeys(("recovered", "digest"), "success"),
    **dict.fromkeys(("left_out", "corrections", "stock", "deleted"), "warning"),
}


def listen(
    root: type[luigi.Task],
    steps: Iterable[type[luigi.Task]],
    history: Iterable[type[luigi.Task]],
    refreshing: Iterable[type[luigi.Task]],
) -> None:
    """Have Luigi call the functions below for RunDue, its steps' failures and those of `history`.

    `refreshing` are the tasks after whose success the views hold other data.

    A requires() that raises is BROKEN_TASK. A complete() that raises, as RunDue's does
    when the OLAP is down, is DEPENDENCY_MISSING, without the exception: the
    task keeps it. PROCESS_FAILURE is a worker that was killed, and TIMEOUT one that Luigi
    killed: that comes once a second until it is gone, in the parent. A luigid that does not
    answer ends Luigi, without an event in the middle of a run; its log has a line.
    """
    handlers = [(task, run_failed) for task in (root, *steps)]
    handlers += [(task, history_failed) for task in history]
    for task, told in handlers:
        for event in (Event.FAILURE, Event.PROCESS_FAILURE):
            task.event_handler(event)(told)
        task.event_handler(Event.TIMEOUT)(unless_done(told))
        for event in (Event.BROKEN_TASK, Event.DEPENDENCY_MISSING):
            task.event_handler(event)(not_scheduled)
            task.event_handler(event)(told)
    root.event_handler(Event.SUCCESS)(run_succeeded)
    # Nothing was due: RunDue is complete before it runs.
    root.event_handler(Event.DEPENDENCY_PRESENT)(run_succeeded)
    for task in refreshing:
        task.event_handler(Event.SUCCESS)(views_refreshed)
    logging.getLogger("luigi-interface").addFilter(scheduler_lost)


def unless_done(told: Callable[..., None]) -> Callable[..., None]:
    """`told` for a task that Luigi ended: one that was just done may be ended, too."""

    def ended(task: luigi.Task, failure: str) -> None:
        try:
            done = task.complete()
        except PipelineError:
            done = False
        if not done:
            told(task, failure)

    return ended


def listen_to_rounds(shop: type[luigi.Task], round_of_all: type[luigi.Task]) -> None:
    """Have Luigi call the functions here for a shop whose process is killed, and for a round.

    What else a shop of a round does is told by its steps; of what became of the round, see rounds.
    """

    def killed(task: luigi.Task, failure: str) -> None:
        with shops.in_shop(task.shop):
            run_failed(task, failure)

    shop.event_handler(Event.PROCESS_FAILURE)(killed)
    shop.event_handler(Event.TIMEOUT)(unless_done(killed))
    for event in (Event.BROKEN_TASK, Event.DEPENDENCY_MISSING):
        round_of_all.event_handler(event)(not_scheduled)
        round_of_all.event_handler(event)(run_failed)


def not_scheduled(task: luigi.Task, failure: BaseException | None = None) -> None:
    """Log why a task was not scheduled, at a level where Luigi's own warning is not shown."""
    cause = _cause(task, failure)
    if cause and not isinstance(cause, RPCError) and not log.isEnabledFor(logging.WARNING):
        log.error(_("will not run %s: %s"), task, first_line(cause))


def run_failed(task: luigi.Task, failure: BaseException | str | None = None) -> None:
    """Tell of a failed task, unless the same was told lately; write the metrics."""
    cause = _cause(task, failure)
    # Raised again, it ends Luigi: scheduler_lost() tells of it.
    if not isinstance(cause, RPCError):
        window = getattr(task, "window_label", None)
        _run_failed(task.task_family, window, cause, only_page=task.publishes)


def scheduler_lost(record: logging.LogRecord) -> bool:
    """Tell that luigid could not be reached, when Luigi logs that it ends by it.

    A filter that lets every record pass.
    """
    failure = record.exc_info[1] if record.exc_info else None
    if isinstance(failure, RPCError) and record.getMessage() == _UNCAUGHT:
        _run_failed("luigid", None, failure)
    return True


def history_failed(task: luigi.Task, failure: BaseException | str | None = None) -> None:
    """Tell of a failed Backfill, which is none of the runs: they may go on meanwhile."""
    cause = _cause(task, failure)
    if not isinstance(cause, RPCError):
        command = f"luigi --module pipeline Backfill --since {task.since} --local-scheduler"
        tell_apart("Backfill", cause, command)


def tell_apart(step: str, failure: BaseException | str | None, command: str) -> None:
    """Tell of what failed beside the runs, unless the same was told lately.

    `command` is what shows whether it is mended. Like all here it raises nothing.
    """
    attempt(lambda: _tell_once(load_notices(), "apart", step, failure, command))


def _cause(task: luigi.Task, failure: BaseException | str | None) -> BaseException | str | None:
    return failure or getattr(task, "failure", None)


def _run_failed(
    step: str,
    window: str | None,
    cause: BaseException | str | None,
    *,
    only_page: bool = False,
) -> None:
    command = next_command(cause)

    def tell() -> None:
        notices = load_notices()
        missing = "no_window_before" if only_page else "no_window"
        label = dated(notices.language, window) if window else say(notices.language, missing)
        name = "unpublished" if only_page else "failed"
        _tell_once(notices, name, step, cause, command, window=label)

    attempt(tell)
    attempt(lambda: metrics.write(load_notices(), succeeded=False))


def run_succeeded(task: luigi.Task) -> None:
    """Tell of the first success after a failure, and what was done if asked to; beat."""
    attempt(lambda: _tell_success(load_notices(), task))
    attempt(lambda: _tell_found("left_out", left_out, task.windows))
    attempt(lambda: _tell_found("corrections", booked_late, task.windows))
    attempt(lambda: _tell_found("stock", stock_apart, task.windows))
    attempt(lambda: _tell_found("deleted", deleted, task.windows))
    attempt(lambda: beat(load_notices()))
    attempt(lambda: metrics.write(load_notices(), succeeded=True))


def views_refreshed(_task: luigi.Task | None = None) -> None:
    """Have the dashboards show the new data."""
    attempt(renew_dashboards)


def attempt(action: Callable[[], None]) -> None:
    """What follows a run never fails it, and what fails there stops nothing else."""
    try:
        action()
    except PipelineError as failure:
        log.warning("%s", failure)
    except Exception as failure:
        # Its text may hold the URL of a channel.
        log.warning(_("what follows a run failed: %s"), type(failure).__name__)


def beat(notices: Notices) -> None:
    """Tell whoever waits for it that all is well, where somebody does."""
    if notices.heartbeat_url:
        notify.beat(notices.heartbeat_url)


def _shop() -> str:
    """What tells one shop's messages from another's: its name, its OLAP, else this machine."""
    try:
        return shops.current() or load_settings().olap.name
    except PipelineError:
        return platform.node()


def _send(notices: Notices, name: str, body: str, **values: str) -> bool:
    title = say(notices.language, f"{name}.title", shop=_shop(), **values)
    return notify.send(notices.urls, title, body, kind=_KINDS[name])


def _tell_once(
    notices: Notices,
    name: str,
    step: str,
    failure: BaseException | str | None,
    command: str,
    **values: str,
) -> None:
    """Send the message `name`, unless the same cause was told in the last hours.

    Of what fails a run the memory keeps since when, until a run succeeds; and that it failed, also
    where nobody is told.
    """
    now = memories.utc_now()
    cause = first_line(failure) or say(notices.language, "no_cause")
    memory = memories.recall(notices.state_dir)
    if name == "failed":
        memory.note_failed(for_the_page(failure) or cause, now)
    if not notices.urls:
        # For the page alone: a folder that cannot be written has been told of as the cause.
        with suppress(StateError):
            memories.remember(notices.state_dir, memory)
        return
    if name != "apart":
        memory.failing_since = memory.failing_since or now
    key = memories.cause_key(step, cause)
    if memory.is_due(key, now, timedelta(hours=notices.again_hours)):
        body = say(
            notices.language,
            f"{name}.body",
            step=step,
            cause=cause,
            hours=notices.again_hours,
            command=typed(command),
            **values,
        )
        if _send(notices, name, body, step=step):
            memory.note_told(key, now)
    memories.remember(notices.state_dir, memory)


def _tell_success(notices: Notices, task: luigi.Task) -> None:
    if not notices.urls:
        return
    memory = memories.recall(notices.state_dir)
    since = memory.failing_since
    told = [digest(notices, task.windows)] if notices.digest else []
    if since is not None:
        told.insert(0, say(notices.language, "recovered.body", since=in_zone(since, shop_zone())))
    if not told:
        return
    sent = _send(notices, "digest" if since is None else "recovered", "\n".join(told))
    if since is not None:
        # Untold, it stays to be told after the next success.
        left = memories.Memory(None if sent else since, failed=memory.failed)
        memories.remember(notices.state_dir, left)


def _tell_found(name: str, found: ModuleType, due: Iterable[windows.Window]) -> None:
    """Tell what the windows brought that somebody should know, each kind once in the hours set.

    `found` has kinds_in() and body(), as left_out has.
    """
    notices = load_notices()
    if not notices.urls:
        return
    now, memory = memories.utc_now(), memories.recall(notices.state_dir)
    again = timedelta(hours=notices.again_hours)
    kinds = found.kinds_in(notices, due)
    told = {key: row for key, row in kinds.items() if memory.is_due(key, now, again)}
    if told and _send(notices, name, found.body(notices, list(told.values()))):
        for key in told:
            memory.note_told(key, now)
        memories.remember(notices.state_dir, memory)


def digest(notices: Notices, due: Iterable[windows.Window]) -> str:
    """What became of each window, a line each, from its receipts."""
    lines = [_window_line(notices, window) for window in due]
    return "\n".join(lines) or say(notices.language, "digest.nothing")


def _window_line(notices: Notices, window: windows.Window) -> str:
    def receipt(path: Callable[..., Any]) -> dict[str, Any]:
        return DurableTarget(str(path(notices.state_dir, window))).read_receipt()

    try:
        loaded = receipt(windows.load_receipt)
        read, views = receipt(windows.extract_receipt), receipt(windows.views_receipt)
    except StateError:
        # So old that the run which finished it removed its folder, too.
        return str(window)
    if loaded["superseded"]:
        return say(notices.language, "digest.superseded", window=dated(notices.language, window))
    counts = loaded["counts"]
    seconds = read["segundos"] + loaded["seconds"] + views["seconds"]
    line = say(
        notices.language,
        "digest.window",
        window=dated(notices.language, window),
        loaded=counts.get("altas", 0),
        removed=counts.get("retiradas", 0),
        rejected=counts.get("rechazadas", 0),
        revalued=counts.get("revaluadas", 0),
        seconds=f"{seconds:.2f}",
        run_id=loaded["run_id"],
    )
    if products := counts.get("existencias_cambiadas"):
        line += "\n" + say(notices.language, "digest.stock", products=products)
    if products := counts.get("referencias_cambiadas"):
        line += "\n" + say(notices.language, "digest.costs", products=products)
    if booked := counts.get("ajustes"):
        what = adjustments.in_words(booked)
        line += "\n" + say(notices.language, "digest.adjustments", what=what)
    return line
