"""The book of a month: the kardex of every product, in files that are whole or not there."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pipeline.errors import InputError
from pipeline.kardex.book_page import to_page
from pipeline.kardex.formats import to_branches_csv, to_csv, to_totals_csv
from pipeline.kardex.ledger import Sums
from pipeline.kardex.reading import Book, go_through
from pipeline.state.replacing import replacing
from pipeline.translation import translated as _


@dataclass(frozen=True)
class Written:
    """What was written: the files, and of how many products and movements; and their sums."""

    files: tuple[Path, ...]
    products: int
    movements: int
    sums: Sums


def write_book(book: Book, folder: Path, name: str, language: str) -> Written:
    """Write the book as CSV, its sums, what branches hold, and a page in `language`.

    `name` is what the files' names begin with. Raises InputError where one cannot be written,
    and LedgerError as the book does; what was there is there then, as it was.
    """
    names = [f"{name}.csv", f"{name}-totales.csv", f"{name}.html"]
    without = f"{name}-sucursales.csv"
    if book.has_branches:
        names.append(without)
    with whole_files(folder, names) as (lines, totals, page, *branches):
        ledgers = to_totals_csv(to_csv(book.ledgers, lines), totals)
        ledgers = to_page(ledgers, book, page, language)
        for stream in branches:
            ledgers = to_branches_csv(ledgers, stream)
        products, movements, sums = go_through(book, ledgers)
    paths = tuple(folder / file for file in sorted(names))
    return Written(paths, products, movements, sums)


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
        raise InputError(
            _("{path} cannot be written: {reason}").format(
                path=error.filename or folder, reason=error.strerror or error
            )
        ) from error
