"""How PostgreSQL would read the shop's queries: which tables, and whether all of their rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline.errors import SchemaError
from pipeline.sql_files import read_sql

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.queries import Query

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
# What a node looks values up in, beside the rows that it hands on.
_LOOKUPS = ("InitPlan", "SubPlan")


def explain(connection: Connection, queries: Iterable[Query]) -> list[dict[str, Any]]:
    """How the planner would read each whole query: the root of its plan, as EXPLAIN tells it.

    Raises SchemaError for one that leaves rows out, which neither a run nor verify would miss.
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
                    f"{query.name}.sql ends in LIMIT or OFFSET, which leaves rows out: remove it"
                )
    return plans


def _leaves_out(plan: dict[str, Any]) -> bool:
    """Whether a LIMIT cuts the rows that come out of it, rather than those of some lookup."""
    if plan["Node Type"] in _PASS_ALL_ROWS:
        below = plan.get("Plans", ())
        return any(_leaves_out(p) for p in below if p["Parent Relationship"] not in _LOOKUPS)
    return bool(plan["Node Type"] == "Limit")


def source_tables(connection: Connection, plans: Iterable[dict[str, Any]]) -> dict[str, list[int]]:
    """The tables that these plans of explain() read: name → [oid, filenode]."""
    names: set[tuple[str, str]] = set()
    for plan in plans:
        _collect_relations(plan, names)
    with connection.cursor() as cursor:
        cursor.execute(
            read_sql("oltp", "tablas.sql"),
            {
                "schemas": [schema for schema, _ in names],
                "names": [table for _, table in names],
            },
        )
        return {table: [oid, filenode] for table, oid, filenode in cursor.fetchall()}


def _collect_relations(node: Any, names: set[tuple[str, str]]) -> None:
    if isinstance(node, list):
        for item in node:
            _collect_relations(item, names)
    elif isinstance(node, dict):
        if "Relation Name" in node:
            names.add((node["Schema"], node["Relation Name"]))
        for item in node.values():
            _collect_relations(item, names)
