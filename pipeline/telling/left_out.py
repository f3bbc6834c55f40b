"""What a notice says of movements that a run brought and that are out of scope."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.olap.names import called
from pipeline.run import scope
from pipeline.state.told import cause_key
from pipeline.telling.counts import counts_of
from pipeline.telling.messages import say
from pipeline.telling.wording import typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.settings import Notices
    from pipeline.state.window import Window

_MOST_KINDS = 20  # in one message
_STATUS = "python -m pipeline status"


def kinds_in(notices: Notices, due: Iterable[Window]) -> dict[str, dict[str, Any]]:
    """What is new in these windows by their receipts, by what tells its kind in the memory."""
    return {
        cause_key(f"left_out {row['fuera']}", json.dumps(row["tipo"])): row
        for window in due
        for row in counts_of(notices, window).get("fuera_nuevas", [])
    }


def body(notices: Notices, kinds: Sequence[dict[str, Any]]) -> str:
    """The message: a line a kind, and what to do."""
    lines = [_line(notices, row) for row in kinds[:_MOST_KINDS]]
    return say(
        notices.language,
        "left_out.body",
        found="\n".join(lines),
        command=typed(_STATUS),
        hours=notices.again_hours,
    )


def _line(notices: Notices, row: dict[str, Any]) -> str:
    values = {"movements": row["movimientos"], "type": scope.shown(row["tipo"])}
    if row["fuera"] == "fecha":
        example = {"movement": called(row), "date": scope.day(row["fecha"])}
        return say(notices.language, "left_out.date", **values, **example)
    guess = scope.meant(row["tipo"])
    return say(
        notices.language, "left_out.meant" if guess else "left_out.type", **values, meant=guess
    )
