"""Replay every product from the OLTP but for what is closed, from the same date and openings."""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.base.text_tables import print_facts
from pipeline.commands.manual import Manual, add_json, print_json
from pipeline.commands.requested import add_accept_source, carry_out, show_would
from pipeline.settings import load_settings
from pipeline.state.request import Request
from pipeline.translation import translated as _

MANUAL = Manual(
    does="Replays every product from the OLTP, with the same initial date and opening balances, "
    "or from the last closing on, beside the ledger, and writes only the rows that differ, in one "
    "transaction: dashboards keep answering. Before, it says what the ledger would lose. Use it "
    "after a rule of valuation was replaced, or when verify finds a ledger that does not foot.",
    reads="the whole scope of the OLTP, and the OLAP.",
    changes="the OLAP and the state folder, as a run does; an unfinished window is done first.",
    exits={
        0: "rebuilt",
        1: "a guard or a failure, and nothing half done is kept; or rebuilt, but ETL_REPORT_PATH "
        "could not be published",
    },
    examples=(
        "python -m pipeline rebuild",
        "python -m pipeline rebuild --accept-source 0123456789ab",
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    add_accept_source(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Say what would go, and run it as a window. Returns 0; raises as carry_out() does."""
    document: dict[str, Any] = {"rebuilt": False}

    def tell(would: dict[str, Any]) -> None:
        document["would"] = would
        if not arguments.json:
            show_would(would)
        elif would["held"]:
            print_json(document)

    request = Request(everything=True, rebuild=True)
    window = carry_out(load_settings(), request, arguments.accept_source, tell)
    if arguments.json:
        print_json(document | {"rebuilt": True, "window": window.label})
    else:
        print_facts([(_("window"), window.label)])
        print(_("rebuilt: ledger, stock and summaries are what is closed and a replay of the rest"))
    return 0
