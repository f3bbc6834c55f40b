"""Examine every precondition of a run, and say what to do where one is not met."""

from __future__ import annotations

import argparse
import io
import sys
from dataclasses import asdict

from pipeline.base.text_tables import Colour, paint, terminal_width, wrapped
from pipeline.commands.manual import Manual, add_all_shops, add_json, print_json
from pipeline.doctor.examination import examine
from pipeline.doctor.findings import Finding, State
from pipeline.translation import translated as _

_MARKS = {"ok": "✓", "warning": "!", "error": "✗", "skipped": "-"}
# For a terminal or a log that cannot show the others, as cron's often is.
_PLAIN_MARKS = _MARKS | {"ok": "+", "error": "x"}

_COLOURS: dict[State, Colour | None] = {
    "ok": "green",
    "warning": "yellow",
    "error": "red",
    "skipped": None,
}

_REMEDY = "→ "
_NARROWEST = 30  # of what was found, beside its name

MANUAL = Manual(
    does="Examines every precondition of a run and names the remedy where one is not met. Each "
    "line has ✓, ! (a warning), ✗ (a run would fail, or lie) or - (not examined, or not needed).",
    reads="settings and .env, the state folder and its disk, both servers and their clocks, the "
    "three queries, what each account may do, the last run, rejects, what the report, notices and "
    "metrics need where they are set, luigi.cfg and luigid.",
    changes="nothing; no notice is sent.",
    exits={0: "ready, with warnings or without", 1: "at least one precondition is not met"},
    examples=("python -m pipeline doctor", "python -m pipeline doctor --json"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_json(parser)
    add_all_shops(parser)


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
        print_json(report)
    else:
        _show(findings)
        state: State = "error" if errors else "warning" if warnings else "ok"
        print(f"\n{paint(_verdict(warnings, errors), _COLOURS[state])}")
    return 1 if errors else 0


def _show(findings: list[Finding]) -> None:
    marks = _MARKS if _can_show("".join(_MARKS.values())) else _PLAIN_MARKS
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A server may speak a language that the output cannot show.
        sys.stdout.reconfigure(errors="replace")
    arrow = _REMEDY if _can_show(_REMEDY) else "> "
    name = max(len(finding.what) for finding in findings)
    room = max(terminal_width() - name - 5, _NARROWEST)
    what, found, remedy = _("what"), _("found"), _("remedy")
    print(paint(f"   {what.ljust(name)}  {found}, {arrow}{remedy}", "bold"))
    for finding in findings:
        colour = None if finding.state == "ok" else _COLOURS[finding.state]
        lines = wrapped(finding.found, room)
        if finding.remedy:
            first, *others = wrapped(finding.remedy, room - len(arrow))
            lines += [f"{arrow}{first}", *(f"{' ' * len(arrow)}{line}" for line in others)]
        first = f"{marks[finding.state]}  {finding.what.ljust(name)}"
        for number, line in enumerate(lines):
            before = " " * len(first) if number else first
            print(paint(f"{before}  {line}".rstrip(), colour))


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _verdict(warnings: int, errors: int) -> str:
    told = _("1 warning") if warnings == 1 else _("{number} warnings").format(number=warnings)
    if errors:
        failed = _("1 error") if errors == 1 else _("{number} errors").format(number=errors)
        return _("NOT ready: {errors}, {warnings}").format(errors=failed, warnings=told)
    return _("ready, with {warnings}").format(warnings=told) if warnings else _("ready")
