"""Many things in their order, held in little memory."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Generic, TypeVar

T = TypeVar("T")

_IN_MEMORY = 200


class Kept(Generic[T]):
    """What came, to be gone through any number of times; but for the last of it, on disk.

    The file has no name and goes with this.
    """

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._file: BinaryIO | None = None
        self._latest: list[T] = []
        self._count = 0
        for item in items:
            self.append(item)

    def append(self, item: T) -> None:
        """Add one; OSError where there is no room for it."""
        if len(self._latest) == _IN_MEMORY:
            if self._file is None:
                # Open as long as this is there: it is deleted with its last reference.
                self._file = tempfile.TemporaryFile()  # noqa: SIM115
            self._file.seek(0, 2)
            pickle.dump(self._latest, self._file)
            self._latest = []
        self._latest.append(item)
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        if self._file is not None:
            self._file.seek(0, 2)
            place, end = 0, self._file.tell()
            while place < end:
                self._file.seek(place)
                batch = pickle.load(self._file)
                place = self._file.tell()
                yield from batch
        yield from self._latest
