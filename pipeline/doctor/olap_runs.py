"""How the runs are doing: the last one's age, a window left behind, what could not be valued."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline import olap
from pipeline.doctor import clocks
from pipeline.doctor.findings import Finding, refused
from pipeline.errors import PipelineError
from pipeline.olap.names import called
from pipeline.run import scope
from pipeline.run.due import find_pending
from pipeline.run.tax import SAY_IT, UNSAID
from pipeline.settings.moments import in_zone
from pipeline.state.request import what_holds
from pipeline.state.window import windows_in
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.doctor.sides import Side

_OLD = timedelta(days=2)
_MOST_TYPES = 5
_MANY = 0.1  # of the products that are sold
# The tolerance of a run, which refuses to start beyond it (due.py).
_FUTURE = timedelta(seconds=60)
_RUN = "luigi --module pipeline RunDue"


def last_run(control: olap.Control, side: Side) -> Iterator[Finding]:
    """When the last window ended, beside this machine's clock."""
    zone = side.settings.timezone
    last = olap.last_run(control)
    if last is None:
        yield Finding(
            "warning",
            _("last run"),
            _("none yet"),
            _("run `{run} --local-scheduler`").format(run=_RUN),
        )
        return
    age = clocks.local_time() - last
    found = _("{moment}, {age} ago").format(moment=in_zone(last, zone), age=_words(age))
    if age < -_FUTURE:
        yield Finding(
            "error",
            _("last run"),
            _("{last} has not come yet by this machine's clock").format(last=in_zone(last, zone)),
            _("set the clock right: no run starts before"),
        )
    elif age > _OLD:
        yield Finding(
            "warning",
            _("last run"),
            found,
            _("look at cron and at the log of `{run}`").format(run=_RUN),
        )
    else:
        yield Finding("ok", _("last run"), found)


def _words(age: timedelta) -> str:
    hours = max(age, timedelta()) / timedelta(hours=1)
    if hours >= 48:
        return _("{days:.1f} days").format(days=hours / 24)
    return _("{hours:.1f} hours").format(hours=hours)


def unfinished_window(control: olap.Control, side: Side) -> Iterator[Finding]:
    """A window that began and has no marker: it is under way, or a run failed in it."""
    state = side.settings.state_dir
    loaded = olap.loaded_windows(side.settings, windows_in(state))
    pending = find_pending(side.settings, control, loaded)
    if pending is None:
        yield Finding("ok", _("unfinished window"), _("none"))
        return
    cause = what_holds(side.settings, pending)
    if cause is None:
        yield Finding(
            "warning",
            _("unfinished window"),
            pending.label,
            _(
                "the next `{run}` resumes it, unless one is at it now; its log says why it stopped"
            ).format(run=_RUN),
        )
    else:
        held = PipelineError(_("{label} is held: {cause}").format(label=pending.label, cause=cause))
        yield refused(
            _("unfinished window"), held, _("the next `{run}` tries again").format(run=_RUN)
        )


def rejects(side: Side) -> Iterator[Finding]:
    """Movements that wait to become valid, by reason."""
    reasons: dict[str, int] = olap.call(side.connection, "SELECT etl.motivos_de_rechazo()")
    if not reasons:
        yield Finding("ok", _("rejects"), _("none"))
        return
    listed = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
    yield Finding(
        "warning",
        _("rejects"),
        _("{reasons} movements wait to become valid ({listed})").format(
            reasons=sum(reasons.values()), listed=listed
        ),
        _("`python -m pipeline rejects` lists them: correct them in the shop"),
    )


def receipts(side: Side) -> Iterator[Finding]:
    """Products that are sold and that nothing ever brought in: no cost, and a stock below zero."""
    found = olap.call(side.connection, "SELECT etl.vendidos_sin_entradas()")
    if not found["sin_entradas"]:
        yield Finding("ok", _("what comes in"), _("of each product that is sold"))
        return
    without = _("{sin_entradas} of the {vendidos} products that are sold").format(**found)
    if found["sin_entradas"] < found["vendidos"] * _MANY:
        yield Finding("ok", _("what comes in"), _("of all but {products}").format(products=without))
        return
    yield Finding(
        "warning",
        _("what comes in"),
        _(
            "{products}, such as {ejemplo}, have no opening, receipt or count: their stock is "
            "below zero, and they cost nothing"
        ).format(products=without, ejemplo=found["ejemplo"]),
        _(
            "look at what movimientos.sql reads of receipts, or give what there was: "
            "`python -m pipeline opening FILE`"
        ),
    )


