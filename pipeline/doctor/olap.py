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
from pipeline.doctor.olap_runs import last_run, out_of_scope, rejects, unfinished_window
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

_INIT = "run `python -m pipeline init`"


def _rows(side: Side, name: str, parameters: dict[str, Any] | None = None) -> list[Any]:
    with side.connection.cursor() as cursor:
        cursor.execute(read_sql("olap/diagnostico", name), parameters)
        return cursor.fetchall()


def objects(side: Side) -> Iterator[Finding]:
    """Initialised, of this program's version and loaded in its zone; then all that stands on it."""
    try:
        control = olap.read_control(side.settings)
    except PipelineError as failure:
        yield refused("OLAP objects", failure, _INIT)
        # What they are about is all that is asked of them.
        yield unexamined("OLAP", _on_objects(cast(olap.Control, {})))
        return
    zone = control["zona"]
    found = f"version {control['esquema']}"
    found += (
        f", days cut in {zone}" if zone else f", no load yet: days will be cut in {_zone(side)}"
    )
    yield Finding("ok", "OLAP objects", found)
    yield from make_checks(side, _on_objects(control))


def _zone(side: Side) -> str:
    return side.settings.timezone


def functions(side: Side) -> Iterator[Finding]:
    """Every function that the tasks and commands call is there, and may be executed."""
    rows = _rows(side, "funciones.sql")
    missing = [name for name, _, exists in rows if not exists]
    forbidden = [name for name, allowed, exists in rows if exists and not allowed]
    if missing:
        yield Finding("error", "OLAP functions", f"there is no {', '.join(missing)}", _INIT)
    if forbidden:
        yield Finding(
            "error",
            "OLAP functions",
            f"{side.database.user} may not execute {', '.join(forbidden)}",
            f"{_INIT} as an administrator, which grants etl_cargador",
        )
    if not missing and not forbidden:
        yield Finding("ok", "OLAP functions", f"all {len(rows)} may be executed")


def rights(side: Side) -> Iterator[Finding]:
    """INSERT into the staging tables, and no other direct right to a table or view."""
    tables = _rows(side, "permisos.sql")
    short = [table for table, rights, staging in tables if staging and "INSERT" not in rights]
    if short:
        yield Finding(
            "error",
            "OLAP staging tables",
            f"{side.database.user} may not INSERT into {', '.join(short)}",
            f"{_INIT} as an administrator, which grants etl_cargador",
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
        shown = ", ".join(wide[:5]) + (f" and {len(wide) - 5} more" if len(wide) > 5 else "")
        yield Finding(
            "warning",
            "OLAP least privilege",
            f"{side.database.user} has direct rights to {shown}",
            f"revoke these, or their owner is the account: {side.database.user} "
            "needs the role etl_cargador alone",
        )
    else:
        yield Finding("ok", "OLAP least privilege", "touches no table but to stage")


def _on_objects(control: olap.Control) -> tuple[Check, ...]:
    """The checks that have nothing to look at before `init`."""
    return (
        Check("functions", functions),
        Check("rights", rights),
        Check("dashboards' account", dashboards.account),
        Check("last run", partial(last_run, control)),
        Check("unfinished window", partial(unfinished_window, control)),
        Check("rejects", rejects),
        Check("out of scope", out_of_scope),
    )


CHECKS = (Check("version", version), Check("clock", clock), Check("objects", objects))
