"""How the runs are doing: the last one's age, a window left behind, what could not be valued."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline import olap
from pipeline.doctor import clocks
from pipeline.doctor.findings import Finding, refused
from pipeline.errors import PipelineError
from pipeline.run import scope
from pipeline.run.due import find_pending
from pipeline.state.request import what_holds
from pipeline.state.window import windows_in

if TYPE_CHECKING:
    from pipeline.doctor.sides import Side

_OLD = timedelta(days=2)
_MOST_TYPES = 5
# The tolerance of a run, which refuses to start beyond it (due.py).
_FUTURE = timedelta(seconds=60)
_RUN = "luigi --module pipeline RunDue"


def last_run(control: olap.Control, side: Side) -> Iterator[Finding]:
    """When the last window ended, beside this machine's clock."""
    del side
    last = olap.last_run(control)
    if last is None:
        yield Finding("warning", "last run", "none yet", f"run `{_RUN} --local-scheduler`")
        return
    age = clocks.local_time() - last
    found = f"{last.isoformat()}, {_words(age)} ago"
    if age < -_FUTURE:
        yield Finding(
            "error",
            "last run",
            f"{last.isoformat()} has not come yet by this machine's clock",
            "set the clock right: no run starts before",
        )
    elif age > _OLD:
        yield Finding("warning", "last run", found, f"look at cron and at the log of `{_RUN}`")
    else:
        yield Finding("ok", "last run", found)


def _words(age: timedelta) -> str:
    hours = max(age, timedelta()) / timedelta(hours=1)
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"


def unfinished_window(control: olap.Control, side: Side) -> Iterator[Finding]:
    """A window that began and has no marker: it is under way, or a run failed in it."""
    state = side.settings.state_dir
    loaded = olap.loaded_windows(side.settings, windows_in(state))
    pending = find_pending(side.settings, control, loaded)
    if pending is None:
        yield Finding("ok", "unfinished window", "none")
        return
    cause = what_holds(side.settings, pending)
    if cause is None:
        yield Finding(
            "warning",
            "unfinished window",
            pending.label,
            f"the next `{_RUN}` resumes it, unless one is at it now; its log says why it stopped",
        )
    else:
        held = PipelineError(f"{pending.label} is held: {cause}")
        yield refused("unfinished window", held, f"the next `{_RUN}` tries again")


def rejects(side: Side) -> Iterator[Finding]:
    """Movements that wait to become valid, by reason."""
    reasons: dict[str, int] = olap.call(side.connection, "SELECT etl.motivos_de_rechazo()")
    if not reasons:
        yield Finding("ok", "rejects", "none")
        return
    listed = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
    yield Finding(
        "warning",
        "rejects",
        f"{sum(reasons.values())} movements wait to become valid ({listed})",
        "`python -m pipeline rejects` lists them: correct them in the shop",
    )


def out_of_scope(side: Side) -> Iterator[Finding]:
    """Movements that no run carries, though nobody meant them to stay out."""
    state = olap.call(side.connection, "SELECT etl.resumir_fuera_de_alcance()")
    found = scope.type_words(state["tipos"][:_MOST_TYPES])
    if len(state["tipos"]) > _MOST_TYPES:
        found.append(f"and {len(state['tipos']) - _MOST_TYPES} more types")
    if state["ejemplos"]:
        last = state["ejemplos"][0]
        found.append(
            f"{state['fechas']} dated before the initial date or an opening, such as movement "
            f"{last['id_movimiento']} of {scope.day(last['fecha'])}"
        )
    if not found:
        yield Finding("ok", "out of scope", "nothing that was not meant to be")
        return
    yield Finding(
        "warning",
        "out of scope",
        ", ".join(found),
        "correct them in the shop, or void them; `python -m pipeline status` lists them",
    )
