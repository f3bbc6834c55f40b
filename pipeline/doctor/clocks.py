"""The clock of this machine beside that of each server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.doctor.findings import Finding
from pipeline.olap import call
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.doctor.sides import Side

# Seconds. From 60 on a run refuses to start (see due.py), and labels would overlap.
_WARNING, _ERROR = 5.0, 60.0


def local_time() -> datetime:
    """This machine's clock, in UTC."""
    return datetime.now(UTC)


def clock(side: Side) -> Iterator[Finding]:
    """How far the server's clock is off, beyond what half of the round trip explains."""
    asked = local_time()
    told: datetime = call(side.connection, "SELECT clock_timestamp()")
    heard = local_time()
    half = (heard - asked) / 2
    off = (told - (asked + half)).total_seconds()
    skew = max(0.0, abs(off) - half.total_seconds())
    what = _("{name} clock").format(name=side.name)
    if skew < _WARNING:
        yield Finding("ok", what, _("within {skew:.1f} s of this machine's").format(skew=skew))
        return
    direction = _("ahead of") if off > 0 else _("behind")
    yield Finding(
        "error" if skew >= _ERROR else "warning",
        what,
        _("{skew:.1f} s {direction} this machine's").format(skew=skew, direction=direction),
        _("set both clocks by NTP: windows are labelled by this machine's"),
    )
