"""The book of a month: the kardex of every product, as CSV and as a page."""

from __future__ import annotations

from pathlib import Path

from pipeline.kardex.book_page import to_page
from pipeline.kardex.files import Written, whole_files
from pipeline.kardex.formats import to_branches_csv, to_csv, to_totals_csv
from pipeline.kardex.reading import Book, go_through


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
        ledgers = to_totals_csv(to_csv(book.ledgers, lines), book.closing, totals)
        ledgers = to_page(ledgers, book, page, language)
        for stream in branches:
            ledgers = to_branches_csv(ledgers, stream)
        products, movements, sums = go_through(book, ledgers)
    paths = tuple(folder / file for file in sorted(names))
    return Written(paths, products, movements, sums)
