"""Write the report: one page of HTML for the shopkeeper."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

from pipeline.commands.manual import Manual, add_json, print_json
from pipeline.errors import SettingsError
from pipeline.report.publish import branches_beside, build_page, order_beside, publish_all
from pipeline.settings import load_settings
from pipeline.translation import translated as _

MANUAL = Manual(
    does="Writes one page of HTML, whole in itself, for the shopkeeper: what is wrong first; today "
    "and this month beside the last and the year before; what to order, of which the whole list, "
    "also by branch, is written beside the page as CSV; sales and margin, by hour, day, category, "
    "product and branch; the stock, its age and its prices; then the runs. In the language of "
    "ETL_LANG. A run writes it by itself to ETL_REPORT_PATH.",
    reads="the views of the OLAP, as OLAP_BI_USER.",
    changes="the file, and beside it FILE-por-pedir.csv and, in a shop with branches, "
    "FILE-por-sucursal.csv, each whole or not at all.",
    exits={0: "written", 1: "a failure; an older page stays as it was"},
    examples=("python -m pipeline report --output informe.html",),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "--output",
        metavar="FILE",
        type=Path,
        help="where to write it (default: ETL_REPORT_PATH, else standard output)",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read the views as OLAP_BI_USER and write the page. Returns 0.

    Raises what build_page() and publish() raise, and SettingsError where --json has no file to
    speak of; an older page stays then as it was.
    """
    settings = load_settings()
    path = arguments.output or settings.report_path
    if path is None and arguments.json:
        raise SettingsError(
            _("--json says what was written: give --output, or set ETL_REPORT_PATH")
        )
    built = build_page(settings, path)
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A page says of itself that it is UTF-8, whatever the terminal here is.
            sys.stdout.reconfigure(encoding="utf-8")
        sys.stdout.write(built.page)
        return 0
    publish_all(built, path)
    if arguments.json:
        print_json(
            {
                "path": str(path.absolute()),
                "bytes": len(built.page.encode()),
                "to_order": str(order_beside(path).absolute()),
                "by_branch": str(branches_beside(path).absolute()) if built.by_branch else None,
            }
        )
    else:
        print(_("written to {path}").format(path=path))
    return 0
