"""The shop's three queries: found, checked against the contract, and wrapped for reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from pipeline.errors import SchemaError
from pipeline.sql_files import read_sql

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings
    from pipeline.zone_rules import Rules

_INTEGERS = {20: "bigint", 21: "smallint", 23: "integer"}
_FLOATS = {700: "real", 701: "double precision"}
_NUMBERS = {**_INTEGERS, **_FLOATS, 1700: "numeric"}
_WALL_CLOCKS = {1082: "date", 1114: "timestamp"}
_MOMENTS = {**_WALL_CLOCKS, 1184: "timestamptz"}
_BOOLEAN = {16: "boolean"}
_ANY: dict[int, str] = {}
_VERSIONS = {28: "xid", 5069: "xid8"}

# Of which type a row version is, by ETL_CAPTURE, and what to do where it is of another.
_VERSION_TYPES = {"xmin": "xid", "xid8": "xid8", "full": "xid"}
_VERSION_REMEDIES = {
    "xmin": "yield the table's xmin there",
    "full": "leave it out",
    "xid8": "run sql/oltp/captura_xid8.sql in the OLTP, and yield the table's version_etl there",
}

# What each column may be, by the type's oid; _ANY where everything has a text, and for
# versions, of which ETL_CAPTURE tells.
_CONTRACT: dict[str, dict[str, dict[int, str]]] = {
    "movimientos": {
        "id_movimiento": _INTEGERS,
        "tipo": _ANY,
        "id_producto": _INTEGERS,
        "id_sucursal": _INTEGERS,
        "cantidad": _NUMBERS,
        "precio_unitario": _NUMBERS,
        "costo_unitario": _NUMBERS,
        "fecha": _MOMENTS,
        "anulado": _BOOLEAN,
        "version_1": _ANY,
    },
    "productos": {
        "id_producto": _INTEGERS,
        "codigo": _ANY,
        "nombre": _ANY,
        "categoria": _ANY,
        "version_1": _ANY,
    },
    "sucursales": {"id_sucursal": _INTEGERS, "nombre": _ANY, "version_1": _ANY},
}

# The types that are valued, in the contract's spelling.
TYPES = ("VENTA", "ENTRADA_MERCANCIA")
# No shop's document is older: such a date was mistyped.
_OLDEST_DATE = "1990-01-01"

_KNOWN_TYPE = sql.SQL("m.tipo::text IN ({})").format(sql.SQL(", ").join(map(sql.Literal, TYPES)))
_NOT_VOIDED = sql.SQL("m.anulado IS NOT TRUE")


@dataclass(frozen=True)
class Query:
    """One of the shop's queries. `columns` are what it yields; `versions` are its
    row version columns, in order.

    `capture` is ETL_CAPTURE: whether those are of type xid ('xmin') or 'xid8'; with 'full' there
    may be none. `wall_clock` says that its fecha is a date or a timestamp without time zone. The
    OLAP alone makes moments of those, as it cuts its days, so that the two servers may have
    different rules for the shop's zone: what compares them here wants the OLAP's `rules`.
    """

    name: str
    text: str
    columns: tuple[str, ...]
    versions: tuple[str, ...]
    capture: str
    wall_clock: bool = False
    rules: Rules | None = None


def _query_text(settings: Settings, name: str) -> str:
    if settings.oltp_sql_dir is None:
        folder = "oltp/xid8" if settings.capture == "xid8" else "oltp"
        text = read_sql(folder, f"{name}.sql")
    else:
        path = settings.oltp_sql_dir / f"{name}.sql"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SchemaError(f"{path} cannot be read: {error}; see ETL_OLTP_SQL_DIR") from error
    return text.rstrip().rstrip(";")


def load_query(connection: Connection, settings: Settings, name: str) -> Query:
    """Read the query `name` and hold its columns against the contract, before any row is read.

    Raises SchemaError naming the first column that is missing or of another type.
    """
    text = _query_text(settings, name)
    with connection.cursor() as cursor:
        try:
            cursor.execute(sql.SQL("SELECT * FROM (\n{}\n) AS m LIMIT 0").format(sql.SQL(text)))
        except psycopg2.errors.SyntaxError as error:
            raise SchemaError(
                f"{name}.sql is no single SELECT that PostgreSQL understands: "
                f"{error.diag.message_primary}; correct it (see ETL_OLTP_SQL_DIR)"
            ) from error
        except (
            psycopg2.errors.UntranslatableCharacter,
            psycopg2.errors.CharacterNotInRepertoire,
            UnicodeEncodeError,
        ) as error:
            strange = ", ".join(sorted({c for c in text if not c.isascii()})[:5])
            raise SchemaError(
                f"{name}.sql holds a character that the OLTP's encoding has not (of {strange}): "
                "write it without, or as chr() of its number"
            ) from error
        except psycopg2.errors.UndefinedColumn as error:
            if settings.capture != "xid8":
                raise
            raise SchemaError(
                f"{name}.sql: {error.diag.message_primary}; for ETL_CAPTURE=xid8 "
                "run sql/oltp/captura_xid8.sql in the OLTP, or correct the query"
            ) from error
        found = {column.name: column.type_code for column in cursor.description or ()}
    for column, types in _CONTRACT[name].items():
        if column == "version_1" and settings.capture == "full":
            continue
        if column not in found:
            raise SchemaError(
                f"{name}.sql yields no column {column}: add it, as the comment in that file says"
            )
        if types and found[column] not in types:
            raise SchemaError(_of_another_type(connection, name, column, found[column], types))
    versions = tuple(sorted(c for c in found if c.startswith("version_")))
    if settings.capture == "full":
        # They only tell verify what is still to come: what is of no use is left out.
        versions = tuple(c for c in versions if _VERSIONS.get(found[c]) == "xid")
    for column in versions:
        _check_version(connection, name, column, found[column], settings.capture)
    read = {c: found[c] for c in (*_CONTRACT[name], *versions) if c in found}
    if not _FLOATS.keys().isdisjoint(read.values()):
        text = _with_every_digit(text, read).as_string(connection)
        found = read
    wall_clock = found.get("fecha") in _WALL_CLOCKS
    return Query(name, text, tuple(found), versions, settings.capture, wall_clock)


def _with_every_digit(text: str, read: dict[str, int]) -> sql.Composable:
    """The query with its floats as the numbers that they show: a cast keeps 6 or 15 digits.

    `read` are the columns of the contract with their types; others of the same name may be there.
    """
    columns = [
        sql.SQL("f.{0}::text::numeric AS {0}" if kind in _FLOATS else "f.{0}").format(
            sql.Identifier(column)
        )
        for column, kind in read.items()
    ]
    return sql.SQL("SELECT {}\nFROM (\n{}\n) AS f").format(
        sql.SQL(", ").join(columns), sql.SQL(text)
    )


def _of_another_type(
    connection: Connection, name: str, column: str, found: int, allowed: dict[int, str]
) -> str:
    """What the column is, what it must be, and how to make that of it."""
    remedy = "cast it there"
    if allowed is _INTEGERS and found not in _NUMBERS:
        remedy = (
            "make a number of it there that stays the same, and keep the key beside it in a column "
            f"of another name: ('x' || left(md5({column}::text), 15))::bit(60)::bigint AS {column}"
        )
    return (
        f"{name}.sql yields {column} as {_type_name(connection, found)}, "
        f"but must yield {' or '.join(sorted(allowed.values()))}: {remedy}"
    )


def _type_name(connection: Connection, oid: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT format_type(%s, NULL)", (oid,))
        row = cursor.fetchone()
    return str(row[0]) if row else f"a type with oid {oid}"


def _check_version(
    connection: Connection, name: str, column: str, found: int, capture: str
) -> None:
    wanted = _VERSION_TYPES[capture]
    if _VERSIONS.get(found) != wanted:
        raise SchemaError(
            f"{name}.sql yields {column} as {_type_name(connection, found)}, "
            f"but ETL_CAPTURE={capture} wants {wanted}: {_VERSION_REMEDIES[capture]}"
        )


def everything(query: Query, since: datetime | None) -> sql.Composable:
    """A read of all rows; of the movements, those in scope since the initial date."""
    return _wrap(query, sql.SQL("true") if since is None else _in_scope(query, since))


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


def types_out_of_scope(query: Query, limit: int) -> sql.Composable:
    """A count of the movements that are neither voided nor of a known type, by type.

    Of the known types it is 0. Each row has the greatest number of all movements, too.
    """
    return sql.SQL(read_sql("oltp", "tipos_fuera.sql")).format(
        query=sql.SQL(query.text),
        condition=sql.SQL("({}) IS NOT TRUE AND {}").format(_KNOWN_TYPE, _NOT_VOIDED),
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
    wrong_type = sql.SQL("({}) IS NOT TRUE").format(_KNOWN_TYPE)
    found = [
        sql.SQL("m.fecha < {}").format(sql.Literal(_OLDEST_DATE)),
        sql.SQL("m.id_movimiento = ANY ({}::bigint[])").format(sql.Literal(list(movements))),
        *(_are_new(query, horizon) if horizon else []),
    ]
    early = sql.SQL("{} < {} AND (({}))").format(
        _moment(query, since), _bound(query, since), sql.SQL(") OR (").join(found)
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
        _in_scope(query, since), _moment(query, until), _bound(query, until)
    )


def between(query: Query, since: datetime, until: datetime) -> sql.Composable:
    """A read of the movements in scope that are dated in `[since, until)`."""
    return _wrap(query, _dated(query, since, until))


def count_by_day(query: Query, since: datetime, until: datetime) -> sql.Composable:
    """A count, by day of the session's zone, of what between() would read."""
    template = sql.SQL(read_sql("oltp", "contar_por_dia.sql"))
    return template.format(query=sql.SQL(query.text), condition=_dated(query, since, until))


