"""What is asked of a row of the shop's queries: whether it is new, in scope, and when it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from psycopg2 import sql

from pipeline.oltp.queries import OPTIONAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pipeline.base.zone_rules import Rules
    from pipeline.oltp.queries import Query

NOT_VOIDED = sql.SQL("m.anulado IS NOT TRUE")


def with_rules(query: Query, types: Sequence[str], rules: Callable[[], Rules]) -> Query:
    """The query as everything() with a date, between() and the like want it.

    `types` are those that the OLAP knows; `rules` are its own for the shop's zone, around the
    dates that are to be compared: asked for only where it matters.
    """
    return replace(query, types=tuple(types), rules=rules() if query.wall_clock else None)


_IS_NEW = {
    # age() holds across wraparound and freeze.
    "xmin": sql.SQL("age(m.{version}) BETWEEN 0 AND age({horizon}::xid8::xid)"),
    "full": sql.SQL("age(m.{version}) BETWEEN 0 AND age({horizon}::xid8::xid)"),
    # As an index on the column finds it.
    "xid8": sql.SQL("m.{version} >= {horizon}::xid8"),
}


def are_new(query: Query, horizon: int) -> list[sql.Composable]:
    """One condition a version column: it is not older than the horizon."""
    return [
        _IS_NEW[query.capture].format(
            version=sql.Identifier(version), horizon=sql.Literal(str(horizon))
        )
        for version in query.versions
    ]


def among(column: str, numbers: Sequence[int]) -> sql.Composable:
    """The column of movimientos.sql is one of these numbers."""
    return sql.SQL(f"m.{column} = ANY ({{}}::bigint[])").format(sql.Literal(list(numbers)))


def one_after_another(conditions: Sequence[sql.Composable]) -> list[sql.Composable]:
    """One condition for each, that no earlier one holds: for a branch of a UNION ALL each.

    An OR of them would force the full join of the shop's query.
    """
    return [
        sql.SQL(" AND ").join(
            [
                condition,
                *(sql.SQL("({}) IS NOT TRUE").format(other) for other in conditions[:position]),
            ]
        )
        for position, condition in enumerate(conditions)
    ]


def known_type(query: Query) -> sql.Composable:
    return sql.SQL("m.tipo::text = ANY ({}::text[])").format(sql.Literal(list(query.types)))


def date_type(query: Query) -> sql.SQL:
    return sql.SQL("timestamp" if query.wall_clock else "timestamptz")


def moment_of(query: Query, bound: datetime | None = None) -> sql.Composable:
    """A movement's date as bound() gives one, to be compared with that of `bound`, or with any.

    A wall clock that never was is the one that the OLAP shows for it, an hour later or so.
    """
    column = sql.SQL("m.fecha::{}").format(date_type(query))
    if not query.wall_clock:
        return column
    assert query.rules is not None
    gaps = query.rules.left_out()
    if bound is not None:
        # Elsewhere none of them is moved across it.
        limit = query.rules.wall_clock(bound)
        gaps = [(start, end) for start, end in gaps if end <= limit < end + (end - start)]
    if not gaps:
        return column
    return sql.SQL("({0} + ({1}::interval[])[1 + width_bucket({0}, {2})])").format(
        column,
        sql.Literal([timedelta()] + [by for a, b in gaps for by in (b - a, timedelta())]),
        sql.Literal([edge for gap in gaps for edge in gap]),
    )


def bound(query: Query, moment: datetime) -> sql.Composable:
    """A moment as a movement's date is compared with it."""
    if not query.wall_clock:
        return sql.Literal(moment)
    assert query.rules is not None
    return sql.Literal(query.rules.wall_clock(moment))


def in_scope(query: Query, since: datetime) -> sql.Composable:
    return sql.SQL("{} AND {} AND {}").format(
        known_type(query), NOT_VOIDED, dated_since(query, since)
    )


def dated_since(query: Query, since: datetime) -> sql.Composable:
    return sql.SQL("(m.fecha IS NULL OR {} >= {})").format(
        moment_of(query, since), bound(query, since)
    )


def optional_columns(query: Query) -> dict[str, sql.Composable]:
    """By its name, each column that the query may lack: itself, or NULL."""
    return {
        column: sql.SQL(f"m.{column}" if column in query.columns else "NULL")
        for column in OPTIONAL[query.name]
    }
