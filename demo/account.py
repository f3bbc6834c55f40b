"""The system user that PostgreSQL runs as: root cannot run it, others run it as themselves."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from pipeline.errors import PipelineError

# No user is created: one of these is on every system, and neither can do much.
_CANDIDATES = ("postgres", "nobody")


@lru_cache(maxsize=1)
def _other() -> pwd.struct_passwd | None:
    """The user to become, or None where we can stay what we are."""
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        try:
            other = pwd.getpwnam(name)
        except KeyError:
            continue
        try:
            _run_as(other, ["/bin/sh", "-c", ":"], os.environ)
        except OSError as error:
            raise PipelineError(
                f"PostgreSQL refuses to run as root, and root may not become {name} here: {error}"
            ) from error
        return other
    raise PipelineError(
        f"PostgreSQL refuses to run as root, and no user {' or '.join(_CANDIDATES)} exists here"
    )


def run(
    command: Sequence[str | Path], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command as that user, from /; its output is in stdout. Raises OSError."""
    return _run_as(_other(), command, environment)


def _run_as(
    other: pwd.struct_passwd | None,
    command: Sequence[str | Path],
    environment: Mapping[str, str],
) -> subprocess.CompletedProcess[str]:
    # The working directory may be one that the other user cannot enter.
    return subprocess.run(
        command,
        env=environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        umask=0o077,
        user=other.pw_uid if other else None,
        group=other.pw_gid if other else None,
        extra_groups=[] if other else None,
    )


def give(path: Path) -> None:
    """Make the file that user's own, readable by nobody else."""
    path.chmod(0o700 if path.is_dir() else 0o600)
    other = _other()
    if other:
        os.chown(path, other.pw_uid, other.pw_gid)


def own_folder(wanted: Path) -> Path:
    """Make a folder that belongs to that user and that it can reach; returns its real path.

    It is `wanted`, or, where the user cannot get there, one under /var/tmp to which
    `wanted` becomes a link.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    wanted.mkdir(exist_ok=True)
    give(wanted)
    if can_use(wanted):
        return wanted.resolve()
    wanted.rmdir()
    elsewhere = Path(tempfile.mkdtemp(prefix="pipeline-postgres-", dir=shared_place()))
    give(elsewhere)
    wanted.symlink_to(elsewhere)
    return elsewhere


def can_use(folder: Path) -> bool:
    """Whether that user gets into the folder."""
    return _succeeds(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder])


def can_run(program: Path) -> bool:
    """Whether that user can run the program, with the libraries it needs."""
    return _succeeds([program, "--version"])


def _succeeds(command: Sequence[str | Path]) -> bool:
    try:
        return run(command, os.environ).returncode == 0
    except OSError:
        return False


def shared_place() -> Path:
    """A folder for temporary files that every user can reach."""
    for candidate in (Path("/var/tmp"), Path(tempfile.gettempdir())):
        if candidate.is_dir() and can_use(candidate):
            return candidate
    raise PipelineError("neither /var/tmp nor the folder for temporary files can be used")


def publish(source: Path, parts: Sequence[str], name: str) -> Path:
    """Copy `parts` of `source` once to a shared place, where all can read and only we write.

    Raises PipelineError if the name is there already and somebody else could have
    written in it, since its programs will be run.
    """
    target = shared_place() / name
    if not target.is_symlink() and not target.exists():
        _copy(source, parts, target)
    found = target.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PipelineError(f"{target} is not ours alone: look at it, and remove it")
    return target


def _copy(source: Path, parts: Sequence[str], target: Path) -> None:
    """Complete under another name, then renamed: nobody sees half a copy."""
    building = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        for part in parts:
            unneeded = shutil.ignore_patterns("include", "doc", "*.a", "__pycache__")
            shutil.copytree(source / part, building / part, ignore=unneeded)
        for path in (building, *building.rglob("*")):
            wide = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if wide else 0o644)
        building.rename(target)
    except OSError as error:
        # Another process that was quicker is no failure: its copy is as good.
        if not target.is_dir():
            raise PipelineError(f"cannot copy {source} to {target}: {error}") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