def fingerprints(
    query: Query,
    products: Query,
    since: datetime,
    limit: datetime,
    openings: Mapping[int, datetime],
    horizon: int | None,
    changed: Sequence[int] = (),
) -> sql.Composable:
    """A read of every movement's fingerprint, scope and newness, for verify.

    What is dated after `limit` waits in quarantine, as do the lines of products that `products`
    does not yield. `openings` are the products whose movements count from a date only; without
    a `horizon` nothing is too new to be compared. The products of `changed` came or went after it.
    """
    pending = _are_new(query, horizon) if horizon else []
    if horizon and changed:
        ids = sql.Literal(list(changed))
        pending.append(sql.SQL("m.id_producto = ANY ({}::bigint[])").format(ids))
    return sql.SQL(read_sql("oltp", "huella_movimientos.sql")).format(
        query=sql.SQL(query.text),
        catalogue=sql.SQL(products.text),
        clock=sql.SQL("c.fecha" if query.wall_clock else "c.fecha AT TIME ZONE 'UTC'"),
        moment=_moment(query),
        type=_date_type(query),
        since=_bound(query, since),
        limit=_bound(query, limit),
        products=sql.Literal(list(openings)),
        dates=sql.SQL(", ").join(_bound(query, date) for date in openings.values()),
        pending=sql.SQL(" OR ").join(pending) if pending else sql.SQL("false"),
    )


