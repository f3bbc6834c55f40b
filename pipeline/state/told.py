"""Failures, kept between runs: of which runs, for the page, and what was told of them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.errors import StateError
from pipeline.state.targets import DurableTarget

_FILE = "last-failure.json"
_CAUSES = 50  # remembered at once
_FAILED = timedelta(days=14)
# What Luigi tells twice of one run.
_ONE_RUN = timedelta(minutes=1)


class Failed(NamedTuple):
    """A run that failed (UTC), and its cause in one line."""

    when: datetime
    cause: str


@dataclass
class Memory:
    """Since when runs fail (None: they do not), and when each cause was last told; times UTC.

    `failed` are the runs that failed, the latest last: they stay after a success, for 14 days.
    """

    failing_since: datetime | None = None
    told: dict[str, datetime] = field(default_factory=dict)
    failed: list[Failed] = field(default_factory=list)

    def failed_lately(self, now: datetime) -> list[Failed]:
        """Those of the last 14 days."""
        return [failed for failed in self.failed if now - failed.when < _FAILED]

    def note_failed(self, cause: str, now: datetime) -> None:
        """Remember a run that failed."""
        kept = self.failed_lately(now)
        if not any(f.cause == cause and abs(now - f.when) < _ONE_RUN for f in kept):
            kept.append(Failed(now, cause))
        self.failed = kept[-_CAUSES:]

    def is_due(self, cause: str, now: datetime, again: timedelta) -> bool:
        """Whether this cause is to be told now."""
        last = self.told.get(cause)
        # A clock that was set back must not silence it for ever.
        return last is None or not timedelta(0) <= now - last < again

    def note_told(self, cause: str, now: datetime) -> None:
        """Remember that it was told; of many causes the latest."""
        self.told[cause] = now
        latest = sorted(self.told.items(), key=lambda entry: entry[1], reverse=True)
        self.told = dict(latest[:_CAUSES])


def cause_key(step: str, text: str) -> str:
    """The same for the same failure: times, counts, ids and processes in its text do not matter."""
    return hashlib.sha256(f"{step} {re.sub('[0-9]+', '#', text)}".encode()).hexdigest()[:16]


def recall(state_dir: Path) -> Memory:
    """What the state folder remembers; nothing where the file is missing or unreadable."""
    target = DurableTarget(str(state_dir / _FILE))
    if not target.exists():
        return Memory()
    try:
        receipt = target.read_receipt()
        since = receipt.get("failing_since")
        return Memory(
            datetime.fromisoformat(since) if since else None,
            {cause: datetime.fromisoformat(when) for cause, when in receipt["told"].items()},
            [
                Failed(datetime.fromisoformat(when), str(cause))
                for when, cause in receipt.get("failed", [])
            ],
        )
    except (StateError, KeyError, ValueError, TypeError, AttributeError):
        return Memory()


def remember(state_dir: Path, memory: Memory) -> None:
    """Keep it, atomically, readable by its owner only; raises StateError."""
    target = DurableTarget(str(state_dir / _FILE))
    if memory == Memory():
        target.file.unlink(missing_ok=True)
        return
    content: dict[str, Any] = {
        "failing_since": memory.failing_since and memory.failing_since.isoformat(),
        "told": {cause: when.isoformat() for cause, when in memory.told.items()},
        "failed": [(failed.when.isoformat(), failed.cause) for failed in memory.failed],
    }
    target.write_receipt(content)


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
