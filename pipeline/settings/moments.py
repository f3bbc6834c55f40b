"""Dates and times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pipeline.errors import InputError
from pipeline.translation import translated as _


def parse_moment(raw: str, zone: str) -> datetime:
    """Parse an ISO date or date-time; one without an offset is in `zone`. Returns UTC.

    Raises ValueError when it is neither.
    """
    moment = datetime.fromisoformat(raw.replace("z", "Z"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(raw) from None


def in_zone(moment: datetime, zone: str) -> str:
    """A moment as people of `zone` read it, with its offset: 2026-11-24 13:17:43-05:00."""
    return moment.astimezone(ZoneInfo(zone)).isoformat(" ", "seconds")


def parse_since(raw: str, zone: str) -> datetime:
    """What --since gives, as parse_moment(); raises InputError unless it has come."""
    try:
        since = parse_moment(raw, zone)
    except ValueError:
        raise InputError(_("--since is '{raw}', but must be a date").format(raw=raw)) from None
    if since > datetime.now(UTC):
        raise InputError(_("--since is '{raw}', which has not come yet").format(raw=raw))
    return since