def branch_counts(side: Side) -> Iterator[Finding]:
    """Counts by branch of what comes in without one: the differences that they find are none."""
    found = olap.call(side.connection, "SELECT etl.conteos_sin_entradas()")
    if not found["productos"]:
        yield Finding("ok", _("counts by branch"), _("none of what comes in without a branch"))
        return
    yield Finding(
        "warning",
        _("counts by branch"),
        _(
            "{products} products, such as {product}, come in without a branch and are sold and "
            "counted in branches: what those counts find is no difference"
        ).format(products=found["productos"], product=found["ejemplo"]),
        _(
            "give their receipts a branch, or transfer them (TRASLADO), or count them without a "
            "branch"
        ),
    )


def adjustments(control: olap.Control, side: Side) -> Iterator[Finding]:
    """Whether what is not the shop's own stock is booked; a shop that only reports passes by."""
    if side.settings.stock_differences != "adjust":
        return
    booked = _("{adjustments} booked").format(adjustments=control["ajustes"])
    if olap.last_run(control) is not None and control["existencias"] is None:
        yield Finding(
            "warning",
            _("adjustments"),
            _("{booked}; no window reads existencias.sql, without which none is").format(
                booked=booked
            ),
            _("write existencias.sql, or set ETL_STOCK_DIFFERENCES=report"),
        )
    elif not control["ajusta"]:
        yield Finding(
            "warning",
            _("adjustments"),
            _("{booked}; the next window that would book any asks first").format(booked=booked),
            _(
                "look at `python -m pipeline plan`; if it is right: `{run} --local-scheduler "
                "--accept-adjustments`"
            ).format(run=_RUN),
        )
    else:
        yield Finding("ok", _("adjustments"), booked)


def prices(side: Side) -> Iterator[Finding]:
    """A rate that nobody said; net prices, from which the policy's tax is taken off once more."""
    found = olap.call(side.connection, "SELECT etl.impuesto_de_los_precios()")
    rate = Decimal(str(found["tasa"]))
    own, within = side.settings.oltp_sql_dir, side.settings.prices_include_tax
    if within and not found["dicho"]:
        yield Finding("warning", _("tax of prices"), _(UNSAID), _(SAY_IT))
        return
    if not (own and within and rate and found["vendidos"]) or found["lo_dicen"]:
        yield Finding("ok", _("tax of prices"), _("taken off where it is within"))
        return
    yield Finding(
        "warning",
        _("tax of prices"),
        _(
            "ETL_PRICES_INCLUDE_TAX is true, and no line of movimientos.sql says otherwise: the "
            "tax of dw.politica_precio, up to {rate} %, is taken off every price"
        ).format(rate=f"{rate * 100:f}".rstrip("0").rstrip(".")),
        _(
            "if the prices are net, set ETL_PRICES_INCLUDE_TAX=false; if they have it within, let "
            "movimientos.sql say so: true AS precio_con_impuesto"
        ),
    )


def out_of_scope(side: Side) -> Iterator[Finding]:
    """Movements that no run carries, though nobody meant them to stay out."""
    state = olap.call(side.connection, "SELECT etl.resumir_fuera_de_alcance()")
    found = scope.type_words(state["tipos"][:_MOST_TYPES])
    if len(state["tipos"]) > _MOST_TYPES:
        found.append(_("and {tipos} more types").format(tipos=len(state["tipos"]) - _MOST_TYPES))
    if state["ejemplos"]:
        last = state["ejemplos"][0]
        found.append(
            _(
                "{fechas} dated before the initial date or an opening, such as movement "
                "{id_movimiento} of {scope}"
            ).format(
                fechas=state["fechas"],
                id_movimiento=called(last),
                scope=scope.day(last["fecha"]),
            )
        )
    if not found:
        yield Finding("ok", _("out of scope"), _("nothing that was not meant to be"))
        return
    yield Finding(
        "warning",
        _("out of scope"),
        ", ".join(found),
        _("correct them in the shop, or void them; `python -m pipeline status` lists them"),
    )
