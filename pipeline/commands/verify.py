"""Compare OLTP and OLAP, and every ledger with itself; --repair mends what differs."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.after_run import tell_apart
from pipeline.errors import InputError, PipelineError
from pipeline.requests import Request
from pipeline.settings import load_settings, parse_moment
from pipeline.special_run import run_requested
from pipeline.tables import print_table
from pipeline.verify import Findings, verify

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.settings import Settings

_SHOWN = 20
# So many ids are no longer looked up one by one: everything is read.
_RECHECK_LIMIT = 10_000
_REBUILD = "python -m pipeline rebuild"


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
    since = _since(arguments.since, settings)
    try:
        findings = verify(settings, since)
        if arguments.repair and findings.movements:
            _show(findings, arguments.json)
            run_requested(settings, _repair(findings))
            findings = verify(settings, since)
    except PipelineError as failure:
        _tell(failure, "python -m pipeline verify")
        raise
    _show(findings, arguments.json)
    if not findings.clean:
        _tell(_differences(findings), _remedy(findings))
    return 0 if findings.clean else 1


def _since(raw: str | None, settings: Settings) -> datetime | None:
    if not raw:
        return None
    try:
        return parse_moment(raw, settings.timezone)
    except ValueError:
        raise InputError(f"--since is '{raw}', but must be a date") from None


def _tell(cause: PipelineError | str, command: str) -> None:
    """Where nobody looks on, as in cron, those of ETL_NOTIFY_URLS are told."""
    if not sys.stdout.isatty():
        tell_apart("verify", cause, command)


def _differences(findings: Findings) -> str:
    counts = {
        "missing": len(findings.missing),
        "extra": len(findings.extra),
        "different": len(findings.different),
        "faults in the books": len(findings.books),
    }
    found = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"the OLAP is not equal to the OLTP: {found}"


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


def _remedy(findings: Findings) -> str:
    return "python -m pipeline verify --repair" if findings.movements else _REBUILD


def _advice(findings: Findings) -> str:
    if findings.movements:
        return f"NOT equal: `{_remedy(findings)}` loads and removes what it must"
    return f"NOT right: `{_remedy(findings)}` replays every product from the OLTP"
