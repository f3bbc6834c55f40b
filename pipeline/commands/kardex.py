"""Print the ledger of one product, or of all, as an accountant knows it."""

from __future__ import annotations

import argparse
import io
import re
import shutil
import sys
import tempfile
from datetime import date

from pipeline import olap
from pipeline.commands.manual import Manual, add_json
from pipeline.errors import InputError, missing_extra
from pipeline.kardex.formats import print_text, to_csv, write_json
from pipeline.kardex.ledger import Ledger, Period
from pipeline.kardex.reading import Book, go_through, open_book, read_ledger
from pipeline.settings import load_settings
from pipeline.translation import translated as _

MANUAL = Manual(
    does="Prints the ledger of one product: opening, movements, totals, closing; as a table, or "
    "as CSV, a page to print or JSON; or with --all those of all products, as CSV or a page. The "
    "page is in the language of ETL_LANG and needs the extra report, the rest is in Spanish. A "
    "ledger that does not foot is refused.",
    reads="the OLAP.",
    changes="nothing.",
    exits={0: "printed", 1: "no such product, a ledger that does not foot, or a failure"},
    examples=(
        "python -m pipeline kardex SKU-1 --desde 2026-10-01 --hasta 2026-10-31",
        "python -m pipeline kardex 7 --html > kardex.html",
        "python -m pipeline kardex --all --desde 2026-10-01 --hasta 2026-10-31 > kardex.csv",
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "product", nargs="?", metavar="PRODUCTO", help="its id_producto, or its codigo"
    )
    which.add_argument(
        "--all", action="store_true", help="every product that had stock or moved, as CSV or --html"
    )
    parser.add_argument(
        "--desde", metavar="DATE", help="first day, in ETL_TIMEZONE (default: the first there is)"
    )
    parser.add_argument(
        "--hasta", metavar="DATE", help="last day, included (default: the last there is)"
    )
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument(
        "--csv", action="store_true", help="the columns of SUNAT's format 13.1, as CSV in UTF-8"
    )
    formats.add_argument("--html", action="store_true", help="one page of HTML, to be printed")
    add_json(formats)


def run(arguments: argparse.Namespace) -> int:
    """Read the ledgers, foot them, and write them to stdout in the format asked for. Returns 0.

    Raises InputError for a malformed or reversed period and for a product that is not
    there or not the only one, LedgerError when the ledger does not foot, PipelineError for a
    page without the extra `report`; nothing is written then.
    """
    settings = load_settings()
    period = Period(
        _day("--desde", arguments.desde), _day("--hasta", arguments.hasta), settings.timezone
    )
    if period.desde and period.hasta and period.hasta < period.desde:
        raise InputError(
            _("--hasta {hasta} is before --desde {desde}").format(
                hasta=period.hasta, desde=period.desde
            )
        )
    data_until = olap.last_run(olap.read_control(settings))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file that goes to somebody else is UTF-8, whatever the terminal here is.
        sys.stdout.reconfigure(encoding="utf-8")
    if arguments.all:
        if arguments.json:
            raise InputError(_("--all is for CSV or --html: --json is of one product"))
        with open_book(settings, period, data_until) as book:
            _print_all(book, settings.notices.language if arguments.html else None)
        return 0
    ledger = read_ledger(settings, arguments.product, period, data_until)
    if arguments.csv:
        for _ledger in to_csv([ledger], sys.stdout):
            pass
    elif arguments.html:
        _write_page(ledger, settings.notices.language)
    elif arguments.json:
        write_json(ledger, sys.stdout)
    else:
        print_text(ledger)
    return 0


def _print_all(book: Book, language: str | None) -> None:
    """CSV or, in a language, the page: kept apart until the last ledger has been footed."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as whole:
        if language is None:
            ledgers = to_csv(book.ledgers, whole)
        else:
            try:
                from pipeline.kardex.book_page import to_page
            except ImportError as error:
                raise missing_extra(_("the page"), "report", error) from error
            ledgers = to_page(book.ledgers, book, whole, language)
        go_through(book, ledgers)
        whole.seek(0)
        shutil.copyfileobj(whole, sys.stdout)


def _write_page(ledger: Ledger, language: str) -> None:
    try:
        from pipeline.kardex.page import write_html
    except ImportError as error:
        raise missing_extra(_("the page"), "report", error) from error
    write_html(ledger, sys.stdout, language)


def _day(option: str, raw: str | None) -> date | None:
    if raw is None:
        return None
    try:
        # Stricter than Python's, which from 3.11 on takes weeks and dates without hyphens too.
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", raw):
            raise ValueError(raw)
        return date.fromisoformat(raw)
    except ValueError:
        raise InputError(
            _("{option} is '{raw}', but must be a date such as 2026-01-31").format(
                option=option, raw=raw
            )
        ) from None
