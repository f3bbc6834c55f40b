"""The operator's commands: python -m pipeline init|doctor|import|opening|plan|rejects|verify|…"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from pipeline.commands import all_shops
from pipeline.commands.manual import Manual, describe, print_failure
from pipeline.errors import PipelineError, SettingsError
from pipeline.settings import load_shop, shops
from pipeline.settings.casts import is_utf8
from pipeline.translation import translated as _

# Command → the module that is its room, and its line in the overview.
_COMMANDS = {
    "init": ("init", "create or upgrade the OLAP's objects and roles"),
    "doctor": ("doctor", "examine every precondition of a run; changes nothing"),
    "adapt": ("adapt", "look at the shop's queries as they are now; writes nothing"),
    "import": ("import_csv", "fill the example OLTP from CSV files"),
    "opening": ("opening", "set the opening balances that products are valued from"),
    "plan": ("plan", "say what the next run would carry; writes nothing"),
    "kardex": ("kardex", "print the ledger of one product, or of all"),
    "book": ("book", "write the kardex of every product of a month"),
    "report": ("report", "write one page of HTML with the shop's figures"),
    "rejects": ("rejects", "list the movements that cannot be valued"),
    "adjustments": ("adjustments", "list what made the stock the shop's own, carry it elsewhere"),
    "verify": ("verify", "compare OLTP and OLAP; --repair mends what differs"),
    "close": ("close", "close a month, list the closings, open the last one again"),
    "rebuild": ("rebuild", "replay every product from the OLTP"),
    "status": ("status", "show the last run, pending window, rejects, stock below zero"),
}

_MANUAL = Manual(
    does="The operator's commands. The runs themselves are `luigi --module pipeline RunDue`. "
    "`python -m pipeline COMMAND --help` is the manual of one command. With --json each prints "
    "one JSON object, and a failure is one on stderr; colour is for terminals alone, and NO_COLOR "
    "forbids it.",
    reads="the settings, from the environment or .env (see .env.example), and what the manual of "
    "the command says.",
    changes="what the manual of the command says; none but init, import, opening, close, "
    "rebuild, adjustments --import and verify --repair changes anything.",
    exits={
        0: "all is well",
        1: "a failure, said in one line on stderr; or a command found what it looks for",
    },
    examples=("python -m pipeline doctor", "python -m pipeline --debug status --json"),
)


def _on_one_line(prog: str) -> argparse.HelpFormatter:
    """The longest command's line is one, too: argparse counts its indent short."""
    formatter = argparse.RawDescriptionHelpFormatter(prog)
    formatter._action_max_length = 4 + max(map(len, _COMMANDS))
    return formatter


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipeline")
    describe(parser, _MANUAL)
    parser.formatter_class = _on_one_line
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    parser.add_argument(
        "--version", action="version", version=f"pipeline {metadata.version('pipeline')}"
    )
    parser.add_argument(
        "--shop",
        default="",
        metavar="NAME",
        help="the shop of ETL_SHOPS_DIR that it is for (default: ETL_SHOP, else the one shop of "
        "the environment)",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (module, summary) in _COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        command.add_argument(
            "--debug",
            action="store_true",
            default=argparse.SUPPRESS,
            help="show the traceback of a failure",
        )
        room = importlib.import_module(f"pipeline.commands.{module}")
        describe(command, room.MANUAL)
        room.configure(command)
    return parser


def _take_turn(shop: str) -> None:
    """Have all that follows be for this shop of many, or for ETL_SHOP's; raises SettingsError."""
    if not shop:
        # What is wrong there is told by who reads the settings.
        with suppress(SettingsError):
            shop = load_shop()
    if shop:
        shops.file_of(shop)
        shops.take_turn(shop)


def _leave_stdout() -> None:
    """What is left of the output goes nowhere, or the interpreter fails over it once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _make_streams_ready() -> None:
    """A stream that is closed takes all and shows nothing; a letter that one lacks is a ?."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 when all is well, 1 after a failure said in one line."""
    _make_streams_ready()
    parser = _parser()
    arguments = parser.parse_args(argv)
    for given in sys.argv[1:] if argv is None else argv:
        if not is_utf8(given):
            parser.error(f"argument {given!a} is not in UTF-8")
    module = importlib.import_module(f"pipeline.commands.{_COMMANDS[arguments.command][0]}")
    try:
        if getattr(arguments, "all_shops", False):
            code = all_shops.run(module.run, arguments)
        else:
            _take_turn(arguments.shop)
            code = int(module.run(arguments))
        # Here, where it can still be said that there is no room for it.
        sys.stdout.flush()
        return code
    except PipelineError as failure:
        if arguments.debug:
            raise
        print_failure(failure, arguments.json)
        return 1
    except BrokenPipeError:
        # The reader (head, less) had enough.
        _leave_stdout()
        return 141
    except OSError as failure:
        if arguments.debug:
            raise
        told = f"{failure.filename}: {failure.strerror}" if failure.filename else str(failure)
        print_failure(PipelineError(told), arguments.json)
        _leave_stdout()
        return 1
    except KeyboardInterrupt:
        print(_("interrupted; nothing half done is kept"), file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
