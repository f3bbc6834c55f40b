"""Files that exist whole or not at all, whatever is killed or loses its power meanwhile."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pipeline.translation import translated as _

# Between a file's name and the random end of what is written beside it.
_MARK = "-luigi-tmp-"


@contextmanager
def replacing(path: Path, mode: int) -> Iterator[BinaryIO]:
    """A stream for the new content of `path`, which takes its place at the end of the block.

    Whoever opens it finds the old file or the new one, which has `mode` less the umask;
    both file and folder are fsynced. If the block raises, nothing is left behind, and what
    a killed process left of this file goes here. Any number may write it at once: the last
    to end stays. The stream's descriptor can be read, too. Raises OSError, also where `path` is a
    device or a pipe.
    """
    _refuse_what_is_no_file(path)
    _remove_leftovers(path)
    temporary, descriptor = _create(path, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(descriptor)
            # Before it is closed, since then its lock goes.
            temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        # Gone if all went well; else the failure that is under way must not be hidden.
        with suppress(OSError):
            temporary.unlink()


def _refuse_what_is_no_file(path: Path) -> None:
    """root, who puts a file in the place of /dev/null, leaves a machine that has none."""
    # /dev/stdout leads to what this process has open, which may be a file.
    to_what_is_open = path.is_symlink() and str(path.readlink()).startswith("/proc/")
    if to_what_is_open or (path.exists() and not path.is_file() and not path.is_dir()):
        raise OSError(errno.EINVAL, _("it is no file that can be replaced"), str(path))


def _create(path: Path, mode: int) -> tuple[Path, int]:
    """A hidden file beside `path`, open and locked: the lock says that its writer lives."""
    while True:
        temporary = path.parent / f".{path.name}{_MARK}{secrets.token_hex(5)}"
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        # Where a file system knows no locks, nobody can take this one for abandoned either.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if temporary.exists():
            return temporary, descriptor
        # Somebody who removed leftovers came between the creation and the lock.
        os.close(descriptor)


def _remove_leftovers(path: Path) -> None:
    ours = re.compile(re.escape(f".{path.name}{_MARK}") + "[0-9a-f]{10}")
    # A folder that cannot be listed may still be written.
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if ours.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                _remove_if_abandoned(Path(entry.path))


def _remove_if_abandoned(leftover: Path) -> None:
    # Gone meanwhile, somebody else's, or locked by its writer: it is left alone.
    with suppress(OSError):
        descriptor = os.open(leftover, os.O_WRONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()
        finally:
            os.close(descriptor)


def _sync_folder(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:
        # One that may be written but not listed, such as a web server's: the file is in place.
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Shared folders of Windows: such a file system cannot sync a folder, and says so.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)
