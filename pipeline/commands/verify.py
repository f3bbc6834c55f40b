"""Compare OLTP and OLAP, and every ledger with itself; --repair mends what differs."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from pipeline.errors import InputError
from pipeline.requests import Request
from pipeline.settings import load_settings, parse_moment
from pipeline.special_run import run_requested
from pipeline.tables import print_table
from pipeline.verify import Findings, verify

_SHOWN = 20
# So many ids are no longer looked up one by one: everything is read.
_RECHECK_LIMIT = 10_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "--since", metavar="DATE", help="compare only movements dated at or after this date"
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="load what is missing or different, and remove what was deleted, in a window",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, for machines")
    parser.epilog = "example: python -m pipeline verify --since 2026-01-01"


def run(arguments: argparse.Namespace) -> int:
    """Verify, show what is wrong, and repair if that was asked; 1 if something stays wrong."""
    settings = load_settings()
    since = None
    if arguments.since:
        try:
            since = parse_moment(arguments.since, settings.timezone)
        except ValueError:
            raise InputError(f"--since is '{arguments.since}', but must be a date") from None
    findings = verify(settings, since)
    if arguments.repair and findings.movements:
        _show(findings, arguments.json)
        run_requested(settings, _repair(findings))
        findings = verify(settings, since)
    _show(findings, arguments.json)
    return 0 if findings.clean else 1


def _repair(findings: Findings) -> Request:
    if len(findings.movements) > _RECHECK_LIMIT:
        return Request(everything=True)
    return Request(recheck=tuple(findings.movements))


def _show(findings: Findings, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**asdict(findings), "clean": findings.clean}, indent=2))
        return
    print(f"compared       {findings.compared} movements of the OLTP")
    print(f"pending        {findings.pending} changed since the last window: the next one has them")
    if findings.restored:
        print(f"note           {findings.restored}; the next run reads everything")
    for name, movements in (
        ("missing", findings.missing),
        ("extra", findings.extra),
        ("different", findings.different),
    ):
        print(f"{name:14} {_listed(movements)}")
    print(f"books          {_books(findings.books)}")
    if findings.books:
        print_table(
            ["fault", "product", "movement"],
            [[row["fault"], row["product"], row["movement"]] for row in findings.books[:_SHOWN]],
        )
    if findings.clean:
        print("the OLAP equals the OLTP")
    else:
        print(_advice(findings))


def _listed(movements: list[int]) -> str:
    if not movements:
        return "none"
    shown = ", ".join(map(str, movements[:_SHOWN]))
    return f"{len(movements)}: {shown}" + (", …" if len(movements) > _SHOWN else "")


def _books(books: list[dict[str, Any]]) -> str:
    return f"{len(books)} faults, the first of them:" if books else "every ledger foots"


def _advice(findings: Findings) -> str:
    if findings.movements:
        return "NOT equal: `python -m pipeline verify --repair` loads and removes what it must"
    return "NOT right: `python -m pipeline rebuild` replays every product from the OLTP"
