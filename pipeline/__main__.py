"""The operator's commands: python -m pipeline init|doctor|import|opening|plan|rejects|verify|…"""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from pipeline.errors import PipelineError

# Command → the module that is its room, and its line in the overview.
_COMMANDS = {
    "init": ("init", "create or upgrade the OLAP's objects and roles"),
    "doctor": ("doctor", "examine every precondition of a run; changes nothing"),
    "import": ("import_csv", "fill the example OLTP from CSV files"),
    "opening": ("opening", "set the opening balances that products are valued from"),
    "plan": ("plan", "say what the next run would carry; writes nothing"),
    "kardex": ("kardex", "print the ledger of one product: opening, movements, totals, closing"),
    "report": ("report", "write one page of HTML with the shop's figures"),
    "rejects": ("rejects", "list the movements that cannot be valued"),
    "verify": ("verify", "compare OLTP and OLAP; --repair mends what differs"),
    "rebuild": ("rebuild", "replay every product from the OLTP"),
    "status": ("status", "show the last run, pending window, rejects and stock below zero"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline",
        description="Commands of the pipeline; the runs themselves are "
        "`luigi --module pipeline RunDue`. Settings come from the environment or .env.",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (module, summary) in _COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary}.")
        command.add_argument(
            "--debug",
            action="store_true",
            default=argparse.SUPPRESS,
            help="show the traceback of a failure",
        )
        importlib.import_module(f"pipeline.commands.{module}").configure(command)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 when all is well, 1 after a failure said in one line."""
    arguments = _parser().parse_args(argv)
    module = importlib.import_module(f"pipeline.commands.{_COMMANDS[arguments.command][0]}")
    try:
        return int(module.run(arguments))
    except PipelineError as failure:
        if arguments.debug:
            raise
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader (head, less) had enough. Keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("interrupted; nothing half done is kept", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
