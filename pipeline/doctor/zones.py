"""The two servers' rules for the shop's time zone: their data can be of different years."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipeline import olap
from pipeline.base.database import connect
from pipeline.base.zone_rules import Rules, server_rules
from pipeline.doctor.findings import Finding
from pipeline.errors import PipelineError
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.settings import Settings

_AHEAD = timedelta(days=400)
# Where no initial date says since when the shop's movements count.
_BACK = timedelta(days=5 * 366)


def agreement(settings: Settings) -> Iterator[Finding]:
    """Whether both have the same offsets in the years in use, and when they first differ."""
    until = datetime.now(UTC) + _AHEAD
    zone, rules = settings.timezone, []
    try:
        since = olap.initial_date(olap.read_control(settings)) or until - _BACK
        for side in (settings.oltp, settings.olap):
            with connect(side, "doctor", read_only=True) as connection:
                rules.append(server_rules(connection, zone, since, until))
    except PipelineError:
        # Told already, by who looked at that side.
        return
    apart = first_difference(rules[0], rules[1], since)
    if apart is None:
        yield Finding("ok", _("time zone"), _("both servers know {zone} alike").format(zone=zone))
        return
    shop, ours = (told.offset(apart) for told in rules)
    yield Finding(
        "warning",
        _("time zone"),
        _(
            "the servers differ on {zone} from {apart:%Y-%m-%d} on: the OLTP is at {shop}, "
            "the OLAP at {ours}"
        ).format(zone=zone, apart=apart, shop=_hours(shop), ours=_hours(ours)),
        _(
            "update the time zone data of the older one (PostgreSQL's minor version, or "
            "the system's tzdata): days are cut by the OLAP's, and the shop's own reports "
            "by the OLTP's"
        ),
    )


def first_difference(one: Rules, other: Rules, since: datetime) -> datetime | None:
    """The first moment from `since` on at which the offsets differ; None where there is none."""
    changes = {change.moment for rules in (one, other) for change in rules.changes}
    moments = [since, *sorted(moment for moment in changes if moment > since)]
    return next((m for m in moments if one.offset(m) != other.offset(m)), None)


def _hours(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
