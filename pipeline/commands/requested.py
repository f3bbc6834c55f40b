"""What verify --repair and rebuild share: they say what would go, and then run it as a window."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.base.retry import with_retries
from pipeline.base.text_tables import paint, print_facts
from pipeline.run.rehearsal import Rehearsal, rehearse
from pipeline.tasks.requested_run import run_requested
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.state.request import Request
    from pipeline.state.window import Window


def add_accept_source(parser: argparse.ArgumentParser) -> None:
    """The option that lets what a guard named pass once."""
    parser.add_argument(
        "--accept-source",
        metavar="ID",
        default="",
        help="let it remove and replace as much as the guard said, which named this ID",
    )


def carry_out(
    settings: Settings,
    request: Request,
    accept_source: str,
    tell: Callable[[dict[str, Any]], None],
) -> Window:
    """Rehearse the request, `tell` what would go, then run it; the window.

    Raises the GuardError or DataError that would hold it, before anything is written or asked
    of the next run; and what run_requested() raises.
    """
    rehearsal = with_retries(lambda: rehearse(settings, request, accept_source))
    tell(_would(rehearsal))
    if rehearsal.held is not None:
        raise rehearsal.held
    return run_requested(settings, request, accept_source)


def _would(rehearsal: Rehearsal) -> dict[str, Any]:
    would: dict[str, Any] = {"held": None if rehearsal.held is None else str(rehearsal.held)}
    if rehearsal.loaded is not None:
        before, after = rehearsal.loaded.before, rehearsal.loaded.after
        would |= {
            "removed": int(after["quitadas"]),
            "replaced": int(after["reemplazadas"]),
            "first": after["primera"],
            "last": after["ultima"],
            "stock_before": float(before["existencias"]),
            "stock_after": float(after["existencias"]),
            "value_before": float(before["valor"]),
            "value_after": float(after["valor"]),
        }
    return would


def show_would(would: dict[str, Any]) -> None:
    """Print what carry_out() tells."""
    facts = []
    if "removed" in would:
        rows = _("{removed} movements, would replace {replaced}").format(
            removed=would["removed"], replaced=would["replaced"]
        )
        if would["first"]:
            rows += _(", dated {first} to {last}").format(
                first=_day(would["first"]), last=_day(would["last"])
            )
        facts = [
            (_("would remove"), rows),
            (
                _("stock"),
                _change(would, "stock"),
            ),
            (
                _("stock value"),
                _change(would, "value"),
            ),
        ]
    if would["held"]:
        facts.append((_("would be held"), paint(would["held"], "red")))
    print_facts(facts)


def _change(would: dict[str, Any], what: str) -> str:
    return _("{before:,.2f}, then {after:,.2f}").format(
        before=would[f"{what}_before"], after=would[f"{what}_after"]
    )


def _day(moment: str) -> str:
    # As the session's zone, which is ETL_TIMEZONE, wrote it.
    return datetime.fromisoformat(moment).date().isoformat()
