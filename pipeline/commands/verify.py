"""Compare OLTP and OLAP, and every ledger with itself; --repair mends what differs."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.commands.manual import Manual, add_all_shops, add_json, print_json
from pipeline.commands.requested import add_accept_source, carry_out, show_would
from pipeline.commands.verified import in_words, mendable, names_of, remedy, show, tampered
from pipeline.errors import PipelineError
from pipeline.run import differences
from pipeline.run.comparison import Findings
from pipeline.run.verify import verify
from pipeline.settings import Settings, load_settings
from pipeline.settings.moments import parse_since
from pipeline.state.request import Request
from pipeline.tasks.requested_run import RequestedRunError, UnpublishedError
from pipeline.telling.after_run import tell_apart

# So many ids are no longer looked up one by one: everything is read.
_RECHECK_LIMIT = 10_000

MANUAL = Manual(
    does="Compares OLTP and OLAP movement by movement, replays every product from the last closing "
    "on, computes the huella of each closing again, and checks that every ledger foots and the "
    "summaries are its sums, and that products, branches and the movements' documents are called "
    "as in the shop. After one that found nothing, it "
    "looks only at what changed since, where that is enough, and says what it did not look at; "
    "--all looks at everything. --repair then says what the ledger would lose, loads what is "
    "missing or different (of a catalogue by reading everything) and removes what was deleted and "
    "is not closed, in a window under the guards of any run, and verifies again. Where stdout is "
    "no terminal, as in cron, those of "
    "ETL_NOTIFY_URLS are told of what is found.",
    reads="the OLTP and the OLAP, each in one snapshot.",
    changes="nothing but the OLAP's note of what was proved; with --repair the OLAP and the state "
    "folder, as a run does.",
    exits={
        0: "the OLAP equals the OLTP",
        1: "something differs, a guard holds the repair, or a failure",
    },
    examples=(
        "python -m pipeline verify --all",
        "python -m pipeline verify --since 2026-01-01",
        "python -m pipeline verify --repair",
        "python -m pipeline verify --repair --accept-source 0123456789ab",
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "--since", metavar="DATE", help="compare only movements dated at or after this date"
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="look at everything, not only at what changed since the last one that found nothing",
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="load what is missing or different, and remove what was deleted, in a window",
    )
    add_accept_source(parser)
    add_json(parser)
    add_all_shops(parser)


def run(arguments: argparse.Namespace) -> int:
    """Verify, show what is wrong, and repair if that was asked; 1 if something stays wrong."""
    settings = load_settings()
    since = parse_since(arguments.since, settings.timezone) if arguments.since else None
    repair: dict[str, Any] = {"repaired": []}

    def tell(would: dict[str, Any]) -> None:
        repair["would"] = would
        if not arguments.json:
            show(settings, findings)
            show_would(would)
        elif would["held"]:
            print_json(_for_machines(settings, findings, repair))

    try:
        findings = verify(settings, since, everything=arguments.all or arguments.repair)
        if arguments.repair and mendable(findings) and not tampered(findings):
            repaired = findings.wrong
            # A page that was not published is told already, and the repair is one without it.
            with suppress(UnpublishedError):
                carry_out(settings, _repair(findings), arguments.accept_source, tell)
            repair["repaired"] = repaired
            findings = verify(settings, since, everything=True)
    except RequestedRunError:
        # Told already, as any run that fails.
        raise
    except PipelineError as failure:
        _tell(failure, "python -m pipeline verify")
        raise
    if arguments.json:
        print_json(_for_machines(settings, findings, repair))
    else:
        show(settings, findings)
    if not findings.clean:
        _tell(in_words(findings), remedy(findings))
    return 0 if findings.clean else 1


def _for_machines(settings: Settings, findings: Findings, repair: dict[str, Any]) -> dict[str, Any]:
    names = names_of(settings, findings)
    told = asdict(findings)
    told["names"] = {number: names.of_movement(int(number)) for number in names.movimientos}
    told |= differences.for_machines(told.pop("stock"))
    at = datetime.now(ZoneInfo(settings.timezone)).isoformat(timespec="seconds")
    return {"at": at, **told, "clean": findings.clean, **repair}


def _tell(cause: PipelineError | str, command: str) -> None:
    """Where nobody looks on, as in cron, those of ETL_NOTIFY_URLS are told."""
    if not sys.stdout.isatty():
        tell_apart("verify", cause, command)


def _repair(findings: Findings) -> Request:
    # Only a whole read has all of the catalogue and the branches, too.
    if findings.catalogue or len(findings.wrong) > _RECHECK_LIMIT:
        return Request(everything=True)
    return Request(recheck=tuple(findings.wrong))
