"""Who holds the horizon back: what was written since then is read again by every window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pipeline.base.sql_files import read_sql
from pipeline.doctor.findings import Finding
from pipeline.oltp.snapshot import take_snapshot
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.doctor.sides import Side

_OLD_SECONDS = 3600
# Transactions since. The measure where the account may not see when others began.
_OLD_TRANSACTIONS = 1_000_000


def sessions(side: Side) -> Iterator[Finding]:
    """Transactions of others that wrote something and are open for more than an hour."""
    limits = {"seconds": _OLD_SECONDS, "transactions": _OLD_TRANSACTIONS}
    with side.connection.cursor() as cursor:
        cursor.execute(read_sql("oltp/diagnostico", "transacciones_abiertas.sql"), limits)
        rows = cursor.fetchall()
    for row in rows:
        yield _open_session(*row)
    if not rows:
        yield Finding("ok", _("OLTP open transactions"), _none_old(side))


def _open_session(
    pid: int, user: str, database: str, application: str, since: datetime | None, behind: int
) -> Finding:
    began = (
        _("since {since}").format(since=_utc(since))
        if since
        else _("for {behind:,} transactions").format(behind=behind)
    )
    return Finding(
        "warning",
        _("OLTP open transaction"),
        _(
            "pid {pid}, user {user}, database {database}, application {application}, open "
            "{began}: every window reads again what was written meanwhile"
        ).format(
            pid=pid, user=user, database=database, application=application or "?", began=began
        ),
        _("let it end, or SELECT pg_terminate_backend({pid})").format(pid=pid),
    )


def _none_old(side: Side) -> str:
    with side.connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role('pg_read_all_stats', 'USAGE')")
        row = cursor.fetchone()
    if row is not None and row[0]:
        return _("none that wrote is older than {old_seconds} minutes").format(
            old_seconds=_OLD_SECONDS // 60
        )
    # The start of another account's transaction is seen by members of pg_read_all_stats alone.
    return _(
        "none that wrote is {old_transactions:,} transactions old (since when is not visible)"
    ).format(old_transactions=_OLD_TRANSACTIONS)


def prepared_transactions(side: Side) -> Iterator[Finding]:
    """They outlive their sessions, and hold the horizon until somebody ends them."""
    with side.connection.cursor() as cursor:
        cursor.execute(read_sql("oltp/diagnostico", "transacciones_preparadas.sql"))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    for gid, owner, database, since in rows:
        yield Finding(
            "warning",
            _("OLTP prepared transaction"),
            _(
                "'{gid}' of {owner} in database {database}, prepared since {since}: every "
                "window reads again what was written meanwhile"
            ).format(gid=gid, owner=owner, database=database, since=_utc(since)),
            _("in {database}: COMMIT PREPARED '{gid}' or ROLLBACK PREPARED '{gid}'").format(
                database=database, gid=gid
            ),
        )
    if not rows:
        yield Finding("ok", _("OLTP prepared transactions"), _("none"))


def horizon(side: Side) -> Iterator[Finding]:
    """How far the horizon is behind, whoever holds it: on a standby, for example, nobody shows."""
    taken = take_snapshot(side.connection, {}, {})
    behind = taken.ceiling - taken.horizon
    found = _("{behind:,} transactions behind the newest").format(behind=behind)
    if behind > _OLD_TRANSACTIONS:
        yield Finding(
            "warning",
            _("OLTP horizon"),
            _("{found}: every window reads again what they wrote").format(found=found),
            _(
                "end the oldest transaction (pg_stat_activity, pg_prepared_xacts; of a "
                "standby, on its primary)"
            ),
        )
    else:
        yield Finding("ok", _("OLTP horizon"), found)


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
