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
from pipeline.kardex.reading import open_book
from pipeline.settings import load_settings
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.kardex.book import Written

MANUAL = Manual(
    does="Writes the kardex of every product of a month into a folder: kardex-MONTH.csv and "
    "kardex-MONTH.html (a page to print, in the language of ETL_LANG) with a line a movement, "
    "kardex-MONTH-totales.csv with a line a product and one for all, and, where there are "
    "branches, kardex-MONTH-sucursales.csv with what each holds when the month ends. All files "
    "are whole, or none is written; those of other months are left alone. Needs the extra report.",
    reads="the OLAP.",
    changes="the files of that month in the folder.",
    exits={0: "written", 1: "no such month, or one that is not over; no such folder; or a failure"},
    examples=("python -m pipeline book 2026-06 --output /srv/libros",),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument("month", metavar="MONTH", help="such as 2026-06, in ETL_TIMEZONE")
    parser.add_argument(
        "--output", metavar="FOLDER", required=True, help="where the files go; it must be there"
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
    try:
        from pipeline.kardex.book import write_book
    except ImportError as error:
        raise missing_extra(_("the book"), "report", error) from error
    with open_book(settings, period, data_until) as book:
        name = f"kardex-{period.desde:%Y-%m}"
        written = write_book(book, folder, name, settings.notices.language)
    _tell(written, as_json=arguments.json)
    return 0


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


def _tell(written: Written, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "files": [str(path) for path in written.files],
                "products": written.products,
                "movements": written.movements,
                "totals": {name: f"{sum:.6f}" for name, sum in written.sums._asdict().items()},
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
    for path in written.files:
        print(path)
