"""Close the months that were declared, list the closings, open the last one again."""

from __future__ import annotations

import argparse
from datetime import date
from typing import TYPE_CHECKING, Any

from psycopg2.extras import Json

from pipeline import olap
from pipeline.base.database import connect
from pipeline.base.text_tables import print_facts, print_table
from pipeline.commands.manual import Manual, add_json, print_json
from pipeline.errors import InputError
from pipeline.settings import load_settings
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.settings import Settings

MANUAL = Manual(
    does="Closes all up to the end of a day in ETL_TIMEZONE: what is booked before stays as it "
    "is, whatever comes late or is corrected is booked at the first open instant, and what the "
    "OLTP archives stays. Prints the huella of the period, a sha256 that verify computes again. "
    "--list shows the closings, --reopen undoes the last one.",
    reads="the OLAP.",
    changes="the OLAP's closings, in one transaction; with --reopen also what was booked after it.",
    exits={0: "closed, listed or opened again", 1: "refused, or a failure; nothing was changed"},
    examples=(
        "python -m pipeline close 2026-06-30",
        "python -m pipeline close --list",
        'python -m pipeline close --reopen 2026-06-30 --reason "the June invoice of freight"',
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "day", metavar="DAY", nargs="?", help="the last day that is closed: 2026-06-30"
    )
    what.add_argument(
        "--list", action="store_true", help="show the closings, and those that were undone"
    )
    what.add_argument("--reopen", metavar="DAY", help="undo the last closing, which is of this day")
    parser.add_argument("--reason", help="why it is undone; goes with --reopen")
    parser.add_argument(
        "--anyway",
        action="store_true",
        help="close though movements of the period wait as rejects or have a provisional cost",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do it under the lock of the loads. Returns 0; raises InputError where it is refused."""
    settings = load_settings()
    if arguments.list:
        return _list(settings, arguments.json)
    if arguments.reopen is not None:
        if not (arguments.reason or "").strip():
            raise InputError(_("--reopen needs --reason: why the closing is undone"))
        done = _call(
            settings,
            "SELECT etl.reabrir(%s, %s, %s, %s)",
            (_day(arguments.reopen), arguments.reason, settings.timezone),
        )
    else:
        done = _call(
            settings,
            "SELECT etl.cerrar(%s, %s, %s, %s)",
            (_day(arguments.day), settings.timezone),
            arguments.anyway,
        )
    if arguments.json:
        print_json(done)
        return 0
    print_facts(
        [
            (_("closed up to") if arguments.day else _("open again"), done["dia"]),
            (_("movements"), str(done["movimientos"])),
            (_("stock"), str(done["existencias"])),
            (_("value"), str(done["valor"])),
            ("huella", done["huella"]),
        ]
    )
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            _("{text} is not a day; write it as 2026-06-30").format(text=text)
        ) from error


def _call(settings: Settings, query: str, first: tuple[Any, ...], *last: Any) -> dict[str, Any]:
    with connect(settings.olap, "close") as connection:
        done = olap.call(connection, query, (*first, Json(olap.options(settings)), *last))
        connection.commit()
    return dict(done)


def _list(settings: Settings, as_json: bool) -> int:
    with connect(settings.olap, "close", read_only=True) as connection:
        closings = olap.call(connection, "SELECT etl.cierres()")
    if as_json:
        print_json(closings)
        return 0
    print_table(
        [_("day"), _("movements"), _("stock"), _("value"), "huella", _("undone")],
        [
            [
                row["dia"],
                str(row["movimientos"]),
                str(row["existencias"]),
                str(row["valor"]),
                row["huella"],
                row.get("motivo") or "",
            ]
            for row in closings
        ],
    )
    return 0
