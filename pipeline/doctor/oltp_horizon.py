"""Who holds the horizon back: what was written since then is read again by every window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pipeline.base.sql_files import read_sql
from pipeline.doctor.findings import Finding
from pipeline.oltp.snapshot import take_snapshot

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
        yield Finding("ok", "OLTP open transactions", _none_old(side))


def _open_session(
    pid: int, user: str, database: str, application: str, since: datetime | None, behind: int
) -> Finding:
    began = f"since {_utc(since)}" if since else f"for {behind:,} transactions"
    return Finding(
        "warning",
        "OLTP open transaction",
        f"pid {pid}, user {user}, database {database}, application {application or '?'}, "
        f"open {began}: every window reads again what was written meanwhile",
        f"let it end, or SELECT pg_terminate_backend({pid})",
    )


def _none_old(side: Side) -> str:
    with side.connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role('pg_read_all_stats', 'USAGE')")
        row = cursor.fetchone()
    if row is not None and row[0]:
        return f"none that wrote is older than {_OLD_SECONDS // 60} minutes"
    # The start of another account's transaction is seen by members of pg_read_all_stats alone.
    return f"none that wrote is {_OLD_TRANSACTIONS:,} transactions old (since when is not visible)"


def prepared_transactions(side: Side) -> Iterator[Finding]:
    """They outlive their sessions, and hold the horizon until somebody ends them."""
    with side.connection.cursor() as cursor:
        cursor.execute(read_sql("oltp/diagnostico", "transacciones_preparadas.sql"))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    for gid, owner, database, since in rows:
        yield Finding(
            "warning",
            "OLTP prepared transaction",
            f"'{gid}' of {owner} in database {database}, prepared since {_utc(since)}: "
            "every window reads again what was written meanwhile",
            f"in {database}: COMMIT PREPARED '{gid}' or ROLLBACK PREPARED '{gid}'",
        )
    if not rows:
        yield Finding("ok", "OLTP prepared transactions", "none")


def horizon(side: Side) -> Iterator[Finding]:
    """How far the horizon is behind, whoever holds it: on a standby, for example, nobody shows."""
    taken = take_snapshot(side.connection, {}, {})
    behind = taken.ceiling - taken.horizon
    found = f"{behind:,} transactions behind the newest"
    if behind > _OLD_TRANSACTIONS:
        yield Finding(
            "warning",
            "OLTP horizon",
            f"{found}: every window reads again what they wrote",
            "end the oldest transaction (pg_stat_activity, pg_prepared_xacts; "
            "of a standby, on its primary)",
        )
    else:
        yield Finding("ok", "OLTP horizon", found)


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
