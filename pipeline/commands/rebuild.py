"""Replay every product from the OLTP, with the same initial date and openings."""

from __future__ import annotations

import argparse

from pipeline.requests import Request
from pipeline.settings import load_settings
from pipeline.special_run import run_requested


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.epilog = (
        "Reads the whole scope, values it beside the ledger, and writes only the rows that "
        "differ, in one transaction: dashboards keep answering. "
        "example: python -m pipeline rebuild"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run it as a window."""
    run_requested(load_settings(), Request(everything=True, rebuild=True))
    print("rebuilt: ledger, stock and summaries are a replay of the OLTP")
    return 0
