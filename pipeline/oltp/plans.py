"""How PostgreSQL would read the shop's queries: which tables, and whether all of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline.base.sql_files import read_sql
from pipeline.errors import SchemaError
from pipeline.oltp.plan_columns import LOOKUPS, named, relations
from pipeline.oltp.still_versions import refuse_still_versions
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.queries import Query

# What hands on each row of what it stands on, in a plan.
_PASS_ALL_ROWS = (
    "Append",
    "Merge Append",
    "Gather",
    "Gather Merge",
    "Sort",
    "Incremental Sort",
    "Result",
    "Subquery Scan",
)


def explain(connection: Connection, queries: Sequence[Query]) -> list[dict[str, Any]]:
    """How the planner would read each whole query: the root of its plan, as EXPLAIN tells it.

    Raises SchemaError for one that leaves rows out, which neither a run nor verify would miss, and
    for one with a version that cannot move.
    """
    plans: list[dict[str, Any]] = []
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(
                sql.SQL("EXPLAIN (VERBOSE, FORMAT JSON) SELECT * FROM (\n{}\n) AS m").format(
                    sql.SQL(query.text)
                )
            )
            row = cursor.fetchone()
            assert row is not None
            plans.append(row[0][0]["Plan"])
            if _leaves_out(plans[-1]):
                raise SchemaError(
                    _(
                        "{name}.sql ends in LIMIT or OFFSET, which leaves rows out: remove it"
                    ).format(name=query.name)
                )
        refuse_still_versions(cursor, queries, plans)
    return plans


def _leaves_out(plan: dict[str, Any]) -> bool:
    """Whether a LIMIT cuts the rows that come out of it, rather than those of some lookup."""
    if plan["Node Type"] in _PASS_ALL_ROWS:
        below = plan.get("Plans", ())
        return any(_leaves_out(p) for p in below if p["Parent Relationship"] not in LOOKUPS)
    return bool(plan["Node Type"] == "Limit")


# Of a table: its oid, its file and its root, which is itself unless it is a partition or inherits.
Tables = dict[str, tuple[int, int | None, str]]


def source_tables(
    connection: Connection, queries: Iterable[Query], plans: Iterable[dict[str, Any]]
) -> dict[str, Tables]:
    """The tables that these plans of explain() read, by the query that reads them and by name."""
    scanned = [relations(plan) for plan in plans]
    with connection.cursor() as cursor:
        cursor.execute(read_sql("oltp", "tablas.sql"), named(set().union(*scanned)))
        known = {table: (oid, filenode, root) for table, oid, filenode, root in cursor}
    return {
        query.name: {
            table: known[table] for table in sorted(map(".".join, names)) if table in known
        }
        for query, names in zip(queries, scanned, strict=True)
    }
