"""Reads of the shop's queries: what is wrapped round them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline.base.sql_files import read_sql
from pipeline.oltp.queries import OPTIONAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from pipeline.base.zone_rules import Rules
    from pipeline.oltp.queries import Query

# No shop's document is older: such a date was mistyped.
_OLDEST_DATE = "1990-01-01"

_NOT_VOIDED = sql.SQL("m.anulado IS NOT TRUE")


def everything(query: Query, since: datetime | None, *, whatever: bool = False) -> sql.Composable:
    """A read of all rows; of the movements, those in scope since the initial date.

    Of those since then all, `whatever` they are, where something is closed: that is reversed if it
    is void now, and archived if it is not there.
    """
    if since is None:
        return _wrap(query, sql.SQL("true"))
    return _wrap(query, _since(query, since) if whatever else _in_scope(query, since))


def how_many_of(query: Query, ids: Sequence[int]) -> sql.Composable:
    """A count of those movements that the OLTP has, whatever they are."""
    template = sql.SQL(
        "SELECT count(DISTINCT m.id_movimiento) FROM (\n{}\n) AS m"
        " WHERE m.id_movimiento = ANY ({}::bigint[])"
    )
    return template.format(sql.SQL(query.text), sql.Literal(list(ids)))


_IS_NEW = {
    # age() holds across wraparound and freeze.
    "xmin": sql.SQL("age(m.{version}) BETWEEN 0 AND age({horizon}::xid8::xid)"),
    "full": sql.SQL("age(m.{version}) BETWEEN 0 AND age({horizon}::xid8::xid)"),
    # As an index on the column finds it.
    "xid8": sql.SQL("m.{version} >= {horizon}::xid8"),
}


def _are_new(query: Query, horizon: int) -> list[sql.Composable]:
    """One condition a version column: it is not older than the horizon."""
    return [
        _IS_NEW[query.capture].format(
            version=sql.Identifier(version), horizon=sql.Literal(str(horizon))
        )
        for version in query.versions
    ]


def changed_since(
    query: Query,
    horizon: int,
    recheck: Sequence[int] = (),
    products: Sequence[int] = (),
    *,
    many: bool = False,
) -> sql.Composable:
    """A read of the rows of which some version is not older than the horizon (a 64-bit xid).

    One branch a version column, each passing over what an earlier branch yields: an OR would
    force the full join. Where `many` are expected, that is the shorter way, since the planner
    takes new versions to be few. The ids of `recheck`, and the movements of `products`, are read
    whatever their version is.
    """
    new = _are_new(query, horizon)
    if recheck:
        ids = sql.Literal(list(recheck))
        new.append(sql.SQL("m.id_movimiento = ANY ({}::bigint[])").format(ids))
    if products:
        ids = sql.Literal(list(products))
        new.append(sql.SQL("m.id_producto = ANY ({}::bigint[])").format(ids))
    if many:
        return _wrap(query, sql.SQL("({})").format(sql.SQL(") OR (").join(new)))
    branches = []
    for position, condition in enumerate(new):
        earlier = [sql.SQL("({}) IS NOT TRUE").format(other) for other in new[:position]]
        branches.append(_wrap(query, sql.SQL(" AND ").join([condition, *earlier])))
    return sql.SQL("\nUNION ALL\n").join(branches)


def numbers_by_block(query: Query, since: datetime, limits: Sequence[int]) -> sql.Composable:
    """A count of the numbers in scope since then and a sum of their hashes, by block of them."""
    return sql.SQL(read_sql("oltp", "numeros_bloques.sql")).format(
        query=sql.SQL(query.text),
        condition=_in_scope(query, since),
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
        condition=sql.SQL("({}) IS NOT TRUE AND {}").format(_known_type(query), _NOT_VOIDED),
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
    wrong_type = sql.SQL("({}) IS NOT TRUE").format(_known_type(query))
    found = [
        sql.SQL("m.fecha < {}").format(sql.Literal(_OLDEST_DATE)),
        sql.SQL("m.id_movimiento = ANY ({}::bigint[])").format(sql.Literal(list(movements))),
        *(_are_new(query, horizon) if horizon else []),
    ]
    early = sql.SQL("{} < {} AND (({}))").format(
        _moment(query, since), bound(query, since), sql.SQL(") OR (").join(found)
    )
    named = sql.SQL("(m.tipo IS NULL OR m.tipo::text = ANY ({}::text[]))").format(
        sql.Literal([name for name in types if name is not None])
    )
    if None not in types:
        named = sql.SQL("m.tipo::text = ANY ({}::text[])").format(sql.Literal(list(types)))
    return sql.SQL(read_sql("oltp", "filas_fuera.sql")).format(
        query=sql.SQL(query.text),
        type=_date_type(query),
        wrong_type=wrong_type,
        condition=sql.SQL("{} AND CASE WHEN {} THEN {} ELSE {} END").format(
            _NOT_VOIDED, wrong_type, named, early
        ),
        limit=sql.Literal(limit),
    )


def _dated(query: Query, since: datetime, until: datetime) -> sql.Composable:
    # A movement without a date is every window's own: it is not read again here.
    return sql.SQL("({}) AND {} < {}").format(
        _in_scope(query, since), _moment(query, until), bound(query, until)
    )


def between(query: Query, since: datetime, until: datetime) -> sql.Composable:
    """A read of the movements in scope that are dated in `[since, until)`."""
    return _wrap(query, _dated(query, since, until))


def count_by_day(query: Query, since: datetime, until: datetime) -> sql.Composable:
    """A count, by day of the session's zone, of what between() would read."""
    template = sql.SQL(read_sql("oltp", "contar_por_dia.sql"))
    return template.format(query=sql.SQL(query.text), condition=_dated(query, since, until))


