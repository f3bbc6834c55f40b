"""Replay every product from the OLTP, with the same initial date and openings."""

from __future__ import annotations

import argparse

from pipeline.commands.face import Manual, add_json, print_json
from pipeline.requests import Request
from pipeline.settings import load_settings
from pipeline.special_run import run_requested
from pipeline.tables import print_facts

MANUAL = Manual(
    does="Replays every product from the OLTP, with the same initial date and opening balances, "
    "beside the ledger, and writes only the rows that differ, in one transaction: dashboards "
    "keep answering. Use it after a rule of valuation was replaced, or when verify finds a "
    "ledger that does not foot.",
    reads="the whole scope of the OLTP, and the OLAP.",
    changes="the OLAP and the state folder, as a run does; an unfinished window is done first.",
    exits={
        0: "rebuilt",
        1: "a failure, and nothing half done is kept; or rebuilt, but ETL_REPORT_PATH could not be "
        "published",
    },
    examples=("python -m pipeline rebuild",),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run it as a window. Returns 0; raises as run_requested() does."""
    window = run_requested(load_settings(), Request(everything=True, rebuild=True))
    if arguments.json:
        print_json({"rebuilt": True, "window": window.label})
    else:
        print_facts([("window", window.label)])
        print("rebuilt: ledger, stock and summaries are a replay of the OLTP")
    return 0
