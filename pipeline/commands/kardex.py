"""Print the ledger of one product, as an accountant knows it."""

from __future__ import annotations

import argparse
import io
import re
import sys
from datetime import date

from pipeline import olap
from pipeline.commands.manual import Manual, add_json
from pipeline.errors import InputError, missing_extra
from pipeline.kardex.formats import print_text, write_csv, write_json
from pipeline.kardex.ledger import Ledger, Period, read_ledger
from pipeline.settings import load_settings
from pipeline.translation import translated as _

MANUAL = Manual(
    does="Prints the ledger of one product: opening, movements, totals, closing; as a table, or "
    "as CSV, a page to print or JSON. The page is in the language of ETL_LANG and needs the extra "
    "report, the rest is in Spanish. A ledger that does not foot is refused.",
    reads="the OLAP.",
    changes="nothing.",
    exits={0: "printed", 1: "no such product, a ledger that does not foot, or a failure"},
    examples=(
        "python -m pipeline kardex SKU-1 --desde 2026-10-01 --hasta 2026-10-31",
        "python -m pipeline kardex 7 --html > kardex.html",
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument("product", metavar="PRODUCTO", help="its id_producto, or its codigo")
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
    """Read the ledger, foot it, and write it to stdout in the format asked for. Returns 0.

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
    control = olap.read_control(settings)
    ledger = read_ledger(settings, arguments.product, period, olap.last_run(control))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file that goes to somebody else is UTF-8, whatever the terminal here is.
        sys.stdout.reconfigure(encoding="utf-8")
    if arguments.csv:
        write_csv(ledger, sys.stdout)
    elif arguments.html:
        _write_page(ledger, settings.notices.language)
    elif arguments.json:
        write_json(ledger, sys.stdout)
    else:
        print_text(ledger)
    return 0


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
