"""The file with the settings, which holds passwords: nobody but its owner may read it."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from pipeline.doctor.findings import Finding
from pipeline.settings.file import settings_file
from pipeline.translation import translated as _

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private() -> Iterator[Finding]:
    """Whether others than its owner may do anything with it."""
    path = settings_file()
    if path is None:
        yield Finding("ok", ".env", _("none here or above: settings are the environment's alone"))
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS:
        yield Finding(
            "warning",
            ".env",
            _("{path} has mode {mode:04o}: others may read the passwords").format(
                path=path, mode=mode
            ),
            f"chmod 600 {path}",
        )
    else:
        yield Finding("ok", ".env", _("{path}, mode {mode:04o}").format(path=path, mode=mode))
