"""The file with the settings, which holds passwords: nobody but its owner may read it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from pipeline.doctor.findings import Finding
from pipeline.settings import shops
from pipeline.settings.file import settings_file
from pipeline.translation import translated as _

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private() -> Iterator[Finding]:
    """Whether others than its owner may do anything with it, or with those of a shop of many."""
    found = shops.files() if shops.current() else [settings_file()]
    for path in found:
        yield _private(path)


def _private(path: Path | None) -> Finding:
    if path is None:
        said = _("none here or above: settings are the environment's alone")
        return Finding("ok", ".env", said)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS:
        return Finding(
            "warning",
            ".env",
            _("{path} has mode {mode:04o}: others may read the passwords").format(
                path=path, mode=mode
            ),
            f"chmod 600 {path}",
        )
    return Finding("ok", ".env", _("{path}, mode {mode:04o}").format(path=path, mode=mode))
