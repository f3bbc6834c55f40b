"""One side's database under examination: reached once, each check on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pipeline.base.database import commit_each, connect
from pipeline.doctor.findings import Finding, attempt, refused
from pipeline.errors import PipelineError
from pipeline.olap import call
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Database, Settings

_MIN_VERSION = 140_000
# A monitor wants its answer soon: a table that somebody locks is told after so many seconds.
_PATIENCE = 5


@dataclass(frozen=True)
class Side:
    """A read-only session in autocommit, so that a failed statement spoils no later one."""

    connection: Connection
    database: Database
    settings: Settings

    @property
    def name(self) -> str:
        """'OLTP' or 'OLAP'."""
        return self.database.side


@dataclass(frozen=True)
class Check:
    """A check of one side; `about` is what it is called where it could not be made."""

    about: str
    examine: Callable[[Side], Iterable[Finding]]
    reads_shop: bool = False


def examine_side(
    database: Database, settings: Settings, checks: Iterable[Check]
) -> Iterator[Finding]:
    """Connect and make every check; where that fails, say once what could not be looked at."""
    what = _("{side} reachable").format(side=database.side)
    with ExitStack() as stack:
        try:
            patient = replace(database, lock_timeout=min(database.lock_timeout, _PATIENCE))
            connection = stack.enter_context(connect(patient, "doctor", read_only=True))
        except PipelineError as failure:
            yield refused(what, failure)
            yield unexamined(database.side, checks)
            return
        commit_each(connection)
        yield Finding(
            "ok", what, f"{database.user}@{database.host}:{database.port}/{database.name}"
        )
        yield from make_checks(Side(connection, database, settings), checks)


def make_checks(side: Side, checks: Iterable[Check]) -> Iterator[Finding]:
    """The findings of each check, as long as the connection lives."""
    waiting = list(checks)
    while waiting and not side.connection.closed:
        check = waiting.pop(0)
        what = f"{side.name} {_(check.about)}"
        yield from attempt(what, partial(check.examine, side), reads_shop=check.reads_shop)
    if waiting:
        yield unexamined(side.name, waiting)


def unexamined(side: str, checks: Iterable[Check]) -> Finding:
    """One finding for all that depends on what just failed."""
    return Finding(
        "skipped",
        _("{side} otherwise").format(side=side),
        _("not examined: {checks}").format(checks=", ".join(_(c.about) for c in checks)),
    )


def version(side: Side) -> Iterator[Finding]:
    """PostgreSQL 14 or later: what came before is mended no more."""
    number = side.connection.server_version
    found = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if number < _MIN_VERSION:
        yield Finding(
            "error",
            _("{name} version").format(name=side.name),
            found,
            _("upgrade it to 14 or later"),
        )
    else:
        yield Finding("ok", _("{name} version").format(name=side.name), found)


def superuser(side: Side) -> bool:
    """Whether the account is one: then every narrower right is beside the point."""
    query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    return bool(call(side.connection, query))


def superuser_warning(side: Side) -> Finding:
    """That the pipeline's account may do everything."""
    return Finding(
        "warning",
        _("{name} least privilege").format(name=side.name),
        _("{user} is a superuser").format(user=side.database.user),
        _(
            "set {name}_DB_USER to an account of its own, keep this one for "
            "{name}_ADMIN_USER, and run `python -m pipeline init`"
        ).format(name=side.name),
    )
