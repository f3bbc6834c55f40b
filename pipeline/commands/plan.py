"""Say what the next run would carry, reject and revalue; writes nothing."""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.base.text_tables import paint, print_facts, print_table
from pipeline.commands.manual import Manual, add_all_shops, add_json, print_json
from pipeline.run import adjustments, corrections, scope
from pipeline.run.rehearsal import Rehearsal, rehearse
from pipeline.settings import Settings, load_settings
from pipeline.translation import translated as _

MANUAL = Manual(
    does="Rehearses the next run for real, and takes it back: which window is due, and what it "
    "would carry, reject, revalue and book as a correction of what is closed, of how many "
    "products the stock would newly not be the shop's own, and what would be booked to make it so.",
    reads="the OLTP, the OLAP and the state folder.",
    changes="nothing: the load is rolled back. Meanwhile it holds the OLAP's lock, as a run does.",
    exits={0: "the run would load", 1: "a guard would hold it, or a failure"},
    examples=("python -m pipeline plan", "python -m pipeline plan --json"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    add_json(parser)
    add_all_shops(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read and load the due window for real, and take it back; 1 if a guard would hold it."""
    settings = load_settings()
    plan, booked = _plan(settings)
    if arguments.json:
        print_json(plan)
    else:
        _show(plan, booked)
    return 1 if plan["held"] else 0


def _plan(settings: Settings) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What is due and what would come of it; and what of it would be adjustments."""
    rehearsal = rehearse(settings)
    booked = rehearsal.loaded.counts["ajustes"] if rehearsal.loaded else None
    return _for_machines(rehearsal), booked


def _for_machines(rehearsal: Rehearsal) -> dict[str, Any]:
    extract, pending, held = rehearsal.extract, rehearsal.pending, rehearsal.held
    plan: dict[str, Any] = {
        "pending_window": None if pending is None else pending.label,
        "window": rehearsal.window.label,
        "reads_everything": extract["motivo_completa"],
        "read": extract["archivos"]["movements.csv"]["rows"],
        "held": None if held is None else str(held),
        **scope.for_machines(rehearsal.out_of_scope),
    }
    if rehearsal.loaded is None:
        return plan
    counts = rehearsal.loaded.counts
    # Where it is they that hold it, too.
    plan |= adjustments.for_machines(counts["ajustes"])
    if held is not None:
        return plan
    return plan | {
        "sales": counts["ventas"],
        "receipts": counts["entradas"],
        "new": counts["altas"] - counts["cambiadas"],
        "changed": counts["cambiadas"],
        "removed": counts["retiradas"],
        "same": counts["iguales"],
        "out_of_scope": counts["fuera_de_alcance"],
        "rejected": counts["rechazadas"],
        "reject_reasons": rehearsal.loaded.reasons,
        "products_revalued": counts["productos_tocados"],
        "earlier_movements_revalued": counts["revaluadas"],
        "corrections": corrections.for_machines(_booked(counts)),
        "new_stock_differences": counts["diferencias_nuevas"],
        "costs_changed": counts["referencias_cambiadas"],
    }


def _booked(counts: dict[str, Any]) -> dict[str, Any] | None:
    """What the load would book of closed periods; None if nothing."""
    found = counts["correcciones"]
    return dict(found["carga"]) if found else None


def _show(plan: dict[str, Any], booked: dict[str, Any] | None) -> None:
    facts = [(_("window due"), plan["window"])]
    if plan["pending_window"]:
        facts.append(
            (
                _("unfinished"),
                _("{pending_window} is done first").format(pending_window=plan["pending_window"]),
            )
        )
    if plan["reads_everything"]:
        facts.append((_("reads everything"), plan["reads_everything"]))
    if plan["held"]:
        facts.append((_("would be held"), paint(plan["held"], "red")))
    print_facts(facts)
    if not plan["held"]:
        _show_what_comes(plan)
    if booked:
        adjustments.show(booked)
    scope.show(plan)
    if not plan["held"]:
        print(_("\nnothing was written"))


def _show_what_comes(plan: dict[str, Any]) -> None:
    print()
    print_table(
        [_("would carry"), _("movements")],
        [
            [said, plan[name]]
            for name, said in (
                ("read", _("read")),
                ("sales", _("sales")),
                ("receipts", _("receipts")),
                ("new", _("new")),
                ("changed", _("changed")),
                ("removed", _("removed")),
                ("same", _("same")),
                ("out_of_scope", _("out of scope")),
                ("rejected", _("rejected")),
                ("earlier_movements_revalued", _("earlier movements revalued")),
            )
        ],
    )
    print(
        _("\nproducts valued again: {products_revalued}").format(
            products_revalued=plan["products_revalued"]
        )
    )
    if any(plan["corrections"].values()):
        print(
            _("\nof what is closed, would be booked at its end: {what}").format(
                what=corrections.in_words(plan["corrections"])
            )
        )
    if plan["new_stock_differences"]:
        print(
            _("\nproducts whose stock would newly not be the shop's own: {products}").format(
                products=plan["new_stock_differences"]
            )
        )
    if plan["costs_changed"]:
        print(
            _("\nproducts valued again at another cost of reference: {products}").format(
                products=plan["costs_changed"]
            )
        )
    if plan["reject_reasons"]:
        print()
        print_table([_("reject reason"), _("movements")], sorted(plan["reject_reasons"].items()))
