"""Dates and times as people write them."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from pipeline.errors import InputError


def parse_moment(raw: str, zone: str) -> datetime:
    """Parse an ISO date or date-time; one without an offset is in `zone`. Returns UTC.

    Raises ValueError when it is neither.
    """
    moment = datetime.fromisoformat(_as_python_3_10_reads(raw))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError(raw) from None


def parse_since(raw: str, zone: str) -> datetime:
    """What --since gives, as parse_moment(); raises InputError unless it has come."""
    try:
        since = parse_moment(raw, zone)
    except ValueError:
        raise InputError(f"--since is '{raw}', but must be a date") from None
    if since > datetime.now(timezone.utc):
        raise InputError(f"--since is '{raw}', which has not come yet")
    return since


def _as_python_3_10_reads(raw: str) -> str:
    """What PostgreSQL writes, as Python before 3.11 takes it: six decimals, +00:00."""
    found = re.fullmatch(r"(.*?\d\d:\d\d(?::\d\d)?)(\.\d{1,6})?(Z|z|[+-]\d\d(?::?\d\d)?)?", raw)
    if found is None:
        return raw
    clock, fraction, offset = found.groups()
    if fraction:
        clock += fraction.ljust(7, "0")
    if offset in ("Z", "z"):
        offset = "+00:00"
    elif offset:
        offset = offset if ":" in offset else f"{offset[:3]}:{offset[3:] or '00'}"
    return clock + (offset or "")
