"""Row versions that cannot move: with one, what is new would never come, and nothing would say so.

A plan tells the constants, also of one branch of a view. Of a version that is a stored column, its
values and what keeps them tell. Neither tells of what a function yields.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline.base.sql_files import read_sql
from pipeline.errors import SchemaError
from pipeline.oltp.plan_columns import (
    TEXT_ALONE,
    alias_of,
    columns_within,
    is_kept,
    leaves,
    named,
    nodes,
    output_columns,
    reads_something,
    relations,
    root,
)
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg2.extensions import cursor as Cursor

    from pipeline.oltp.queries import Query

# A version that is no column of a table.
_CONSTANT = re.compile(r"\(*(NULL|'\d+')::xid8?\)*")
_STILL = N_("read a materialized view or a logical subscriber's table, or set ETL_CAPTURE=full")
# Below what no transaction has: none, and bootstrap's.
_OF_NOBODY = {
    "xmin": sql.SQL("m.{version}::text IN ('0', '1')"),
    # As an index on the column finds it.
    "xid8": sql.SQL("m.{version} < '2'::xid8"),
}


def refuse_still_versions(
    cursor: Cursor, queries: Sequence[Query], plans: Sequence[dict[str, Any]]
) -> None:
    """Raise SchemaError where a version cannot move; `plans` are the queries', of explain()."""
    reading = [
        (query, plan) for query, plan in zip(queries, plans, strict=True) if query.capture != "full"
    ]
    if not reading:
        return
    every = set().union(*(relations(plan) for _query, plan in reading))
    # ETL_CAPTURE is one for all of them.
    kind = "xid8" if reading[0][0].capture == "xid8" else "xid"
    cursor.execute(read_sql("oltp", "versiones_sueltas.sql"), {**named(every), "type": kind})
    loose = cursor.fetchall()
    for query, plan in reading:
        _refuse_still(cursor, query, plan, loose)


def _refuse_still(
    cursor: Cursor, query: Query, plan: dict[str, Any], loose: list[tuple[str, str, str]]
) -> None:
    """The same of one query; `loose` are the columns of versions that no trigger keeps."""
    _refuse_foreign_tables(query, plan)
    branches = output_columns(query, plan)
    _refuse_constants(query, branches)
    _refuse_constants_below(query, plan)
    if not branches and not reads_something(plan):
        return
    told = {column: [branch[column] for branch in branches] for column in query.versions}
    untold = [
        column
        for column, expressions in told.items()
        if not expressions
        or not all(_CONSTANT.fullmatch(e) or is_kept(e, plan) for e in expressions)
    ]
    _refuse_still_values(cursor, query, plan, untold)
    # Above the branches of a view a plan shows the first one's expression alone.
    _refuse_still_tables(cursor, query, plan, loose)
    if untold and not any(leaf["Node Type"] in TEXT_ALONE for leaf in leaves(plan)):
        _refuse_rows_without_version(cursor, query)


def tables_without_version(query: Query, plan: dict[str, Any]) -> list[str]:
    """The tables whose rows have their version in none of the query's, where its plan tells.

    That is right of a table from which only what never changes is taken. Empty also where a part
    of the query stands between, of which the plan does not say what its versions are made of.
    """
    branches = output_columns(query, plan)
    versions = [branch[column] for branch in branches for column in query.versions]
    used = {root(alias_of(column)) for e in versions for column in columns_within(e, plan)}
    scanned = {
        root(node["Alias"]): f"{node['Schema']}.{node['Relation Name']}"
        for node in nodes(plan)
        if "Relation Name" in node
    }
    if not used or not used <= scanned.keys():
        return []
    named = {scanned[alias] for alias in used}
    return sorted(set(scanned.values()) - named)


def _refuse_foreign_tables(query: Query, plan: dict[str, Any]) -> None:
    foreign = sorted(
        f"{node['Schema']}.{node['Relation Name']}"
        if "Relation Name" in node
        else str(node.get("Relations", "of another server"))
        for node in nodes(plan)
        if node["Node Type"] == "Foreign Scan"
    )
    if foreign:
        raise SchemaError(
            _(
                "{name}.sql reads {foreign}, a foreign table, whose rows have no version: {still}"
            ).format(name=query.name, foreign=", ".join(foreign), still=_(_STILL))
        )


def _refuse_constants(query: Query, branches: list[dict[str, str]]) -> None:
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


def _refuse_constants_below(query: Query, plan: dict[str, Any]) -> None:
    """The same of what a view or a part of the query yields, beside parts that do move."""
    for node in nodes(plan):
        for expression in node.get("Output", []):
            constant = _CONSTANT.fullmatch(expression)
            if not constant or not reads_something(node):
                continue
            # Of several versions one may be missing in a branch.
            if constant[1] == "NULL" and len(query.versions) > 1:
                continue
            raise SchemaError(
                _(
                    "{name}.sql yields {constant} as a version of the rows of {tables}, the same "
                    "for all of them: yield the row's version, or {still}"
                ).format(
                    name=query.name,
                    constant=expression.strip("()"),
                    tables=", ".join(sorted(map(".".join, relations(node)))) or "?",
                    still=_(_STILL),
                )
            )


