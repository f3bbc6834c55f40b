"""Look at the shop's queries as they are now, before anything is carried; writes nothing."""

from __future__ import annotations

import argparse
from itertools import groupby
from operator import itemgetter
from typing import Any

from pipeline.base.text_tables import print_facts, print_table
from pipeline.commands import adapt_detect
from pipeline.commands.manual import Manual, add_json, print_json
from pipeline.errors import InputError
from pipeline.oltp.adapting import PRODUCTS, ROWS
from pipeline.oltp.recipes import drafted
from pipeline.run.adapt import look_at_queries
from pipeline.run.scope import shown, type_words
from pipeline.settings import load_settings
from pipeline.translation import translated as _
from pipeline.translation.stored import worded

MANUAL = Manual(
    does="Looks at the shop's queries as they are now, for whoever adapts them: of each type how "
    "many movements there are, their dates, quantities, prices and costs, and the last rows; what "
    "would be rejected and why; products that productos.sql does not yield; types out of scope; "
    "ids that are not unique or do not grow; versions that never move; and the totals of last "
    "month, in which the owner should know the shop. "
    "With --detect it looks at the database itself instead, before there are any queries: which of "
    "the systems that recipes are shipped for it is, of which version, and the settings for it; "
    "else what each column of the queries may be made of, and why.",
    reads="the OLTP, all that the queries yield, in one snapshot; of the OLAP, which init has "
    "made, types, initial date and openings. With --detect the OLTP alone, as OLTP_ADMIN_USER "
    "where that is set: its catalogue, what tells the system's version, and some rows of the "
    "tables that may hold movements.",
    changes="nothing; with --output the files of a draft in a folder that is new or empty. No run "
    "uses them while their first line is there.",
    exits={
        0: "shown, whatever was found",
        1: "a query does not keep the contract, or another failure; with --detect a version that "
        "its recipe was not tried with, or nothing that looks like movements",
    },
    examples=(
        "python -m pipeline adapt",
        "python -m pipeline adapt --json",
        "python -m pipeline adapt --detect",
        "python -m pipeline adapt --detect --output borrador",
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--detect",
        action="store_true",
        help="say of which system the OLTP is, or what queries for it may be made of",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        help="with --detect: write a draft of the queries into that folder",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look, and show it."""
    if arguments.detect:
        return adapt_detect.run(arguments)
    if arguments.output:
        raise InputError(_("--output is for --detect alone. Nothing was written"))
    settings = load_settings()
    found = {**look_at_queries(settings), "draft": drafted(settings)}
    if arguments.json:
        print_json(found)
    else:
        _show(found)
    return 0


def _show(found: dict[str, Any]) -> None:
    ids = found["ids"]
    print_facts(
        [
            (_("movements"), ids["movements"]),
            (_("products"), found["products"]),
            (_("branches"), found["branches"]),
            (_("counts since"), found["since"]),
            *([(_("draft"), _draft_words(found["draft"]))] if found["draft"] else []),
            (_("ids"), "; ".join(_id_words(ids))),
            (_("versions"), "; ".join(found["versions"]) or _("move with each row")),
            (
                _("out of scope"),
                "; ".join(
                    type_words(
                        {"tipo": t["type"], "movimientos": t["movements"]}
                        for t in found["unknown_types"]
                    )
                )
                or _("no type"),
            ),
        ]
    )
    _show_types(found["types"])
    _show_faults(found)
    print(
        _("\nwhat counts of {month}, by what it is understood as").format(month=found["last_month"])
    )
    print_table(
        [_("type"), _("movements"), _("quantity"), _("amount")],
        [[r["tipo"], r["movimientos"], r["cantidad"], r["importe"]] for r in found["month"]],
    )
    _show_samples(found["samples"])
    print(_("\nnothing was written"))


def _draft_words(files: list[str]) -> str:
    return _("{files}: no run uses it until you delete its first line").format(
        files=", ".join(files)
    )


def _id_words(ids: dict[str, Any]) -> list[str]:
    said = []
    if ids["without_id"]:
        said.append(_("{rows} rows without one").format(rows=ids["without_id"]))
    if ids["repeated"]:
        twice = ", ".join(f"{row['id']} ({row['rows']})" for row in ids["repeated"])
        said.append(_("several rows have one: {twice}").format(twice=twice))
    lower = ids["lower_than_an_earlier_day"]
    if lower:
        said.append(
            _(
                "{lower} are lower than one of an earlier day: typed late, or do they begin anew?"
            ).format(lower=lower)
        )
    if not said:
        said.append(_("unique") if lower is None else _("unique, and they grow with the days"))
    return said


def _show_types(types: list[dict[str, Any]]) -> None:
    print(_("\nby type, as the query yields them"))
    print_table(
        [
            *(_("type"), _("movements"), _("count"), _("wait"), _("void"), _("too early")),
            *(_("first"), _("last"), _("without date")),
        ],
        [
            [
                shown(row["tipo"]),
                *(row[name] for name in ("movimientos", "cuentan", "rechazados", "anulados")),
                *(row[name] for name in ("anteriores", "primera", "ultima", "sin_fecha")),
            ]
            for row in types
        ],
    )
    print(_("\nleast, most, and how many are null"))
    print_table(
        [_("type"), *(t for n in (_("quantity"), _("price"), _("cost")) for t in (n, "…", "null"))],
        [
            [
                shown(row["tipo"]),
                *(
                    row[name]
                    for what in ("cantidad", "precio", "costo")
                    for name in (f"{what}_menor", f"{what}_mayor", f"sin_{what}")
                ),
            ]
            for row in types
        ],
    )


def _show_faults(found: dict[str, Any]) -> None:
    if found["rejects"]:
        print(_("\nwould wait as rejects"))
        print_table(
            [_("type"), _("reason"), _("movements"), _("such as")],
            [
                [r["tipo"], worded(r["motivo"]), r["movimientos"], r["ejemplo"]]
                for r in found["rejects"]
            ],
        )
    if products := found["unknown_products"]:
        print(
            _("\nproducts that productos.sql does not yield: {total}").format(
                total=products[0]["en_total"]
            )
        )
        print_table(
            [_("product"), _("movements"), _("such as")],
            [[r["id_producto"], r["movimientos"], r["ejemplo"]] for r in products[:PRODUCTS]],
        )


def _show_samples(samples: list[dict[str, Any]]) -> None:
    for name, rows in groupby(samples, itemgetter("tipo")):
        print(_("\nthe last {number} of {type}").format(number=ROWS, type=shown(name)))
        print_table(
            [
                *(_("movement"), _("product"), _("branch"), _("quantity"), _("price"), _("cost")),
                *(_("date"), _("void")),
            ],
            [
                [
                    *(r[n] for n in ("id_movimiento", "id_producto", "id_sucursal", "cantidad")),
                    *(r[n] for n in ("precio_unitario", "costo_unitario", "fecha")),
                    _("yes") if r["anulado"] else None,
                ]
                for r in rows
            ],
        )
