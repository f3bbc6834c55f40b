"""What became of each shop in a round of many: a note a shop, kept by the machine that ran it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pipeline.state.targets import make_private_folder


@dataclass(frozen=True)
class Note:
    """Up to when a shop was carried, when that ended (UTC), and why it failed, if it did."""

    as_of: datetime
    ended: datetime
    failure: str | None = None


def _file(state: Path, shop: str) -> Path:
    return state / shop / "round.json"


def write_note(state: Path, shop: str, note: Note) -> None:
    """Keep it in the folder of all shops' states. Raises StateError or OSError.

    In place at once, but not synced: one that a power cut takes is only asked of again.
    """
    path = _file(state, shop)
    make_private_folder(path.parent)
    temporary = path.with_name(f".round.{os.getpid()}")
    temporary.touch(0o600)
    temporary.write_text(json.dumps(asdict(note), default=datetime.isoformat))
    temporary.replace(path)


def read_note(state: Path, shop: str) -> Note | None:
    """The last note of a shop; None where there is none, or none that can be read."""
    try:
        kept = json.loads(_file(state, shop).read_text())
        moments = {name: datetime.fromisoformat(kept[name]) for name in ("as_of", "ended")}
        return Note(**{**kept, **moments})
    except (OSError, ValueError, KeyError, TypeError):
        return None
