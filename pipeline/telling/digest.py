"""What became of each window, for those who asked to be told of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import StateError
from pipeline.run import adjustments
from pipeline.state import window as windows
from pipeline.state.targets import DurableTarget
from pipeline.telling.messages import say
from pipeline.telling.wording import dated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeline.settings import Notices


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
