"""A time zone's rules as one server has them: the data of two can be of different years."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.base.sql_files import read_sql

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

# Seconds. A clock that is put on and back again within one day would not be seen.
_GRIDS = (86_400, 3_600, 60, 1)
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Change:
    """A clock that is put on or back: when, in UTC, and its offsets from UTC before and after."""

    moment: datetime
    before: timedelta
    after: timedelta


@dataclass(frozen=True)
class Rules:
    """The offset from UTC at the beginning of a stretch of time, and its changes, in order.

    PostgreSQL reads a wall clock that a clock put on leaves out as an hour later, and one that a
    clock put back shows twice as the second of the two.
    """

    first: timedelta
    changes: tuple[Change, ...]

    def offset(self, moment: datetime) -> timedelta:
        """What the clock is ahead of UTC at that moment."""
        passed = bisect_right([change.moment for change in self.changes], moment)
        return self.changes[passed - 1].after if passed else self.first

    def wall_clock(self, moment: datetime) -> datetime:
        """The first wall clock, without a zone, that is read as that moment or a later one."""
        for change in self.changes:
            if moment < change.moment <= moment + change.before - change.after:
                return _naive(change.moment) + change.after
        return _naive(moment) + self.offset(moment)

    def left_out(self) -> list[tuple[datetime, datetime]]:
        """The stretches of wall clock, end excluded, that never were."""
        return [
            (_naive(change.moment) + change.before, _naive(change.moment) + change.after)
            for change in self.changes
            if change.after > change.before
        ]


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def server_rules(connection: Connection, zone: str, since: datetime, until: datetime) -> Rules:
    """The rules that a server has for `zone`, from two days before `since` to two after `until`."""

    def offsets(moments: list[int]) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(read_sql("oltp", "desfases.sql"), {"zone": zone, "moments": moments})
            return [offset for (offset,) in cursor.fetchall()]

    start = int(max(since, _EARLIEST).timestamp()) - 2 * _GRIDS[0]
    stop = max(int(until.timestamp()), start) + 3 * _GRIDS[0]
    spans = [(start, stop)]
    told: dict[int, int] = {}
    for grid in _GRIDS:
        pairs = [(m, min(m + grid, b)) for a, b in spans for m in range(a, b, grid)]
        asked = sorted({moment for pair in pairs for moment in pair})
        told |= dict(zip(asked, offsets(asked), strict=True))
        spans = [(a, b) for a, b in pairs if told[a] != told[b]]
    return Rules(
        timedelta(seconds=told[start]),
        tuple(
            Change(
                datetime.fromtimestamp(b, UTC),
                timedelta(seconds=told[a]),
                timedelta(seconds=told[b]),
            )
            for a, b in spans
        ),
    )
