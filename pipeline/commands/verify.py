"""Compare OLTP and OLAP, and every ledger with itself; --repair mends what differs."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.base.text_tables import paint, print_facts, print_table
from pipeline.commands.manual import Manual, add_all_shops, add_json, print_json
from pipeline.commands.requested import add_accept_source, carry_out, show_would
from pipeline.errors import PipelineError
from pipeline.olap.names import Names, read_names
from pipeline.run import differences
from pipeline.run.comparison import Findings
from pipeline.run.proof import minute
from pipeline.run.verify import verify
from pipeline.settings import Settings, load_settings
from pipeline.settings.moments import in_zone, parse_since
from pipeline.state.request import Request
from pipeline.tasks.requested_run import RequestedRunError, UnpublishedError
from pipeline.telling.after_run import tell_apart
from pipeline.translation import translated as _
from pipeline.translation.stored import worded

_SHOWN = 20
# So many ids are no longer looked up one by one: everything is read.
_RECHECK_LIMIT = 10_000
_REBUILD = "python -m pipeline rebuild"
_CLOSED = "what was closed up to"  # as etl.verificar_libros() begins to say it

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
            _show(settings, findings)
            show_would(would)
        elif would["held"]:
            print_json(_for_machines(settings, findings, repair))

    try:
        findings = verify(settings, since, everything=arguments.all or arguments.repair)
        if arguments.repair and _mendable(findings) and not _tampered(findings):
            repaired = sorted({*findings.movements, *findings.documents})
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
        _show(settings, findings)
    if not findings.clean:
        _tell(_differences(findings), _remedy(findings))
    return 0 if findings.clean else 1


def _for_machines(settings: Settings, findings: Findings, repair: dict[str, Any]) -> dict[str, Any]:
    names = _names(settings, findings)
    told = asdict(findings)
    told["names"] = {number: names.of_movement(int(number)) for number in names.movimientos}
    told |= differences.for_machines(told.pop("stock"))
    at = datetime.now(ZoneInfo(settings.timezone)).isoformat(timespec="seconds")
    return {"at": at, **told, "clean": findings.clean, **repair}


def _names(settings: Settings, findings: Findings) -> Names:
    """What the shop calls those that are listed: the OLAP does not know what is missing in it."""
    books = findings.books[:_SHOWN]
    listed = (
        findings.missing,
        findings.extra,
        findings.different,
        findings.rejects,
        findings.documents,
    )
    movements = [number for numbers in listed for number in numbers[:_SHOWN]]
    found = read_names(
        settings,
        [*movements, *(row["movement"] for row in books)],
        [row["product"] for row in books],
    )
    return Names({**found.movimientos, **findings.names}, found.productos)


def _tell(cause: PipelineError | str, command: str) -> None:
    """Where nobody looks on, as in cron, those of ETL_NOTIFY_URLS are told."""
    if not sys.stdout.isatty():
        tell_apart("verify", cause, command)


def _differences(findings: Findings) -> str:
    counts = {
        _("missing"): len(findings.missing),
        _("extra"): len(findings.extra),
        _("different"): len(findings.different),
        _("faults in the books"): len(findings.books),
        _("wrong in the catalogue"): len(findings.catalogue),
        _("wrong documents"): len(findings.documents),
    }
    found = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return _("the OLAP is not equal to the OLTP: {found}").format(found=found)


def _repair(findings: Findings) -> Request:
    wrong = sorted({*findings.movements, *findings.documents})
    # Only a whole read has all of the catalogue and the branches, too.
    if findings.catalogue or len(wrong) > _RECHECK_LIMIT:
        return Request(everything=True)
    return Request(recheck=tuple(wrong))


def _mendable(findings: Findings) -> bool:
    """Whether a window that reads it again mends some of it."""
    return bool(findings.movements or findings.documents or findings.catalogue)


def _show(settings: Settings, findings: Findings) -> None:
    names = _names(settings, findings)
    note = _("{restored}; the next run reads everything").format(restored=findings.restored)
    print_facts(
        [
            (
                _("compared"),
                _("{compared} movements of the OLTP").format(compared=findings.compared),
            ),
            (_("looked at"), _extent(findings)),
            (
                _("pending"),
                _("{pending} changed since the last window: the next has them").format(
                    pending=findings.pending
                ),
            ),
            *([(_("archived"), _archived(findings))] if findings.archived else []),
            *([(_("note"), note)] if findings.restored else []),
            (_("missing"), _listed(findings.missing, names)),
            (_("extra"), _listed(findings.extra, names)),
            (_("different"), _listed(findings.different, names)),
            *(
                [(_("of them rejects"), _listed(findings.rejects, names))]
                if findings.rejects
                else []
            ),
            *([(_("catalogue"), _catalogue(findings))] if findings.catalogue else []),
            *([(_("documents"), _documents(findings, names))] if findings.documents else []),
            *([(_("lost"), _lost(findings.lost))] if findings.lost else []),
            (_("books"), _books(findings)),
            *differences.facts(findings.stock),
        ]
    )
    if findings.books:
        print_table(
            [_("fault"), _("product"), _("movement")],
            [
                [
                    worded(row["fault"]),
                    names.product(row["product"]),
                    names.movement(row["movement"]),
                ]
                for row in findings.books[:_SHOWN]
            ],
        )
    if findings.clean:
        whole = findings.whole is not None
        equal = _("the OLAP equals the OLTP") if whole else _("nothing that was looked at differs")
        print(paint(_with_time(settings, equal), "green"))
    else:
        print(paint(_with_time(settings, _advice(findings)), "red"))


def _with_time(settings: Settings, said: str) -> str:
    """The last line, which says when it was: in a log it stands below that of yesterday."""
    return f"{said} ({in_zone(datetime.now(UTC), settings.timezone)})"


def _extent(findings: Findings) -> str:
    """In one line, what was looked at and what was not."""
    if findings.whole == "--since":
        return _("every ledger; of the OLTP only the movements since that date")
    if findings.whole is not None:
        return _("everything ({reason})").format(reason=worded(findings.whole))
    return _(
        "what changed since the verify of {last}; not at older rows that were deleted in the OLTP "
        "or changed by hand, and at sums by day only in total: `python -m pipeline verify --all` "
        "does, last {whole}"
    ).format(last=minute(findings.last), whole=minute(findings.last_whole))


def _lost(movements: int) -> str:
    return _(
        "{movements} valued movements lost their product in the OLTP, and wait as rejects"
    ).format(movements=movements)


def _archived(findings: Findings) -> str:
    return _("{archived} of closed periods, which the OLTP has no more").format(
        archived=findings.archived
    )


def _listed(movements: list[int], names: Names) -> str:
    if not movements:
        return _("none")
    shown = ", ".join(str(names.movement(number)) for number in movements[:_SHOWN])
    return f"{len(movements)}: {shown}" + (", …" if len(movements) > _SHOWN else "")


def _catalogue(findings: Findings) -> str:
    kinds = {
        "missing": _("{query} {code} is missing"),
        "extra": _("{query} {code} is not in the shop's catalogue"),
        "different": _("{query} {code} is not as in the shop"),
    }
    words = {"productos": _("product"), "sucursales": _("branch")}
    told = [
        kinds[row["kind"]].format(query=words[row["query"]], code=row["code"])
        for row in findings.catalogue[:_SHOWN]
    ]
    more = ", …" if len(findings.catalogue) > _SHOWN else ""
    return f"{len(findings.catalogue)}: {', '.join(told)}{more}"


def _documents(findings: Findings, names: Names) -> str:
    return _("not the shop's of movements {movements}").format(
        movements=_listed(findings.documents, names)
    )


def _books(findings: Findings) -> str:
    if findings.books:
        return _("{books} faults, the first of them:").format(books=len(findings.books))
    if findings.whole is None:
        return _("every ledger that was touched foots")
    return _("every ledger foots")


def _tampered(findings: Findings) -> bool:
    """Whether closed rows were changed: a repair would book the change as a correction."""
    return any(row["fault"].startswith(_CLOSED) for row in findings.books)


def _remedy(findings: Findings) -> str:
    if _tampered(findings):
        return "python -m pipeline verify --all"
    return "python -m pipeline verify --repair" if _mendable(findings) else _REBUILD


def _advice(findings: Findings) -> str:
    if _tampered(findings):
        return _(
            "NOT right: somebody has changed what was closed: restore the OLAP from a backup, or "
            "reopen it (`python -m pipeline close --reopen`), run `{command}`, and close it anew"
        ).format(command=_REBUILD)
    if _mendable(findings):
        return _("NOT equal: `{command}` loads and removes what it must").format(
            command=_remedy(findings)
        )
    return _("NOT right: `{command}` replays every product from the OLTP").format(
        command=_remedy(findings)
    )