def with_rules(query: Query, rules: Callable[[], Rules]) -> Query:
    """The query as everything() with a date, between() and the like want it.

    `rules` are the OLAP's for the shop's zone, around the dates that are to be compared; they are
    asked for only where it matters.
    """
    return replace(query, rules=rules()) if query.wall_clock else query


def _date_type(query: Query) -> sql.SQL:
    return sql.SQL("timestamp" if query.wall_clock else "timestamptz")


def _moment(query: Query, bound: datetime | None = None) -> sql.Composable:
    """A movement's date as _bound() gives one, to be compared with that of `bound`, or with any.

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


def _bound(query: Query, moment: datetime) -> sql.Composable:
    if not query.wall_clock:
        return sql.Literal(moment)
    assert query.rules is not None
    return sql.Literal(query.rules.wall_clock(moment))


def _in_scope(query: Query, since: datetime) -> sql.Composable:
    return sql.SQL("{} AND {} AND (m.fecha IS NULL OR {} >= {})").format(
        _KNOWN_TYPE, _NOT_VOIDED, _moment(query, since), _bound(query, since)
    )


def _wrap(query: Query, condition: sql.Composable) -> sql.Composable:
    template = sql.SQL(read_sql("oltp", f"extraer_{query.name}.sql"))
    return template.format(query=sql.SQL(query.text), condition=condition, type=_date_type(query))
