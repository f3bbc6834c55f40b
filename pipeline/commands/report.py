"""Write the report: one page of HTML for the shopkeeper."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

from pipeline.report.publish import build_page, publish
from pipeline.settings import load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "--output",
        metavar="FILE",
        type=Path,
        help="where to write it (default: ETL_REPORT_PATH, else standard output)",
    )
    parser.epilog = "example: python -m pipeline report --output informe.html"


def run(arguments: argparse.Namespace) -> int:
    """Read the views as OLAP_BI_USER and write the page. Returns 0.

    Raises what build_page() and publish() raise; an older page stays then as it was.
    """
    settings = load_settings()
    page = build_page(settings)
    path = arguments.output or settings.report_path
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A page says of itself that it is UTF-8, whatever the terminal here is.
            sys.stdout.reconfigure(encoding="utf-8")
        sys.stdout.write(page)
    else:
        publish(page, path)
        print(f"written to {path}")
    return 0
