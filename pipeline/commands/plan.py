"""Say what the next run would carry, reject and revalue; writes nothing."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pipeline import olap
from pipeline.commands.face import Manual, add_json, print_json
from pipeline.database import connect
from pipeline.due import find_pending, first_start
from pipeline.errors import DataError, GuardError, StateError
from pipeline.extract import read_oltp
from pipeline.load import READS, load_files
from pipeline.requests import Request, read_request
from pipeline.retry import with_or_without_workers
from pipeline.settings import load_settings
from pipeline.tables import paint, print_facts, print_table
from pipeline.window import Window, whole_second, windows_in

if TYPE_CHECKING:
    from pipeline.settings import Settings

MANUAL = Manual(
    does="Rehearses the next run for real, and takes it back: which window is due, and what it "
    "would carry, reject and revalue.",
    reads="the OLTP, the OLAP and the state folder.",
    changes="nothing: the load is rolled back. Meanwhile it holds the OLAP's lock, as a run does.",
    exits={0: "the run would load", 1: "a guard would hold it, or a failure"},
    examples=("python -m pipeline plan", "python -m pipeline plan --json"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read and load the due window for real, and take it back; 1 if a guard would hold it."""
    settings = load_settings()
    plan = _plan(settings)
    if arguments.json:
        print_json(plan)
    else:
        _show(plan)
    return 1 if plan["held"] else 0


def _plan(settings: Settings) -> dict[str, Any]:
    """What is due and what would come of it, again where a run loads in between."""
    for _ in range(READS):
        pending, window = _due(settings)
        outcome = _rehearse(settings, window, pending)
        if outcome is not None:
            return {
                "pending_window": None if pending is None else pending.label,
                "window": window.label,
            } | outcome
    raise StateError(f"other runs changed the OLAP during {READS} reads; run plan again")


def _due(settings: Settings) -> tuple[Window | None, Window]:
    """The unfinished window if it has yet to be loaded, and what is due with it."""
    control = olap.read_control(settings)
    loaded = olap.loaded_windows(settings, windows_in(settings.state_dir))
    pending = find_pending(settings, control, loaded)
    if pending in loaded:
        # Only its views or its marker are missing.
        pending = None
    now = whole_second(datetime.now(UTC))
    start = pending.desde if pending else olap.last_run(control) or first_start(settings, now)
    return pending, Window(start, max(now, start))


def _rehearse(settings: Settings, window: Window, pending: Window | None) -> dict[str, Any] | None:
    """The counts of a load that is rolled back; None if another run loaded meanwhile."""
    request = Request() if pending is None else read_request(settings, pending)
    with TemporaryDirectory(prefix="pipeline-plan-") as name:
        extract, _ = read_oltp(settings, window, request, Path(name))
        plan: dict[str, Any] = {
            "reads_everything": extract["motivo_completa"],
            "read": extract["archivos"]["movements.csv"]["rows"],
            "held": None,
        }
        try:
            load = partial(_load_and_take_back, settings, window, extract, Path(name))
            verdict, counts, reasons = with_or_without_workers(load)
        except (DataError, GuardError) as error:
            return plan | {"held": str(error)}
    if verdict != "cargar":
        return None
    return plan | {
        "sales": counts["ventas"],
        "receipts": counts["entradas"],
        "new": counts["altas"] - counts["cambiadas"],
        "changed": counts["cambiadas"],
        "removed": counts["retiradas"],
        "same": counts["iguales"],
        "out_of_scope": counts["fuera_de_alcance"],
        "rejected": counts["rechazadas"],
        "reject_reasons": reasons,
        "products_revalued": counts["productos_tocados"],
        "earlier_movements_revalued": counts["revaluadas"],
    }


def _load_and_take_back(
    settings: Settings, window: Window, extract: dict[str, Any], folder: Path, workers: bool
) -> tuple[str, dict[str, int], Any]:
    """The verdict, the counts, and how many movements are rejected for which reason."""
    with connect(settings.olap, settings.timezone, "plan", workers=workers) as connection:
        verdict, counts = load_files(connection, settings, window, extract, folder)
        reasons = olap.call(connection, "SELECT etl.motivos_de_rechazo()")
        connection.rollback()
    return verdict, counts, reasons


def _show(plan: dict[str, Any]) -> None:
    facts = [("window due", plan["window"])]
    if plan["pending_window"]:
        facts.append(("unfinished", f"{plan['pending_window']} is done first"))
    if plan["reads_everything"]:
        facts.append(("reads everything", plan["reads_everything"]))
    if plan["held"]:
        facts.append(("would be held", paint(plan["held"], "red")))
    print_facts(facts)
    if plan["held"]:
        return
    print()
    print_table(
        ["would carry", "movements"],
        [
            [name.replace("_", " "), plan[name]]
            for name in (
                "read",
                "sales",
                "receipts",
                "new",
                "changed",
                "removed",
                "same",
                "out_of_scope",
                "rejected",
                "earlier_movements_revalued",
            )
        ],
    )
    print(f"\nproducts valued again: {plan['products_revalued']}")
    if plan["reject_reasons"]:
        print()
        print_table(["reject reason", "movements"], sorted(plan["reject_reasons"].items()))
    print("\nnothing was written")
