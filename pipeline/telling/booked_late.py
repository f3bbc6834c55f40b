"""What a notice says of what a run booked of closed periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.run.corrections import for_machines, in_words
from pipeline.state.told import cause_key
from pipeline.telling.counts import counts_of
from pipeline.telling.messages import say
from pipeline.telling.wording import typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.settings import Notices
    from pipeline.state.window import Window

_STATUS = "python -m pipeline status"


def kinds_in(notices: Notices, due: Iterable[Window]) -> dict[str, dict[str, Any]]:
    """What these windows booked by their receipts, of which there is one kind; none if nothing."""
    counted = (counts_of(notices, window) for window in due)
    found = [booked for counts in counted if (booked := counts.get("correcciones"))]
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
        command=typed(_STATUS),
        hours=notices.again_hours,
    )
