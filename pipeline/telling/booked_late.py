"""What a notice says of what a run booked of closed periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import StateError
from pipeline.run.corrections import for_machines, in_words
from pipeline.state import window as windows
from pipeline.state.targets import DurableTarget
from pipeline.telling.messages import say
from pipeline.telling.told import cause_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.settings import Notices
    from pipeline.state.window import Window

_STATUS = "python -m pipeline status"


def kinds_in(notices: Notices, due: Iterable[Window]) -> dict[str, dict[str, Any]]:
    """What these windows booked by their receipts, of which there is one kind; none if nothing."""
    found = [booked for window in due if (booked := _booked_by(notices, window))]
    if not found:
        return {}
    loads = [for_machines(booked["carga"]) for booked in found]
    closing = found[-1]["cierre"]
    kind = {
        "day": closing["dia"],
        "booked": in_words({name: sum(load[name] for load in loads) for name in loads[0]}),
        "in_all": in_words(for_machines(closing["correcciones"])),
    }
    return {cause_key("corrections", ""): kind}


def body(notices: Notices, kinds: Sequence[dict[str, Any]]) -> str:
    """The message: what was booked now, what since the closing, and where to see it."""
    return say(
        notices.language,
        "corrections.body",
        **kinds[0],
        command=_STATUS,
        hours=notices.again_hours,
    )


def _booked_by(notices: Notices, window: Window) -> dict[str, Any] | None:
    try:
        loaded = DurableTarget(str(windows.load_receipt(notices.state_dir, window))).read_receipt()
    except StateError:
        return None
    booked: dict[str, Any] | None = loaded["counts"].get("correcciones")
    return booked
