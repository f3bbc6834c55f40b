"""Whether the OLTP is the one that was read last: its servers, its tables, the shop's queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline.base.database import call
from pipeline.base.sql_files import read_sql
from pipeline.oltp.snapshot import wal_position
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.plans import Tables
    from pipeline.oltp.snapshot import Snapshot
    from pipeline.state.receipts import Bounds

_HALF_THE_IDS = 2**31


def why_everything(connection: Connection, snapshot: Snapshot, before: Bounds) -> str | None:
    """Why the horizon of the last window cannot be trusted, or None when it can.

    A restored or failed-over server uses transaction ids again, so what was read
    under another identity says nothing about this one. `connection` is that of the snapshot.
    """
    if before["horizonte"] is None or before["identidad"] is None:
        return _("the OLAP has no horizon")
    horizon, identity = int(before["horizonte"]), before["identidad"]
    found = snapshot.identity.as_json()
    for part, name in (
        ("sistema", _("another server")),
        ("linea_de_tiempo", _("another timeline (a failover or a restore)")),
        ("base", _("another database")),
    ):
        if identity.get(part) != found[part]:
            return _("the OLTP is not what was read last: {name}").format(name=name)
    read = identity["tablas"].get("movimientos")
    now = snapshot.identity.tables.get("movimientos", {})
    if changed := _other_source(connection, read, now, horizon):
        return _("the OLTP is not what was read last: {changed}").format(changed=changed)
    if edited := _edited(snapshot.queries, before["consultas"]):
        return edited
    if snapshot.ceiling < horizon:
        return _("the OLTP's transaction ids are behind the last window's")
    if snapshot.ceiling - horizon >= _HALF_THE_IDS:
        return _("the last window is more than 2^31 transactions ago")
    if wal_position(snapshot.lsn) < wal_position(str(before["lsn"])):
        return _("the OLTP's WAL is behind the last window's: the machine was rolled back")
    return None


def rewritten(snapshot: Snapshot, before: Bounds, query: str) -> bool:
    """Whether a query that is small enough to be read whole reads other tables than before."""
    known = before["identidad"] or {"tablas": {}}
    return bool(snapshot.identity.as_json()["tablas"].get(query) != known["tablas"].get(query))


def _other_source(
    connection: Connection, before: dict[str, Any] | None, now: Tables, horizon: int
) -> str | None:
    """How the movements' tables are others than before, so that their versions tell nothing.

    A partition that is added or detached is no other source, unless it came with its rows.
    """
    if before is None or any(len(known) != 3 for known in before.values()):
        return _("which tables its movements are in is not known (an earlier release)")
    roots = {root for *_, root in before.values()}
    for table, (oid, filenode, root) in now.items():
        if table in before:
            if before[table] != [oid, filenode, root]:
                return _("{table} was rewritten, truncated or restored").format(table=table)
        elif root == table or root not in roots:
            return _("{table} was not read before").format(table=table)
        elif _has_old_rows(connection, table, oid, root, horizon):
            return _("{table} was attached with rows of before").format(table=table)
    gone = [t for t, (*_, root) in before.items() if t not in now and root == t]
    return _("{gone} is not read any more").format(gone=gone[0]) if gone else None


def _has_old_rows(connection: Connection, table: str, oid: int, root: str, horizon: int) -> bool:
    """Also where the account may read the partition neither by itself nor through its root."""
    template = sql.SQL(read_sql("oltp", "filas_anteriores.sql"))
    for place in (table, root):
        name = sql.Identifier(*place.split(".", 1))
        asked = name.as_string(connection)
        if call(connection, "SELECT has_table_privilege(%s, 'SELECT')", (asked,)):
            asks = template.format(
                table=name, oid=sql.Literal(oid), horizon=sql.Literal(str(horizon))
            )
            return bool(call(connection, asks))
    return True


def _edited(now: dict[str, str], before: object) -> str | None:
    """Which query, or view under one, yields by another text than before; None if none does."""
    if not isinstance(before, dict):
        return _("it is not known which queries the OLAP was read with (an earlier release)")
    changed = sorted(
        name for name in now.keys() | before.keys() if now.get(name) != before.get(name)
    )
    return _("{changed} was edited").format(changed=", ".join(changed)) if changed else None
