"""What a run would make of the shop's queries as they are now; nothing is written anywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from psycopg2 import sql

from pipeline import olap
from pipeline.base.database import begin_snapshot, connect
from pipeline.base.zone_rules import server_rules
from pipeline.errors import SchemaError
from pipeline.oltp.adapting import ids, look
from pipeline.oltp.conditions import with_rules
from pipeline.oltp.open_read import refuse_two_kinds
from pipeline.oltp.plans import explain
from pipeline.oltp.proof_reads import understood
from pipeline.oltp.queries import NAMES, load_query
from pipeline.oltp.still_versions import tables_without_version
from pipeline.run.due import first_start
from pipeline.run.scope import meant
from pipeline.settings.recipes import is_shipped
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.queries import Query
    from pipeline.settings import Settings

_FUTURE = timedelta(days=1)  # as etl.motivo_rechazo has it
_AHEAD = timedelta(days=3653)


def look_at_queries(settings: Settings) -> dict[str, Any]:
    """What the three queries yield now, and what a first run would make of it.

    Of types and rules it is told by the OLAP, which `init` has made. Raises SchemaError where a
    query does not keep the contract.
    """
    now = datetime.now(UTC)
    with connect(settings.olap, "adapt", read_only=True) as analytical:
        begin_snapshot(analytical)
        control = olap.read_control(settings)
        types = olap.call(analytical, "SELECT etl.leer_tipos()")
        with analytical.cursor() as cursor:
            cursor.execute("SELECT * FROM etl.aperturas_fechadas()")
            openings = dict(cursor.fetchall())
        since = olap.initial_date(control) or first_start(settings, now)
        with connect(settings.oltp, "adapt", read_only=True) as shop:
            begin_snapshot(shop)
            queries = [load_query(shop, settings, name) for name in NAMES]
            refuse_two_kinds(*queries[:2])
            movements = with_rules(
                queries[0],
                control["tipos"],
                lambda: server_rules(analytical, settings.timezone, since, now + _AHEAD),
            )
            month = _last_month(settings, now)
            read = understood(movements, queries[1], since, now + _FUTURE, openings, types)
            found = look(shop, movements, read, since, month)
            return {
                "since": since.astimezone(ZoneInfo(settings.timezone)).isoformat(),
                "last_month": f"{month[0].astimezone(ZoneInfo(settings.timezone)):%Y-%m}",
                **found,
                "unknown_types": [
                    {"type": t["tipo"], "movements": t["movimientos"], "meant": meant(t["tipo"])}
                    for t in found["types"]
                    if t["tipo"] not in control["tipos"]
                ],
                "ids": ids(shop, movements),
                "versions": _versions(shop, queries, is_shipped(settings.oltp_sql_dir)),
                "products": _count(shop, queries[1]),
                "branches": _count(shop, queries[2]),
            }


def _count(shop: Connection, query: Query) -> int:
    text = sql.SQL("SELECT count(*) FROM (\n{}\n) AS m").format(sql.SQL(query.text))
    return int(olap.call(shop, text))


def _versions(shop: Connection, queries: list[Query], shipped: bool) -> list[str]:
    """What of the queries would never be noticed when it changes, a sentence each.

    What a recipe takes without a version never changes, or its page in the guide says so.
    """
    said = []
    for query in queries:
        if query.capture == "full":
            continue
        try:
            (plan,) = explain(shop, [query])
        except SchemaError as failure:
            said.append(str(failure))
            continue
        if (tables := tables_without_version(query, plan)) and not shipped:
            said.append(
                _(
                    "{name}.sql yields no version of {tables}: what changes there is not noticed"
                ).format(name=query.name, tables=", ".join(tables))
            )
    return said


def _last_month(settings: Settings, now: datetime) -> tuple[datetime, datetime]:
    """The calendar month before this one, in the shop's zone."""
    end = now.astimezone(ZoneInfo(settings.timezone)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    return (end - timedelta(days=1)).replace(day=1), end
