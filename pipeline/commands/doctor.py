"""Examine every precondition of a run, and say what to do where one is not met."""

from __future__ import annotations

import argparse
import io
import json
import sys
import textwrap
from dataclasses import asdict
from itertools import zip_longest

from pipeline.doctor.examination import examine
from pipeline.doctor.findings import Finding
from pipeline.tables import print_table

_MARKS = {"ok": "✓", "warning": "!", "error": "✗", "skipped": "-"}
# For a terminal or a log that cannot show the others, as cron's often is.
_PLAIN_MARKS = _MARKS | {"ok": "+", "error": "x"}

_WIDTH = 56  # of a column; a driver's message would push the others out of sight


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--json", action="store_true", help="print one JSON object, for machines")
    parser.epilog = "example: python -m pipeline doctor --json"


def run(arguments: argparse.Namespace) -> int:
    """Examine, and show it; 1 if a run would fail on something, 0 with warnings or without."""
    findings = list(examine())
    warnings, errors = (
        sum(finding.state == state for finding in findings) for state in ("warning", "error")
    )
    if arguments.json:
        report = {
            "healthy": not errors,
            "errors": errors,
            "warnings": warnings,
            "findings": [asdict(finding) for finding in findings],
        }
        print(json.dumps(report, indent=2))
    else:
        _show(findings)
        print(f"\n{_verdict(warnings, errors)}")
    return 1 if errors else 0


def _show(findings: list[Finding]) -> None:
    marks = _MARKS if _can_show("".join(_MARKS.values())) else _PLAIN_MARKS
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A server may speak a language that the output cannot show.
        sys.stdout.reconfigure(errors="replace")
    rows: list[tuple[str, ...]] = []
    for finding in findings:
        found, remedy = _wrapped(finding.found), _wrapped(finding.remedy)
        first = (marks[finding.state], finding.what)
        for number, cells in enumerate(zip_longest(found, remedy, fillvalue="")):
            rows.append((*(first if number == 0 else ("", "")), *cells))
    print_table(["", "what", "found", "remedy"], rows)


def _wrapped(text: str) -> list[str]:
    # Paths, windows and commands are kept whole, to be copied.
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _verdict(warnings: int, errors: int) -> str:
    if errors:
        return f"NOT ready: {_count(errors, 'error')}, {_count(warnings, 'warning')}"
    return f"ready, with {_count(warnings, 'warning')}" if warnings else "ready"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
