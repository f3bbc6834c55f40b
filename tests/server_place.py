"""Places for the tests' servers, that the next session removes where their own was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from demo import account
from demo import server as servers
from pipeline.state.process_lock import hold_lock

PREFIX = "pipeline-tests-"
LOCK = "lock"
# Databases are made and dropped by the thousand, and finding room for their files takes a disk's
# file system a fifth of the time of all tests.
MEMORY = Path("/dev/shm")
# Several times what the servers of all processes have together.
MEMORY_WANTED = 8 << 30  # bytes


@contextmanager
def server_place(binaries: Path) -> Iterator[Path]:
    """A folder for servers, removed at the end with what runs there; first those left behind.

    It is no folder of pytest's, which those that servers run as may not enter.
    """
    remove_abandoned(binaries)
    shared = MEMORY if has_memory() else account.shared_place()
    # Under its own name it is seen only once it is locked.
    made = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=shared))
    with hold_lock(made / LOCK):
        made.chmod(0o711)
        place = made.rename(shared / made.name.removeprefix("."))
        try:
            yield place
        finally:
            _remove(place, binaries)


def has_memory() -> bool:
    """Whether the servers' data, and the tests' folders, may be kept in memory."""
    if os.geteuid() != 0:
        # Where systemd removes what a user has in memory when he logs out.
        return False
    try:
        told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        available = int(told["MemAvailable"].split()[0]) * 1024
        free = shutil.disk_usage(MEMORY).free
    except (OSError, KeyError):
        return False
    return min(available, free) >= MEMORY_WANTED and account.can_use(MEMORY)


def remove_abandoned(binaries: Path) -> None:
    """Remove the places of this user's processes that are gone, and stop what runs there."""
    for place in chain(*(d.glob(f"{PREFIX}*") for d in (MEMORY, account.shared_place()))):
        try:
            if place.is_symlink() or place.stat().st_uid != os.geteuid():
                continue
            lock = os.open(place / LOCK, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            # Another session was quicker.
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(place, binaries)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def _remove(place: Path, binaries: Path) -> None:
    for pid_file in place.glob("*/data/postmaster.pid"):
        data = pid_file.parent
        if _is_of(pid_file, data):
            servers.Server(data.parent, data, 0, binaries).stop("immediate")
    # The lock goes last, so that a removal that is killed is taken up again.
    for entry in place.iterdir():
        if entry.name != LOCK:
            shutil.rmtree(entry, ignore_errors=True)
    if {entry.name for entry in place.iterdir()} <= {LOCK}:
        shutil.rmtree(place, ignore_errors=True)


def _is_of(pid_file: Path, data: Path) -> bool:
    """Whether it names a postmaster of that data: another process may have its number by now."""
    try:
        pid = int(pid_file.read_text().split()[0])
        return Path(f"/proc/{pid}/cwd").resolve() == data.resolve()
    except (OSError, ValueError, IndexError):
        return False
