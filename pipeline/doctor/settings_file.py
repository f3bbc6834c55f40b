"""The file with the settings: who may read it, and what of it does not hold."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from decouple import RepositoryEnv

from pipeline.doctor.findings import Finding
from pipeline.settings import shops
from pipeline.settings.catalogue import SETTINGS
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


def overridden() -> Iterator[Finding]:
    """The lines of .env that the environment overrides with another value: cron has none of it."""
    path = settings_file()
    # A shop of many goes by its file, whatever the environment says.
    if shops.current() or path is None or path.name != ".env":
        return
    given = RepositoryEnv(path).data
    names = [n for n in SETTINGS if n in given and os.environ.get(n, given[n]) != given[n]]
    if names:
        yield Finding(
            "warning",
            _(".env and environment"),
            _("the environment overrides {names}: what is said here is of those values").format(
                names=", ".join(names)
            ),
            _("`unset {names}`, or open another terminal: cron and systemd go by {path}").format(
                names=" ".join(names), path=path
            ),
        )
