"""Reads of the shop's queries: what is wrapped round them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg2 import sql

from pipeline.base.sql_files import read_sql
from pipeline.oltp.conditions import (
    NOT_VOIDED,
    among,
    are_new,
    bound,
    date_type,
    dated_since,
    in_scope,
    known_type,
    moment_of,
    one_after_another,
    optional_columns,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline.oltp.queries import Query

# No shop's document is older: such a date was mistyped.
_OLDEST_DATE = "1990-01-01"


def everything(query: Query, since: datetime | None, *, whatever: bool = False) -> sql.Composable:
    """A read of all rows; of the movements, those in scope since the initial date.

    Of those since then all, `whatever` they are, where something is closed: that is reversed if it
    is void now, and archived if it is not there.
    """
    if since is None:
        return _wrap(query, sql.SQL("true"))
    return _wrap(query, dated_since(query, since) if whatever else in_scope(query, since))


def how_many_of(query: Query, ids: Sequence[int]) -> sql.Composable:
    """A count of those movements that the OLTP has, whatever they are."""
    template = sql.SQL("SELECT count(DISTINCT m.id_movimiento) FROM (\n{}\n) AS m WHERE {}")
    return template.format(sql.SQL(query.text), among("id_movimiento", ids))


def changed_since(
    query: Query,
    horizon: int,
    recheck: Sequence[int] = (),
    products: Sequence[int] = (),
    *,
    many: bool = False,
) -> sql.Composable:
    """A read of the rows of which some version is not older than the horizon (a 64-bit xid).

    One branch a version column, each passing over what an earlier branch yields. Where `many` are
    expected, an OR and its full join are the shorter way, since the planner takes new versions to
    be few. The ids of `recheck`, and the movements of `products`, are read
    whatever their version is.
    """
    new = are_new(query, horizon)
    if recheck:
        new.append(among("id_movimiento", recheck))
    if products:
        new.append(among("id_producto", products))
    if many:
        return _wrap(query, sql.SQL("({})").format(sql.SQL(") OR (").join(new)))
    branches = [_wrap(query, condition) for condition in one_after_another(new)]
    return sql.SQL("\nUNION ALL\n").join(branches)


def between(query: Query, since: datetime, until: datetime) -> sql.Composable:
    """A read of the movements in scope that are dated in `[since, until)`."""
    return _wrap(query, _dated(query, since, until))


def count_by_day(query: Query, since: datetime, until: datetime) -> sql.Composable:
    """A count, by day of the session's zone, of what between() would read."""
    template = sql.SQL(read_sql("oltp", "contar_por_dia.sql"))
    return template.format(query=sql.SQL(query.text), condition=_dated(query, since, until))


def _dated(query: Query, since: datetime, until: datetime) -> sql.Composable:
    # A movement without a date is every window's own: it is not read again here.
    return sql.SQL("({}) AND {} < {}").format(
        in_scope(query, since), moment_of(query, until), bound(query, until)
    )


def numbers_by_block(query: Query, since: datetime, limits: Sequence[int]) -> sql.Composable:
    """A count of the numbers in scope since then and a sum of their hashes, by block of them."""
    return sql.SQL(read_sql("oltp", "numeros_bloques.sql")).format(
        query=sql.SQL(query.text),
        condition=in_scope(query, since),
        limits=sql.Literal(list(limits)),
    )


def numbers_between(
    query: Query, ranges: Sequence[tuple[int | None, int | None]]
) -> sql.Composable:
    """A read of all numbers in some ranges `[from, to)`, of which None is no bound."""
    some = []
    for low, high in ranges:
        bounds = [("m.id_movimiento >= {}", low), ("m.id_movimiento < {}", high)]
        parts = [sql.SQL(text).format(sql.Literal(b)) for text, b in bounds if b is not None]
        some.append(sql.SQL(" AND ").join(parts) if parts else sql.SQL("true"))
    return sql.SQL(read_sql("oltp", "numeros_entre.sql")).format(
        query=sql.SQL(query.text), condition=sql.SQL("({})").format(sql.SQL(") OR (").join(some))
    )


def types_out_of_scope(query: Query, limit: int) -> sql.Composable:
    """A count of the movements that are neither voided nor of a known type, by type.

    Of the known types it is 0. Each row has the greatest number of all movements, too.
    """
    return sql.SQL(read_sql("oltp", "tipos_fuera.sql")).format(
        query=sql.SQL(query.text),
        condition=sql.SQL("({}) IS NOT TRUE AND {}").format(known_type(query), NOT_VOIDED),
        limit=sql.Literal(limit),
    )


def rows_out_of_scope(
    query: Query,
    since: datetime,
    types: Sequence[str | None],
    movements: Sequence[int],
    horizon: int | None,
    limit: int,
) -> sql.Composable:
    """A read of the movements of these unknown `types`, and of those that a date leaves out.

    Of the latter, what is dated before `since`: those of `movements`, those that are newer than
    the `horizon` if there is one, and impossible dates.
    """
    wrong_type = sql.SQL("({}) IS NOT TRUE").format(known_type(query))
    found = [
        sql.SQL("m.fecha < {}").format(sql.Literal(_OLDEST_DATE)),
        among("id_movimiento", movements),
        *(are_new(query, horizon) if horizon else []),
    ]
    early = sql.SQL("{} < {} AND (({}))").format(
        moment_of(query, since), bound(query, since), sql.SQL(") OR (").join(found)
    )
    named = sql.SQL("(m.tipo IS NULL OR m.tipo::text = ANY ({}::text[]))").format(
        sql.Literal([name for name in types if name is not None])
    )
    if None not in types:
        named = sql.SQL("m.tipo::text = ANY ({}::text[])").format(sql.Literal(list(types)))
    return sql.SQL(read_sql("oltp", "filas_fuera.sql")).format(
        query=sql.SQL(query.text),
        type=date_type(query),
        wrong_type=wrong_type,
        condition=sql.SQL("{} AND CASE WHEN {} THEN {} ELSE {} END").format(
            NOT_VOIDED, wrong_type, named, early
        ),
        limit=sql.Literal(limit),
    )


def _wrap(query: Query, condition: sql.Composable) -> sql.Composable:
    template = sql.SQL(read_sql("oltp", f"extraer_{query.name}.sql"))
    return template.format(
        query=sql.SQL(query.text),
        condition=condition,
        type=date_type(query),
        beside=_beside(query),
        **optional_columns(query),
    )


def _beside(query: Query) -> sql.Composable:
    return sql.Composed(
        sql.SQL(
            ",\n    m.{}::bigint" if column == "id_documento" else ",\n    nullif(m.{}::text, '')"
        ).format(sql.Identifier(column))
        for column in query.columns_beside
    )
