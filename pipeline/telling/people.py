"""What people are sent of the runs: each cause once in the hours set, and what they were told."""

from __future__ import annotations

import platform
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError, StateError
from pipeline.settings import load_notices, load_settings, shops
from pipeline.settings.moments import in_zone
from pipeline.state import told as memories
from pipeline.telling import notify
from pipeline.telling.digest import digest
from pipeline.telling.messages import say
from pipeline.telling.wording import first_line, for_the_page, shop_zone, typed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    import luigi

    from pipeline.settings import Notices
    from pipeline.state.window import Window

# By what a message tells.
_KINDS: dict[str, notify.Kind] = {
    **dict.fromkeys(("failed", "unpublished", "apart"), "failure"),
    **dict.fromkeys(("recovered", "digest"), "success"),
    **dict.fromkeys(("left_out", "corrections", "stock", "deleted"), "warning"),
}


def _shop() -> str:
    """What tells one shop's messages from another's: its name, its OLAP, else this machine."""
    try:
        return shops.current() or load_settings().olap.name
    except PipelineError:
        return platform.node()


def _send(notices: Notices, name: str, body: str, **values: str) -> bool:
    title = say(notices.language, f"{name}.title", shop=_shop(), **values)
    return notify.send(notices.urls, title, body, kind=_KINDS[name])


def tell_once(
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


def tell_success(notices: Notices, task: luigi.Task) -> None:
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


def tell_found(name: str, found: ModuleType, due: Iterable[Window]) -> None:
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
