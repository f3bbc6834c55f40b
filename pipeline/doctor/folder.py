"""The state folder: it can be made or written, is private, and has room."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.doctor.findings import Finding

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# Bytes.
_WARNING, _ERROR = 1_000_000_000, 100_000_000
_ELSEWHERE = "or set ETL_STATE_DIR to another folder"


def _nearest(path: Path) -> Path:
    """The folder itself, or of those above it the first that exists."""
    # A link that leads nowhere is in the way, too.
    return next(place for place in (path, *path.parents) if os.path.lexists(place))


def writable(state: Path) -> Iterator[Finding]:
    """Whether a run can make or write the folder, and who else may read it."""
    what, place = "state folder", _nearest(state)
    if not place.is_dir():
        yield Finding("error", what, f"{place} is no folder", f"move it away, {_ELSEWHERE}")
        return
    if place != state:
        if os.access(place, os.W_OK | os.X_OK):
            yield Finding("ok", what, f"{state} does not exist yet: the first run makes it")
        else:
            yield Finding(
                "error",
                what,
                f"{state} does not exist, and {place} cannot be written",
                f"make it for the user that cron runs as, {_ELSEWHERE}",
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
            f"{state} cannot be written: {error.strerror or error}",
            f"check its owner and the disk, {_ELSEWHERE}",
        )
        return
    mode = stat.S_IMODE(state.stat().st_mode)
    if mode & _OTHERS:
        yield Finding(
            "warning", what, f"{state} has mode {mode:04o}: others may use it", f"chmod 700 {state}"
        )
    else:
        yield Finding("ok", what, f"{state}, mode {mode:04o}")


def free_space(state: Path) -> Iterator[Finding]:
    """The room for extracts on the folder's disk."""
    free = shutil.disk_usage(_nearest(state)).free
    found = f"{free / 1e9:,.1f} GB free" if free >= _WARNING else f"{free / 1e6:,.0f} MB free"
    if free >= _WARNING:
        yield Finding("ok", "state disk", found)
    else:
        yield Finding(
            "error" if free < _ERROR else "warning",
            "state disk",
            found,
            f"free space on the disk of {state}, or lower ETL_KEEP_DAYS",
        )