def understood(
    query: Query,
    products: Query,
    since: datetime,
    limit: datetime,
    openings: Mapping[int, datetime],
    types: Sequence[Mapping[str, Any]],
    *,
    rows: sql.Composable | None = None,
    pending: Sequence[sql.Composable] = (),
) -> sql.Composable:
    """A read of every movement as the OLAP understands it: scope, reason to wait, amounts.

    What is dated after `limit` waits in quarantine, as do the lines of products that `products`
    does not yield. `openings` are the products whose movements count from a date only, `types` the
    rows of dw.tipo_movimiento. `rows` are read in the place of the query's, and `pending` are the
    conditions of those that are too new to be compared.
    """
    return sql.SQL(read_sql("oltp", "entendidos.sql")).format(
        query=rows or sql.SQL(query.text),
        catalogue=sql.SQL(products.text),
        clock=sql.SQL("v.fecha" if query.wall_clock else "v.fecha AT TIME ZONE 'UTC'"),
        moment=_moment(query),
        type=_date_type(query),
        since=bound(query, since),
        limit=bound(query, limit),
        products=sql.Literal(list(openings)),
        dates=sql.SQL(", ").join(bound(query, date) for date in openings.values()),
        pending=sql.SQL(" OR ").join(pending) if pending else sql.SQL("false"),
        # Not escaped: an OLTP whose encoding is SQL_ASCII knows no escapes but its own.
        types=sql.Literal(json.dumps(types, ensure_ascii=False)),
        **optional_columns(query),
    )


