"""The face that every command shows: its manual, --json, and how a failure is said."""

from __future__ import annotations

import argparse
import io
import json
import sys
import textwrap
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.base.text_tables import on_a_line, paint
from pipeline.errors import PipelineError

_WIDTH = 79
# What any command may end with.
_ALWAYS = {
    2: "the command line is wrong; nothing was done",
    130: "interrupted; nothing half done is kept",
    141: "whoever read the output had enough of it, as head has",
}


@dataclass(frozen=True)
class Manual:
    """What --help says beside the options; each example is a whole line of a shell."""

    does: str
    reads: str
    changes: str
    exits: dict[int, str]
    examples: tuple[str, ...]


class _TakesOptions(Protocol):
    def add_argument(self, *names: str, **how: Any) -> Any: ...


def describe(parser: argparse.ArgumentParser, manual: Manual) -> None:
    """Have --help show the manual around the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = textwrap.fill(manual.does, _WIDTH)
    codes = manual.exits | _ALWAYS
    parser.epilog = "\n\n".join(
        (
            f"reads:\n{_indented(manual.reads)}",
            f"changes:\n{_indented(manual.changes)}",
            "exit codes:\n" + "\n".join(_exit(code, why) for code, why in sorted(codes.items())),
            "examples:\n" + "\n".join(f"  {example}" for example in manual.examples),
        )
    )


def _indented(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="  ", subsequent_indent="  ")


def _exit(code: int, why: str) -> str:
    first = f"  {code}  "
    return textwrap.fill(why, _WIDTH, initial_indent=first, subsequent_indent=" " * len(first))


def add_json(parser: _TakesOptions) -> None:
    """The option --json, to a parser or to a group of options of which one may be given."""
    parser.add_argument("--json", action="store_true", help="print one JSON object, for machines")


def add_all_shops(parser: argparse.ArgumentParser) -> None:
    """The option --all-shops, of the commands that pipeline/commands/all_shops.py knows."""
    parser.add_argument(
        "--all-shops",
        action="store_true",
        help="a line for each shop of ETL_SHOPS_DIR, the worst first; exits with 1 if any is not "
        "well",
    )


def print_json(document: dict[str, Any]) -> None:
    """One object on stdout, in UTF-8 whatever the terminal's encoding is."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    print(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def print_failure(failure: PipelineError, as_json: bool) -> None:
    """One line on stderr, below all of stdout; with `as_json` an object, text and kind."""
    with suppress(OSError):
        sys.stdout.flush()
    if as_json:
        document = {"error": str(failure), "kind": type(failure).__name__}
        print(json.dumps(document), file=sys.stderr)
    else:
        print(f"{paint('error:', 'red', sys.stderr)} {on_a_line(str(failure))}", file=sys.stderr)
