"""How PostgreSQL would read the shop's queries: which tables, and whether all of their rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline.base.sql_files import read_sql
from pipeline.errors import SchemaError
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

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
# A version that is no column of a table.
_CONSTANT = re.compile(r"\(*(NULL|'\d+')::xid8?\)*")
# A version that PostgreSQL itself keeps.
_SYSTEM = re.compile(r"(.*\.)?xmin")
_STILL = N_("read a materialized view or a logical subscriber's table, or set ETL_CAPTURE=full")
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
            if query.capture != "full":
                _refuse_still_versions(cursor, query, plans[-1])
            if _leaves_out(plans[-1]):
                raise SchemaError(
                    _(
                        "{name}.sql ends in LIMIT or OFFSET, which leaves rows out: remove it"
                    ).format(name=query.name)
                )
    return plans


def _leaves_out(plan: dict[str, Any]) -> bool:
    """Whether a LIMIT cuts the rows that come out of it, rather than those of some lookup."""
    if plan["Node Type"] in _PASS_ALL_ROWS:
        below = plan.get("Plans", ())
        return any(_leaves_out(p) for p in below if p["Parent Relationship"] not in _LOOKUPS)
    return bool(plan["Node Type"] == "Limit")


def _refuse_still_versions(cursor: Cursor, query: Query, plan: dict[str, Any]) -> None:
    """Raise SchemaError where a version cannot move: then what is new would never come."""
    foreign = sorted(_foreign_tables(plan))
    if foreign:
        raise SchemaError(
            _(
                "{name}.sql reads {foreign}, a foreign table, whose rows have no version: {still}"
            ).format(name=query.name, foreign=", ".join(foreign), still=_(_STILL))
        )
    branches = _output_columns(query, plan)
    for branch in branches:
        known = {c: _CONSTANT.fullmatch(e) for c, e in branch.items() if c in query.versions}
        for column, constant in known.items():
            if constant and (constant[1] != "NULL" or all(known.values())):
                raise SchemaError(
                    _(
                        "{name}.sql yields {column} as {branch}, the same for all rows: yield the "
                        "row's version, or {still}"
                    ).format(name=query.name, column=column, branch=branch[column], still=_(_STILL))
                )
    if not branches and not _reads_something(plan):
        return
    for column in query.versions:
        told = [branch[column] for branch in branches]
        if not told or not all(_SYSTEM.fullmatch(e) or _CONSTANT.fullmatch(e) for e in told):
            _refuse_still_values(cursor, query, column)


def _refuse_still_values(cursor: Cursor, query: Query, column: str) -> None:
    """The same of a version whose plan does not tell: a column, or what a view makes."""
    # Of type xid8, many rows may well be of the transaction that added the column.
    own = query.capture == "xmin" and query.name == "movimientos"
    cursor.execute(
        sql.SQL(read_sql("oltp", "version_quieta.sql")).format(
            query=sql.SQL(query.text), column=sql.Identifier(column), own=sql.Literal(own)
        )
    )
    if still := cursor.fetchone():
        raise SchemaError(
            _(
                "{name}.sql yields {column} as {value} for every row, so that what is new "
                "would never be seen: yield the row's version, or {still}"
            ).format(name=query.name, column=column, value=still[0], still=_(_STILL))
        )


def _foreign_tables(node: dict[str, Any]) -> set[str]:
    found = set().union(*(_foreign_tables(below) for below in node.get("Plans", ())))
    if node["Node Type"] == "Foreign Scan":
        found.add(
            f"{node['Schema']}.{node['Relation Name']}"
            if "Relation Name" in node
            else str(node.get("Relations", "of another server"))
        )
    return found


def _output_columns(query: Query, plan: dict[str, Any]) -> list[dict[str, str]]:
    """By each branch of a UNION ALL that yields rows, the expression of each column."""
    if plan["Node Type"] in ("Append", "Merge Append"):
        branches = [p for p in plan.get("Plans", ()) if p["Parent Relationship"] not in _LOOKUPS]
        return [columns for below in branches for columns in _output_columns(query, below)]
    output = plan.get("Output", [])
    # Rows of the text alone change with it, which is noticed.
    if len(output) != len(query.columns) or not _reads_something(plan):
        return []
    return [dict(zip(query.columns, output, strict=True))]


def _reads_something(node: dict[str, Any]) -> bool:
    below = node.get("Plans", ())
    if not below:
        return node["Node Type"] not in ("Result", "Values Scan")
    return any(_reads_something(child) for child in below)


# Of a table: its oid, its file and its root, which is itself unless it is a partition or inherits.
Tables = dict[str, tuple[int, int | None, str]]


def source_tables(
    connection: Connection, queries: Iterable[Query], plans: Iterable[dict[str, Any]]
) -> dict[str, Tables]:
    """The tables that these plans of explain() read, by the query that reads them and by name."""
    return {
        query.name: _tables(connection, plan) for query, plan in zip(queries, plans, strict=True)
    }


def _tables(connection: Connection, plan: dict[str, Any]) -> Tables:
    names: set[tuple[str, str]] = set()
    _collect_relations(plan, names)
    with connection.cursor() as cursor:
        cursor.execute(
            read_sql("oltp", "tablas.sql"),
            {
                "schemas": [schema for schema, _ in names],
                "names": [table for _, table in names],
            },
        )
        return {table: (oid, filenode, root) for table, oid, filenode, root in cursor}


def _collect_relations(node: Any, names: set[tuple[str, str]]) -> None:
    if isinstance(node, list):
        for item in node:
            _collect_relations(item, names)
    elif isinstance(node, dict):
        if "Relation Name" in node:
            names.add((node["Schema"], node["Relation Name"]))
        for item in node.values():
            _collect_relations(item, names)
