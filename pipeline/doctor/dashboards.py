"""The dashboards' account: it logs in, reads what it is promised, and no other table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.base.database import connect
from pipeline.base.sql_files import read_sql
from pipeline.doctor.findings import Finding
from pipeline.errors import PipelineError
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.doctor.sides import Side
    from pipeline.settings import Database

_INIT = N_("run `python -m pipeline init`")
_ACCOUNT, _LOGIN = N_("dashboards' account"), N_("dashboards' login")


def account(side: Side) -> Iterator[Finding]:
    """It may log in and is a member of bi_lector; with its password, what it really sees."""
    dashboards = side.settings.olap_bi
    if dashboards is None:
        yield Finding("skipped", _(_ACCOUNT), _("OLAP_BI_USER is not set"))
        return
    user = dashboards.user
    with side.connection.cursor() as cursor:
        cursor.execute(read_sql("olap/diagnostico", "cuenta_tableros.sql"), {"user": user})
        rows = cursor.fetchall()
    if not rows:
        yield Finding(
            "error",
            _(_ACCOUNT),
            _("{user} does not exist").format(user=user),
            _("CREATE ROLE {user} LOGIN PASSWORD '…', then {init}").format(
                user=user, init=_(_INIT)
            ),
        )
        return
    logs_in, privileged, member = rows[0]
    if not logs_in:
        yield Finding(
            "error",
            _(_ACCOUNT),
            _("{user} may not log in").format(user=user),
            f"ALTER ROLE {user} LOGIN",
        )
    elif not member:
        yield Finding(
            "error", _(_ACCOUNT), _("{user} is no member of bi_lector").format(user=user), _(_INIT)
        )
    elif privileged:
        yield Finding(
            "warning",
            _(_ACCOUNT),
            _("{user} is a superuser").format(user=user),
            _("ALTER ROLE {user} NOSUPERUSER, then {init}").format(user=user, init=_(_INIT)),
        )
    else:
        yield Finding("ok", _(_ACCOUNT), _("{user} is a member of bi_lector").format(user=user))
        yield from _login(side, dashboards)


def _login(side: Side, dashboards: Database) -> Iterator[Finding]:
    """As the dashboards do it: the catalogue does not know the password, nor pg_hba.conf."""
    # The report logs in all the same: libpq may know the password from elsewhere.
    if not dashboards.password and side.settings.report_path is None:
        yield Finding("skipped", _(_LOGIN), _("OLAP_BI_PASSWORD is not set"))
        return
    patient = replace(dashboards, lock_timeout=side.database.lock_timeout)
    try:
        with (
            connect(patient, "doctor", read_only=True) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(read_sql("olap/diagnostico", "tableros.sql"))
            rows = cursor.fetchall()
    except PipelineError as failure:
        # Host, port and database led the loader in: what differs is the account's own.
        told = str(failure).rpartition("; ")[0] or str(failure)
        yield Finding("error", _(_LOGIN), told, _("check OLAP_BI_PASSWORD and pg_hba.conf"))
        return
    unseen = [name for name, promised, readable in rows if promised and not readable]
    tables = [name for name, promised, readable in rows if readable and not promised]
    if unseen:
        found = _("{user} cannot read {unseen}").format(
            user=dashboards.user, unseen=", ".join(unseen)
        )
        yield Finding(
            "error", _(_LOGIN), found, _("{init}, which grants bi_lector").format(init=_(_INIT))
        )
    if tables:
        yield Finding(
            "warning",
            _(_LOGIN),
            _("{user} reads tables directly: {tables}").format(
                user=dashboards.user, tables=", ".join(tables)
            ),
            f"REVOKE SELECT ON {', '.join(tables)} FROM {dashboards.user}, bi_lector, PUBLIC",
        )
    if not unseen and not tables:
        views = sum(promised for _, promised, _ in rows)
        yield Finding(
            "ok",
            _(_LOGIN),
            _("reads the {views} views and tables promised, and no other").format(views=views),
        )
