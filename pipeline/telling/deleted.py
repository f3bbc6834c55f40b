"""What a notice says of movements that the OLTP has no more, and that left the ledger by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    """How many these windows took out by their receipts, one kind; none if nothing.

    A line in whose place its document has another is a correction, and not told.
    """
    counted = [counts_of(notices, window) for window in due]
    gone = sum(c.get("borradas", 0) - c.get("reescritas", 0) for c in counted)
    return {cause_key("deleted", ""): {"movements": gone}} if gone else {}


def body(notices: Notices, kinds: Sequence[dict[str, Any]]) -> str:
    """The message: how many, and what to do."""
    (kind,) = kinds
    return say(
        notices.language,
        "deleted.body",
        movements=kind["movements"],
        command=typed(_STATUS),
        hours=notices.again_hours,
    )
