"""The state folder: it can be made or written, is private, and has room."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.doctor.findings import Finding
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# Bytes.
_WARNING, _ERROR = 1_000_000_000, 100_000_000
_ELSEWHERE = N_("or set ETL_STATE_DIR to another folder")


def _nearest(path: Path) -> Path:
    """The folder itself, or of those above it the first that exists."""
    # A link that leads nowhere is in the way, too.
    return next(place for place in (path, *path.parents) if os.path.lexists(place))


def writable(state: Path) -> Iterator[Finding]:
    """Whether a run can make or write the folder, and who else may read it."""
    what, place = _("state folder"), _nearest(state)
    if not place.is_dir():
        yield Finding(
            "error",
            what,
            _("{place} is no folder").format(place=place),
            _("move it away, {elsewhere}").format(elsewhere=_(_ELSEWHERE)),
        )
        return
    if place != state:
        if os.access(place, os.W_OK | os.X_OK):
            yield Finding(
                "ok",
                what,
                _("{state} does not exist yet: the first run makes it").format(state=state),
            )
        else:
            yield Finding(
                "error",
                what,
                _("{state} does not exist, and {place} cannot be written").format(
                    state=state, place=place
                ),
                _("make it for the user that cron runs as, {elsewhere}").format(
                    elsewhere=_(_ELSEWHERE)
                ),
            )
        return
    try:
        # Asking for the mode is not enough: a full or read-only disk has it too.
        with tempfile.NamedTemporaryFile(dir=state, prefix=".doctor-") as probe:
            probe.write(b"?")
            probe.flush()
    except OSError as error:
        yield Finding(
            "error",
            what,
            _("{state} cannot be written: {strerror}").format(
                state=state, strerror=error.strerror or error
            ),
            _("check its owner and the disk, {elsewhere}").format(elsewhere=_(_ELSEWHERE)),
        )
        return
    mode = stat.S_IMODE(state.stat().st_mode)
    if mode & _OTHERS:
        yield Finding(
            "warning",
            what,
            _("{state} has mode {mode:04o}: others may use it").format(state=state, mode=mode),
            f"chmod 700 {state}",
        )
    else:
        yield Finding("ok", what, _("{state}, mode {mode:04o}").format(state=state, mode=mode))


def free_space(state: Path) -> Iterator[Finding]:
    """The room for extracts on the folder's disk."""
    free = shutil.disk_usage(_nearest(state)).free
    found = (
        _("{free:,.1f} GB free").format(free=free / 1e9)
        if free >= _WARNING
        else _("{free:,.0f} MB free").format(free=free / 1e6)
    )
    if free >= _WARNING:
        yield Finding("ok", _("state disk"), found)
    else:
        yield Finding(
            "error" if free < _ERROR else "warning",
            _("state disk"),
            found,
            _("free space on the disk of {state}, or lower ETL_KEEP_DAYS").format(state=state),
        )
