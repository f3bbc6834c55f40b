"""Close the months that were declared, list the closings, open the last one again."""

from __future__ import annotations

import argparse
import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from psycopg2.extras import Json

from pipeline import olap
from pipeline.base.database import connect
from pipeline.base.text_tables import cell_text, print_facts, print_table
from pipeline.commands.manual import Manual, add_json, print_json
from pipeline.errors import InputError
from pipeline.oltp.queries import load_query
from pipeline.oltp.reads import how_many_of
from pipeline.run.scope import day
from pipeline.settings import load_settings
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.settings import Settings

MANUAL = Manual(
    does="Closes all up to the end of a day in ETL_TIMEZONE: what is booked before stays as it "
    "is, whatever comes late or is corrected is booked at the first open instant, and what the "
    "OLTP archives stays. Prints the huella of the period, a sha256 that verify computes again. "
    "--list shows the closings, --reopen undoes the last one.",
    reads="the OLAP; with --reopen also the OLTP's movements.",
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
        help="close though movements of the period wait as rejects or have a provisional cost; "
        "reopen though the OLTP has some of it no more",
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
        if not arguments.anyway:
            _refuse_purged(settings, _day(arguments.reopen))
        done = _call(
            settings,
            "SELECT etl.reabrir(%s, %s, %s, %s)::text",
            (_day(arguments.reopen), arguments.reason, settings.timezone),
        )
    else:
        done = _call(
            settings,
            "SELECT etl.cerrar(%s, %s, %s, %s)::text",
            (_day(arguments.day), settings.timezone),
            arguments.anyway,
        )
        if "hasta" not in done:
            raise _refused(done, arguments)
    if arguments.json:
        print_json(_numbers(done))
        return 0
    waiting = [
        (name, f"{done[key]:,}")
        for key, name in (
            ("rechazos", _("rejects of it")),
            ("provisionales", _("provisional costs")),
        )
        if done.get(key)
    ]
    print_facts(
        [
            (_("closed up to") if arguments.day else _("open again"), done["dia"]),
            (_("movements"), f"{done['movimientos']:,}"),
            (_("stock"), cell_text(Decimal(done["existencias"]))),
            (_("value"), f"{done['valor']:,.2f}"),
            *waiting,
            ("huella", done["huella"]),
        ]
    )
    return 0


def _refuse_purged(settings: Settings, closed: date) -> None:
    """What the OLTP has no more is only kept while it is closed: a full read would take it out."""
    with connect(settings.olap, "close", read_only=True) as analytical:
        booked = olap.call(analytical, "SELECT etl.movimientos_del_cierre(%s)", (closed,))
    with connect(settings.oltp, "close", read_only=True) as shop:
        query = load_query(shop, settings, "movimientos")
        there = olap.call(shop, how_many_of(query, booked))
    if len(booked) > there:
        raise InputError(
            _(
                "the OLTP has {purged} of the {booked} movements of this period no more: open "
                "again, they would leave the ledger with the next read of everything; nothing was "
                "changed; put them back in the shop, or give --anyway"
            ).format(purged=len(booked) - there, booked=len(booked))
        )


def _refused(found: dict[str, Any], arguments: argparse.Namespace) -> InputError:
    """What of the day's period waits, listed but for machines, and what to do about it."""
    if not arguments.json:
        print_table(
            [_("movement"), _("type"), _("product"), _("date"), _("reason")],
            [
                [
                    *(row[name] for name in ("id_movimiento", "tipo", "id_producto")),
                    row["fecha"] and day(row["fecha"]),
                    row["motivo"],
                ]
                for row in found["esperan"]
            ],
        )
        print()
    return InputError(
        _(
            "of what {day} closes, {rejects} movements wait as rejects and {provisional} sales "
            "have a provisional cost; nothing was changed; correct them in the shop, and the next "
            "run takes them in, or give --anyway to close it as it is"
        ).format(day=arguments.day, rejects=found["rechazos"], provisional=found["provisionales"])
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            _("{text} is not a day; write it as 2026-06-30").format(text=text)
        ) from error


def _call(settings: Settings, query: str, first: tuple[Any, ...], *last: Any) -> dict[str, Any]:
    """What a function gives, fractions as Decimals."""
    with connect(settings.olap, "close") as connection:
        done = olap.call(connection, query, (*first, Json(olap.options(settings)), *last))
        connection.commit()
    return dict(json.loads(done, parse_float=Decimal))


def _list(settings: Settings, as_json: bool) -> int:
    with connect(settings.olap, "close", read_only=True) as connection:
        found = olap.call(connection, "SELECT etl.cierres()::text")
    closings = json.loads(found, parse_float=Decimal)
    if as_json:
        print_json({"closings": [_numbers(row) for row in closings]})
        return 0
    if not closings:
        print(_("nothing is closed"))
        return 0
    values = [f"{row['valor']:,.2f}" for row in closings]
    width = max(map(len, values))
    print_table(
        [_("day"), _("closed"), _("movements"), _("stock"), _("value"), _("undone"), "huella"],
        [
            [
                row["dia"],
                day(row["cerrado"]),
                row["movimientos"],
                Decimal(row["existencias"]),
                value.rjust(width),
                row.get("motivo"),
                row["huella"],
            ]
            for row, value in zip(closings, values, strict=True)
        ],
    )
    return 0


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    """Numbers, where a Decimal would become a string."""
    return dict(json.loads(json.dumps(row, default=float)))
