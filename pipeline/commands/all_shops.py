"""One command for all shops of ETL_SHOPS_DIR: a line a shop, the worst first."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

from pipeline.base.text_tables import paint, print_table
from pipeline.commands.manual import print_json
from pipeline.errors import InputError, PipelineError
from pipeline.settings import shops, state_of_all
from pipeline.state.round import read_note
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

# By command: the columns, and from its JSON whether the shop is well, how bad it is (the greater
# the worse), and a cell a column.
_Told = tuple[bool, float, list[Any]]
_Line = Callable[[dict[str, Any]], _Told]


def _status(told: dict[str, Any]) -> _Told:
    well = not told["held"] and not told["pending_window"] and told["last_run"] is not None
    waiting = sum(told["rejects"].values())
    cells = [told["last_run"], told["pending_window"], waiting, told["stock_value"]]
    return well, waiting, [*cells, told["held"]]


def _doctor(told: dict[str, Any]) -> _Told:
    first = next((f for f in told["findings"] if f["state"] == "error"), None)
    said = f"{first['what']}: {first['found']}" if first else None
    cells = [told["errors"], told["warnings"], said]
    return told["healthy"], told["errors"] * 1e6 + told["warnings"], cells


def _verify(told: dict[str, Any]) -> _Told:
    counts = [len(told[name]) for name in ("missing", "extra", "different", "books")]
    return told["clean"], sum(counts), [told["compared"], *counts]


def _plan(told: dict[str, Any]) -> _Told:
    cells = [told["window"], told["read"], told.get("rejected"), told["held"]]
    return not told["held"], told.get("rejected") or 0, cells


def _rejects(told: dict[str, Any]) -> _Told:
    rows = told["rejects"]
    return not rows, len(rows), [len(rows), rows[0]["motivo"] if rows else None]


_LINES: dict[str, tuple[list[str], _Line]] = {
    "status": (
        [N_("last run"), N_("pending"), N_("rejected"), N_("stock worth"), N_("held by")],
        _status,
    ),
    "doctor": ([N_("errors"), N_("warnings"), N_("the first")], _doctor),
    "verify": (
        [N_("compared"), N_("missing"), N_("extra"), N_("different"), N_("ledgers")],
        _verify,
    ),
    "plan": ([N_("window due"), N_("read"), N_("rejected"), N_("would be held")], _plan),
    "rejects": ([N_("rejected"), N_("reason of the oldest")], _rejects),
}


def run(ask: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Ask each shop as `ask` does for one, and show a line of each; 1 if any is not well.

    A shop that cannot be asked is the worst, and stops no other. Raises SettingsError where there
    are no shops.
    """
    if getattr(arguments, "repair", False):
        raise InputError(_("--repair mends one shop: give --shop NAME in place of --all-shops"))
    columns, line = _LINES[arguments.command]
    found = [_ask(name, fault, ask, arguments, line) for name, fault in shops.listed().items()]
    found.sort(key=lambda shop: (shop["well"], not shop["failure"], -shop["worse"], shop["shop"]))
    well = all(shop["well"] for shop in found)
    if arguments.json:
        left_out = ("cells", "worse")
        told = [{k: v for k, v in shop.items() if k not in left_out} for shop in found]
        print_json({"well": well, "shops": told})
    else:
        _show(columns, found)
    return 0 if well else 1


def _ask(
    name: str,
    fault: str | None,
    ask: Callable[[argparse.Namespace], int],
    arguments: argparse.Namespace,
    line: _Line,
) -> dict[str, Any]:
    """What one shop says; `failure` is why it says nothing, or failed in this machine's round."""
    shop: dict[str, Any] = {"shop": name, "well": False, "failure": fault, "worse": 0, "cells": []}
    if fault:
        return shop
    said = io.StringIO()
    try:
        with shops.in_shop(name), redirect_stdout(said):
            ask(argparse.Namespace(**{**vars(arguments), "json": True}))
    except PipelineError as refused:
        return shop | {"failure": str(refused)}
    told: dict[str, Any] = json.loads(said.getvalue())
    well, worse, cells = line(told)
    note = read_note(state_of_all(), name) if arguments.command == "status" else None
    failure = note.failure if note else None
    well = well and failure is None
    return shop | {"well": well, "failure": failure, "worse": worse, "cells": cells} | told


def _show(columns: list[str], found: list[dict[str, Any]]) -> None:
    width = len(columns)
    print_table(
        [_("shop"), "", *map(_, columns), _("failure")],
        [
            [
                shop["shop"],
                _("well") if shop["well"] else _("NOT well"),
                *(shop["cells"] or [None] * width),
                shop["failure"],
            ]
            for shop in found
        ],
        [None if shop["well"] else "red" for shop in found],
    )
    bad = sum(not shop["well"] for shop in found)
    told = _("{bad} of {shops} shops are not well").format(bad=bad, shops=len(found))
    print(f"\n{paint(told, 'red' if bad else 'green')}")
