"""Write the book of a month: the kardex of every product."""

from __future__ import annotations

import argparse
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipeline import olap
from pipeline.commands.manual import Manual, add_json, print_json
from pipeline.errors import InputError, missing_extra
from pipeline.kardex.ledger import Period
from pipeline.kardex.ple import Taxpayer, write_ple
from pipeline.kardex.ple_rows import Document, Existence
from pipeline.kardex.reading import open_book
from pipeline.oltp.book_reads import reading_for_book
from pipeline.settings import load_settings
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipeline.kardex.files import Written
    from pipeline.kardex.ledger import Closing
    from pipeline.kardex.reading import Book
    from pipeline.settings import Settings

MANUAL = Manual(
    does="Writes the kardex of every product of a month into a folder: kardex-MONTH.csv and "
    "kardex-MONTH.html (a page to print, in the language of ETL_LANG) with a line a movement, "
    "kardex-MONTH-totales.csv with a line a product and one for all, and, where there are "
    "branches, kardex-MONTH-sucursales.csv with what each holds when the month ends. Tells by "
    "which closing the month is closed, or that it is open. All files are whole, or none is "
    "written; those of other months are left alone. Needs the extra report. "
    "With --format ple it writes SUNAT's electronic books 12.1 and 13.1 instead, as the PLE takes "
    "them; what products or documents lack for it is listed, and then none is written.",
    reads="the OLAP; with --format ple the OLTP as well.",
    changes="the files of that month in the folder.",
    exits={
        0: "written",
        1: "no such month, or one that is not over, or not as closed; no such folder; or a failure",
    },
    examples=(
        "python -m pipeline book 2026-06 --output /srv/libros",
        "python -m pipeline book 2026-06 --output /srv/libros --format ple",
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument("month", metavar="MONTH", help="such as 2026-06, in ETL_TIMEZONE")
    parser.add_argument(
        "--output", metavar="FOLDER", required=True, help="where the files go; it must be there"
    )
    parser.add_argument(
        "--format",
        choices=("kardex", "ple"),
        default="kardex",
        help="kardex: CSV and a page (default); ple: the text files of SUNAT's PLE",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read the month, foot it, write its files, and say which. Returns 0.

    Raises InputError for what is no month, one that is not over or that the windows have not
    passed, and a folder that cannot be written; LedgerError when a ledger does not foot.
    """
    settings = load_settings()
    period = month_of(arguments.month, settings.timezone)
    folder = Path(arguments.output).expanduser()
    if not folder.is_dir():
        raise InputError(_("--output {folder} is no folder: make it first").format(folder=folder))
    control = olap.read_control(settings)
    data_until = olap.last_run(control)
    _must_be_over(period, data_until, olap.initial_date(control))
    write = _write_ple if arguments.format == "ple" else _write_kardex
    with open_book(settings, period, data_until) as book:
        written = write(book, folder, settings, arguments.json)
    _tell(written, book.closing, as_json=arguments.json)
    return 0


def _write_kardex(book: Book, folder: Path, settings: Settings, _as_json: bool) -> Written:
    try:
        from pipeline.kardex.book import write_book
    except ImportError as error:
        raise missing_extra(_("the book"), "report", error) from error
    return write_book(book, folder, f"kardex-{book.period.desde:%Y-%m}", settings.notices.language)


def _write_ple(book: Book, folder: Path, settings: Settings, as_json: bool) -> Written:
    if not settings.ruc:
        raise InputError(_("ETL_RUC is not set: the PLE's files bear the taxpayer's number"))
    missing: list[str] = []
    with reading_for_book(settings) as (products, movements):

        def look_up(
            product_ids: Collection[int], movement_ids: Collection[int]
        ) -> tuple[dict[int, Existence], dict[int, Document]]:
            return (
                {key: Existence(*texts) for key, texts in products(product_ids).items()},
                {key: Document(*texts) for key, texts in movements(movement_ids).items()},
            )

        taxpayer = Taxpayer(settings.ruc, settings.establishment)
        try:
            return write_ple(book, folder, taxpayer, look_up, missing.append if as_json else print)
        finally:
            if missing:
                print_json({"missing": missing})


def month_of(text: str, zone: str) -> Period:
    """The days of a month such as 2026-06; InputError for what is none."""
    found = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text)
    try:
        if not found:
            raise ValueError(text)
        first = date(int(found[1]), int(found[2]), 1)
        after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    except ValueError:
        raise InputError(
            _("'{text}' is no month, which is written such as 2026-06").format(text=text)
        ) from None
    return Period(first, after - timedelta(days=1), zone)


def _must_be_over(period: Period, data_until: datetime | None, initial: datetime | None) -> None:
    zone = ZoneInfo(period.zone)
    first, last = period.desde, period.hasta
    assert first and last
    if last >= datetime.now(zone).date():
        raise InputError(_("{month:%Y-%m} is not over yet").format(month=first))
    if data_until is None or data_until.astimezone(zone).date() <= last:
        raise InputError(
            _(
                "the windows have not passed {month:%Y-%m} yet: the data go up to {until}; run "
                "`luigi --module pipeline RunDue`"
            ).format(
                month=first,
                until=f"{data_until.astimezone(zone):%Y-%m-%d %H:%M:%S}" if data_until else "-",
            )
        )
    if initial and initial.astimezone(zone).date() > last:
        raise InputError(
            _("{month:%Y-%m} is before the ledger's first day, {day:%Y-%m-%d}").format(
                month=first, day=initial.astimezone(zone)
            )
        )


def _tell(written: Written, closing: Closing | None, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "files": [str(path) for path in written.files],
                "products": written.products,
                "movements": written.movements,
                "totals": {name: f"{sum:.6f}" for name, sum in written.sums._asdict().items()},
                "closing": closing and {"day": f"{closing.dia}", "huella": closing.huella},
            }
        )
        return
    print(
        _("{products:,} products, {movements:,} movements; value {opening:f} → {closing:f}").format(
            products=written.products,
            movements=written.movements,
            opening=written.sums.opening_value,
            closing=written.sums.closing_value,
        )
    )
    print(
        _("closed by the closing of {day}, huella {huella}").format(
            day=closing.dia, huella=closing.huella
        )
        if closing
        else _("still open: what comes late changes it")
    )
    for path in written.files:
        print(path)
