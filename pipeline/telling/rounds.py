"""What follows a round of many shops: one message of those that failed, heartbeat, metrics."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.settings import Notices, load_notices
from pipeline.telling import notify
from pipeline.telling import told as memories
from pipeline.telling.after_run import attempt
from pipeline.telling.messages import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    import luigi

_MOST = 30  # shops in one message, a line each
_LONGEST = 300  # characters of a cause


def listen(round_of_all: type[luigi.Task], shop: type[luigi.Task], ended: str) -> None:
    """Have Luigi call what is below for a round that has `ended`, and for each of its shops."""
    round_of_all.event_handler(ended)(round_ended)


def round_ended(_task: luigi.Task, failed: Mapping[str, str]) -> None:
    """Tell once which shops failed and why, or that all work again; beat if none did."""
    attempt(lambda: _tell(load_notices(), failed))
    if not failed:
        attempt(lambda: _beat(load_notices()))


def _beat(notices: Notices) -> None:
    if notices.heartbeat_url:
        notify.beat(notices.heartbeat_url)


def _tell(notices: Notices, failed: Mapping[str, str]) -> None:
    """The same shops with the same causes are told once in the hours set."""
    if not notices.urls:
        return
    now, memory = memories.utc_now(), memories.recall(notices.state_dir)
    language, since = notices.language, memory.failing_since
    if failed:
        memory.failing_since = since or now
        key = memories.cause_key("RunShops", repr(sorted(failed.items())))
        if memory.is_due(key, now, timedelta(hours=notices.again_hours)):
            title = say(language, "round.title", shops=len(failed))
            if notify.send(notices.urls, title, _body(notices, failed)):
                memory.note_told(key, now)
    elif since is None:
        return
    else:
        body = say(language, "recovered.body", since=f"{since:%Y-%m-%d %H:%M}")
        title = say(language, "round_recovered.title")
        memory = memories.Memory(None if notify.send(notices.urls, title, body) else since)
    memories.remember(notices.state_dir, memory)


def _body(notices: Notices, failed: Mapping[str, str]) -> str:
    lines = [f"{shop}: {cause[:_LONGEST]}" for shop, cause in list(failed.items())[:_MOST]]
    if len(failed) > _MOST:
        lines.append(say(notices.language, "round.more", shops=len(failed) - _MOST))
    return say(
        notices.language,
        "round.body",
        failed="\n".join(lines),
        command="python -m pipeline status --all-shops",
        hours=notices.again_hours,
    )
