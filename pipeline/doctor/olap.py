"""The analytical side: its objects, what each account may do, and how the last run left it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, cast

from pipeline import olap
from pipeline.base.sql_files import read_sql
from pipeline.doctor import dashboards
from pipeline.doctor.clocks import clock
from pipeline.doctor.findings import Finding, refused
from pipeline.doctor.olap_runs import (
    adjustments,
    branch_counts,
    last_run,
    out_of_scope,
    prices,
    receipts,
    rejects,
    unfinished_window,
)
from pipeline.doctor.sides import (
    Check,
    Side,
    make_checks,
    superuser,
    superuser_warning,
    unexamined,
    version,
)
from pipeline.errors import PipelineError
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

_INIT = N_("run `python -m pipeline init`")


def _rows(side: Side, name: str, parameters: dict[str, Any] | None = None) -> list[Any]:
    with side.connection.cursor() as cursor:
        cursor.execute(read_sql("olap/diagnostico", name), parameters)
        return cursor.fetchall()


def objects(side: Side) -> Iterator[Finding]:
    """Initialised, of this program's version and loaded in its zone; then all that stands on it."""
    try:
        control = olap.read_control(side.settings)
    except PipelineError as failure:
        yield refused(_("OLAP objects"), failure, _(_INIT))
        # What they are about is all that is asked of them.
        yield unexamined("OLAP", _on_objects(cast(olap.Control, {})))
        return
    zone = control["zona"]
    found = _("version {esquema}").format(esquema=control["esquema"])
    found += (
        _(", days cut in {zone}").format(zone=zone)
        if zone
        else _(", no load yet: days will be cut in {side}").format(side=_zone(side))
    )
    yield Finding("ok", _("OLAP objects"), found)
    yield from make_checks(side, _on_objects(control))


def _zone(side: Side) -> str:
    return side.settings.timezone


def functions(side: Side) -> Iterator[Finding]:
    """Every function that the tasks and commands call is there, and may be executed."""
    rows = _rows(side, "funciones.sql")
    missing = [name for name, _, exists in rows if not exists]
    forbidden = [name for name, allowed, exists in rows if exists and not allowed]
    if missing:
        yield Finding(
            "error",
            _("OLAP functions"),
            _("there is no {missing}").format(missing=", ".join(missing)),
            _(_INIT),
        )
    if forbidden:
        yield Finding(
            "error",
            _("OLAP functions"),
            _("{user} may not execute {forbidden}").format(
                user=side.database.user, forbidden=", ".join(forbidden)
            ),
            _("{init} as an administrator, which grants etl_cargador").format(init=_(_INIT)),
        )
    if not missing and not forbidden:
        yield Finding(
            "ok", _("OLAP functions"), _("all {rows} may be executed").format(rows=len(rows))
        )


def rights(side: Side) -> Iterator[Finding]:
    """INSERT into the staging tables, and no other direct right to a table or view."""
    tables = _rows(side, "permisos.sql")
    short = [table for table, rights, staging in tables if staging and "INSERT" not in rights]
    if short:
        yield Finding(
            "error",
            _("OLAP staging tables"),
            _("{user} may not INSERT into {short}").format(
                user=side.database.user, short=", ".join(short)
            ),
            _("{init} as an administrator, which grants etl_cargador").format(init=_(_INIT)),
        )
    if superuser(side):
        yield superuser_warning(side)
        return
    wide = []
    for table, rights, staging in tables:
        excess = [right for right in rights if not (staging and right == "INSERT")]
        if excess:
            wide.append(f"{table} ({', '.join(excess)})")
    if wide:
        shown = ", ".join(wide[:5]) + (
            _(" and {wide} more").format(wide=len(wide) - 5) if len(wide) > 5 else ""
        )
        yield Finding(
            "warning",
            _("OLAP least privilege"),
            _("{user} has direct rights to {shown}").format(user=side.database.user, shown=shown),
            _(
                "revoke these, or their owner is the account: {user} needs the role "
                "etl_cargador alone"
            ).format(user=side.database.user),
        )
    else:
        yield Finding("ok", _("OLAP least privilege"), _("touches no table but to stage"))


def _on_objects(control: olap.Control) -> tuple[Check, ...]:
    """The checks that have nothing to look at before `init`."""
    return (
        Check(N_("functions"), functions),
        Check(N_("rights"), rights),
        Check(N_("dashboards' account"), dashboards.account),
        Check(N_("last run"), partial(last_run, control)),
        Check(N_("unfinished window"), partial(unfinished_window, control)),
        Check(N_("rejects"), rejects),
        Check(N_("out of scope"), out_of_scope),
        Check(N_("what comes in"), receipts),
        Check(N_("counts by branch"), branch_counts),
        Check(N_("tax of prices"), prices),
        Check(N_("adjustments"), partial(adjustments, control)),
    )


CHECKS = (Check(N_("version"), version), Check(N_("clock"), clock), Check(N_("objects"), objects))