def fingerprints(
    query: Query,
    products: Query,
    since: datetime,
    limit: datetime,
    openings: Mapping[int, datetime],
    types: Sequence[Mapping[str, Any]],
    horizon: int | None,
    changed: Sequence[int] = (),
    *,
    hashed: bool = True,
    since_version: int | None = None,
    ids: Sequence[int] = (),
) -> sql.Composable:
    """A read of every movement's fingerprint, scope and newness, for verify; see understood().

    With `since_version` of those only that are not older, and of those of `ids`. Fingerprints are
    `hashed` by PostgreSQL's own function, or made by md5.
    Without a `horizon` nothing is too new to be compared. The products
    of `changed` came or went after it.
    """
    pending = _are_new(query, horizon) if horizon else []
    if horizon and changed:
        products_of = sql.Literal(list(changed))
        pending.append(sql.SQL("m.id_producto = ANY ({}::bigint[])").format(products_of))
    rows: sql.Composable = sql.SQL(query.text)
    if since_version is not None:
        rows = _branches(rows, _some(query, since_version, ids))
    return sql.SQL(read_sql("oltp", "huella_movimientos.sql")).format(
        understood=understood(
            query, products, since, limit, openings, types, rows=rows, pending=pending
        ),
        fingerprint=fingerprint_of(sql.SQL(read_sql("oltp", "huella_contenido.sql")), hashed),
    )


def fingerprint_of(content: sql.Composable, hashed: bool) -> sql.Composable:
    """The fingerprint of an expression that yields bytes, as etl.huella() makes it."""
    template = sql.SQL(read_sql("oltp", "huella.sql"))
    return template.format(content=content, hashed=sql.Literal(hashed))


def _some(query: Query, horizon: int, ids: Sequence[int]) -> list[sql.Composable]:
    named = sql.SQL("m.id_movimiento = ANY ({}::bigint[])").format(sql.Literal(list(ids)))
    return [*_are_new(query, horizon), *([named] if ids else [])]


def _branches(rows: sql.Composable, conditions: Sequence[sql.Composable]) -> sql.Composable:
    """Each row once that any of the conditions holds for, as changed_since() reads them."""
    branches = []
    for position, condition in enumerate(conditions):
        earlier = [sql.SQL("({}) IS NOT TRUE").format(other) for other in conditions[:position]]
        branches.append(
            sql.SQL("SELECT m.* FROM (\n{}\n) AS m WHERE {}").format(
                rows, sql.SQL(" AND ").join([condition, *earlier])
            )
        )
    return sql.SQL("\nUNION ALL\n").join(branches)


def with_rules(query: Query, types: Sequence[str], rules: Callable[[], Rules]) -> Query:
    """The query as everything() with a date, between() and the like want it.

    `types` are those that the OLAP knows; `rules` are its own for the shop's zone, around the
    dates that are to be compared: asked for only where it matters.
    """
    return replace(query, types=tuple(types), rules=rules() if query.wall_clock else None)


def _known_type(query: Query) -> sql.Composable:
    return sql.SQL("m.tipo::text = ANY ({}::text[])").format(sql.Literal(list(query.types)))


def _date_type(query: Query) -> sql.SQL:
    return sql.SQL("timestamp" if query.wall_clock else "timestamptz")


def _moment(query: Query, bound: datetime | None = None) -> sql.Composable:
    """A movement's date as bound() gives one, to be compared with that of `bound`, or with any.

    A wall clock that never was is the one that the OLAP shows for it, an hour later or so.
    """
    column = sql.SQL("m.fecha::{}").format(_date_type(query))
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


def _in_scope(query: Query, since: datetime) -> sql.Composable:
    return sql.SQL("{} AND {} AND {}").format(_known_type(query), _NOT_VOIDED, _since(query, since))


def _since(query: Query, since: datetime) -> sql.Composable:
    return sql.SQL("(m.fecha IS NULL OR {} >= {})").format(
        _moment(query, since), bound(query, since)
    )


def _wrap(query: Query, condition: sql.Composable) -> sql.Composable:
    template = sql.SQL(read_sql("oltp", f"extraer_{query.name}.sql"))
    return template.format(
        query=sql.SQL(query.text),
        condition=condition,
        type=_date_type(query),
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


def optional_columns(query: Query) -> dict[str, sql.Composable]:
    """By its name, each column that the query may lack: itself, or NULL."""
    return {
        column: sql.SQL(f"m.{column}" if column in query.columns else "NULL")
        for column in OPTIONAL[query.name]
    }
