"""Files of a book: all of them whole in their places, or none."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pipeline.errors import InputError
from pipeline.kardex.ledger import Sums
from pipeline.state.replacing import replacing
from pipeline.translation import translated as _


@dataclass(frozen=True)
class Written:
    """What was written: the files, and of how many products and movements; and their sums."""

    files: tuple[Path, ...]
    products: int
    movements: int
    sums: Sums


@contextmanager
def whole_files(folder: Path, names: Sequence[str]) -> Iterator[list[TextIO]]:
    """A stream a file, in UTF-8; all of them take their places at the end of the block, or none.

    Raises InputError where they cannot.
    """
    try:
        for name in names:
            if (folder / name).is_dir():
                raise IsADirectoryError(0, _("it is a folder"), str(folder / name))
        with ExitStack() as stack:
            raw = [stack.enter_context(replacing(folder / name, 0o666)) for name in names]
            streams = [io.TextIOWrapper(s, encoding="utf-8", newline="") for s in raw]
            try:
                yield list[TextIO](streams)
                for stream in streams:
                    # All of them, while none is in its place yet: later nothing can be lacking.
                    stream.flush()
                    os.fsync(stream.fileno())
            finally:
                for stream in streams:
                    with suppress(OSError):
                        stream.detach()
    except OSError as error:
        # What is written beside a file has a name that tells nobody anything.
        named = error.filename in {str(folder / name) for name in names}
        raise InputError(
            _("{path} cannot be written: {reason}").format(
                path=error.filename if named else folder, reason=error.strerror or error
            )
        ) from error