def _refuse_still_values(
    cursor: Cursor, query: Query, plan: dict[str, Any], columns: list[str]
) -> None:
    """The same of versions whose plan does not tell: a column, or what a view makes."""
    # Of type xid8, many rows may well be of the transaction that added the column.
    own = query.capture == "xmin" and query.name == "movimientos"
    for column in columns:
        value = _still_value(cursor, sql.SQL(query.text), column, own)
        if value and not (query.capture == "xmin" and _is_of_rows(cursor, plan, value)):
            raise SchemaError(
                _(
                    "{name}.sql yields {column} as {value} for every row, so that what is new "
                    "would never be seen: yield the row's version, or {still}"
                ).format(name=query.name, column=column, value=value, still=_(_STILL))
            )


def _is_of_rows(cursor: Cursor, plan: dict[str, Any], value: str) -> bool:
    """Whether rows are of that transaction: a restore leaves all of them of one, and each moves.

    Only of tables that hold no version beside their rows' own is that known.
    """
    cursor.execute(read_sql("oltp", "tablas_sin_version.sql"), named(relations(plan)))
    rows = sql.SQL("SELECT EXISTS (SELECT FROM ONLY {} AS t WHERE t.xmin = {}::xid)")
    for table in cursor.fetchall():
        cursor.execute(rows.format(sql.Identifier(*table), sql.Literal(value)))
        if cursor.fetchone() == (True,):
            return True
    return False


def _refuse_still_tables(
    cursor: Cursor, query: Query, plan: dict[str, Any], loose: list[tuple[str, str, str]]
) -> None:
    """The same of each table that holds versions and has no trigger to keep them.

    Of type xid, those that the account may read; some of the shop's own may move without one. A
    materialized view has no triggers, and of type xid8 shows what those of its tables keep.
    """
    scanned = relations(plan)
    for schema, table, column in loose:
        if (schema, table) not in scanned:
            continue
        told = {"name": query.name, "table": f"{schema}.{table}", "column": column}
        if query.capture == "xid8":
            # Its default tells of new rows, and of no row that changes.
            if _yields(plan, schema, table, column):
                raise SchemaError(
                    _(
                        "{name}.sql reads {table}, whose {column} is kept by no trigger, so that "
                        "a change of a row would never be seen: give it one, as "
                        "sql/oltp/captura_xid8.sql does, or {still}"
                    ).format(**told, still=_(_STILL))
                )
            continue
        text = sql.SQL("SELECT * FROM ONLY {}").format(sql.Identifier(schema, table))
        value = _still_value(cursor, text, column, own=True)
        if value:
            raise SchemaError(
                _(
                    "{name}.sql reads {table}, whose {column} is {value} in every row and is kept "
                    "by no trigger: give it one, as sql/oltp/captura_xid8.sql does, or {still}"
                ).format(**told, value=value, still=_(_STILL))
            )


def _yields(plan: dict[str, Any], schema: str, table: str, column: str) -> bool:
    """Whether the plan reads this column there."""
    word = re.compile(rf"(?<!\w){re.escape(column)}(?!\w)")
    return any(
        word.search(expression)
        for node in nodes(plan)
        if (node.get("Schema"), node.get("Relation Name")) == (schema, table)
        for expression in node.get("Output", [])
    )


def _still_value(cursor: Cursor, text: sql.Composable, column: str, own: bool) -> str | None:
    cursor.execute(
        sql.SQL(read_sql("oltp", "version_quieta.sql")).format(
            query=text, column=sql.Identifier(column), own=sql.Literal(own)
        )
    )
    still = cursor.fetchone()
    return None if still is None else str(still[0])


def _refuse_rows_without_version(cursor: Cursor, query: Query) -> None:
    """The same of single rows, such as those of one branch within a view that no plan shows."""
    nobody = [
        sql.SQL("(m.{version} IS NULL OR {nobody})").format(
            version=sql.Identifier(column),
            nobody=_OF_NOBODY[query.capture].format(version=sql.Identifier(column)),
        )
        for column in query.versions
    ]
    cursor.execute(
        sql.SQL(read_sql("oltp", "fila_sin_version.sql")).format(
            id=sql.Identifier(query.id_column),
            query=sql.SQL(query.text),
            condition=sql.SQL(" AND ").join(nobody),
        )
    )
    if row := cursor.fetchone():
        raise SchemaError(
            _(
                "{name}.sql yields {column} {number} with no version but 0 or NULL, so that a "
                "change of it would never be seen: yield the row's version, or {still}"
            ).format(name=query.name, column=query.id_column, number=row[0], still=_(_STILL))
        )
