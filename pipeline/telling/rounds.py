"""What follows a round of many shops: one message of those that failed, heartbeat, metrics."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from luigi import Event

from pipeline.errors import StateError
from pipeline.settings import Notices, load_notices, shops, state_of_all
from pipeline.settings.moments import in_zone
from pipeline.state import told as memories
from pipeline.state.round import read_note
from pipeline.state.targets import DurableTarget
from pipeline.telling import metrics, notify
from pipeline.telling.after_run import attempt, beat
from pipeline.telling.messages import say
from pipeline.telling.wording import shop_zone, typed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import luigi

_FIGURES = "metrics.json"  # beside a shop's note
_MOST = 30  # shops in one message, a line each
_LONGEST = 300  # characters of a cause


def listen(round_of_all: type[luigi.Task], shop: type[luigi.Task], ended: str) -> None:
    """Have Luigi call what is below for a round that has `ended`, and for each of its shops."""
    round_of_all.event_handler(ended)(round_ended)
    shop.event_handler(Event.SUCCESS)(lambda task: attempt(lambda: keep_figures(task.shop, True)))
    shop.event_handler(Event.FAILURE)(
        lambda task, _failure: attempt(lambda: keep_figures(task.shop, False))
    )


def round_ended(task: luigi.Task, failed: Mapping[str, str]) -> None:
    """Tell once which shops failed and why, or that all work again; beat if none did.

    Of a round of some shops nothing of that is told while another one is known to fail.
    """
    if failed or not (task.only and _one_fails()):
        attempt(lambda: _tell(load_notices(), failed))
        if not failed:
            attempt(lambda: beat(load_notices()))
    attempt(lambda: _write_metrics(load_notices()))


def _one_fails() -> bool:
    """Whether the last round of some shop ended so on this machine, or a file names none."""
    listed = shops.listed()
    notes = [read_note(state_of_all(), name) for name in listed]
    return any(listed.values()) or any(note and note.failure for note in notes)


def keep_figures(shop: str, succeeded: bool) -> None:
    """Keep a shop's figures for the one file of all, and where its own file is, if it has one.

    Of a process of its own, perhaps: the round's has the file written when it ends.
    """
    with shops.in_shop(""):
        of_all = load_notices()
    kept = of_all.state_dir / shop / _FIGURES
    with shops.in_shop(shop):
        own = load_notices().metrics_file
        figures: tuple[str, metrics.Figures] = ("", {})
        if of_all.metrics_file is not None:
            before = _read(kept)
            figures = metrics.collect(
                lambda olap: (before[0], before[1] if olap in (None, before[0]) else {}),
                succeeded=succeeded,
            )
    if own is None and of_all.metrics_file is None:
        return
    rows = [[*key, value] for key, value in figures[1].items()]
    DurableTarget(str(kept)).write_receipt(
        {"olap": figures[0], "figures": rows, "file": own and str(own)}
    )


def _read(kept: Path) -> tuple[str, metrics.Figures]:
    try:
        told = DurableTarget(str(kept)).read_receipt()
        return told["olap"], {(name, second): value for name, second, value in told["figures"]}
    except (StateError, KeyError, ValueError, TypeError):
        return "", {}


def _write_metrics(notices: Notices) -> None:
    """The one file of all, if there is one; what is left of shops that are gone is removed."""
    listed = shops.listed()
    for kept in sorted(notices.state_dir.glob(f"*/{_FIGURES}")):
        if kept.parent.name not in listed:
            if own := DurableTarget(str(kept)).read_receipt().get("file"):
                Path(own).unlink(missing_ok=True)
            kept.unlink()
    if notices.metrics_file is not None:
        found = {shop: _read(notices.state_dir / shop / _FIGURES) for shop in shops.names()}
        metrics.replace_file(notices.metrics_file, {k: v for k, v in found.items() if v[1]})


def _tell(notices: Notices, failed: Mapping[str, str]) -> None:
    """The same shops with the same causes are told once in the hours set."""
    if not notices.urls:
        return
    now, memory = memories.utc_now(), memories.recall(notices.state_dir)
    language, since = notices.language, memory.failing_since
    if failed:
        memory.failing_since = since or now
        # Of a shop's name a number is part, as it is not of a cause.
        step = " ".join(["RunShops", *sorted(failed)])
        key = memories.cause_key(step, repr([failed[shop] for shop in sorted(failed)]))
        if memory.is_due(key, now, timedelta(hours=notices.again_hours)):
            title = say(language, "round.title", shops=len(failed))
            if notify.send(notices.urls, title, _body(notices, failed), kind="failure"):
                memory.note_told(key, now)
    elif since is None:
        return
    else:
        body = say(language, "recovered.body", since=in_zone(since, shop_zone()))
        title = say(language, "round_recovered.title")
        told = notify.send(notices.urls, title, body, kind="success")
        memory = memories.Memory(None if told else since)
    memories.remember(notices.state_dir, memory)


def _body(notices: Notices, failed: Mapping[str, str]) -> str:
    lines = [f"{shop}: {cause[:_LONGEST]}" for shop, cause in list(failed.items())[:_MOST]]
    if len(failed) > _MOST:
        lines.append(say(notices.language, "round.more", shops=len(failed) - _MOST))
    return say(
        notices.language,
        "round.body",
        failed="\n".join(lines),
        command=typed("python -m pipeline status --all-shops"),
        hours=notices.again_hours,
    )
