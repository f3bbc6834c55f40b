"""The shop's three queries: found, and their columns held against the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from pipeline.base.sql_files import read_sql
from pipeline.errors import SchemaError
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.base.zone_rules import Rules
    from pipeline.settings import Settings

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
    "xmin": N_("yield the table's xmin there"),
    "full": N_("leave it out"),
    "xid8": N_(
        "run sql/oltp/captura_xid8.sql in the OLTP, and yield the table's version_etl there"
    ),
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

# What a query may lack: null then.
OPTIONAL: dict[str, dict[str, dict[int, str]]] = {
    "movimientos": {
        "id_origen": _INTEGERS,
        "id_sucursal_destino": _INTEGERS,
        "importe": _NUMBERS,
        "impuesto": _NUMBERS,
        "precio_con_impuesto": _BOOLEAN,
    },
    "productos": {"inventariable": _BOOLEAN, "activo": _BOOLEAN},
    "sucursales": {},
}

# What only a book asks for, when it is made: a load does not read them.
FOR_BOOK: dict[str, tuple[str, ...]] = {
    "movimientos": ("tipo_documento", "serie", "numero"),
    "productos": ("tipo_existencia", "unidad_medida"),
}

NAMES = tuple(_CONTRACT)


def columns_read(name: str) -> list[str]:
    """What a read of the query `name` yields, in its order; a column that is lacking is null."""
    columns = [column for column in _CONTRACT[name] if column != "version_1"]
    return columns + list(OPTIONAL[name])


@dataclass(frozen=True)
class Query:
    """One of the shop's queries. `columns` are what it yields; `versions` are its
    row version columns, in order.

    `capture` is ETL_CAPTURE: whether those are of type xid ('xmin') or 'xid8'; with 'full' there
    may be none. `wall_clock` says that its fecha is a date or a timestamp without time zone. The
    OLAP alone makes moments of those, as it cuts its days, so that the two servers may have
    different rules for the shop's zone: what compares them here wants the OLAP's `rules`. `types`
    are the movements' types that the OLAP knows.
    """

    name: str
    text: str
    columns: tuple[str, ...]
    versions: tuple[str, ...]
    capture: str
    wall_clock: bool = False
    types: tuple[str, ...] = ()
    rules: Rules | None = None

    @property
    def id_column(self) -> str:
        """The column that names a row."""
        return next(iter(_CONTRACT[self.name]))


def _query_text(settings: Settings, name: str) -> str:
    if settings.oltp_sql_dir is None:
        folder = "oltp/xid8" if settings.capture == "xid8" else "oltp"
        text = read_sql(folder, f"{name}.sql")
    else:
        path = settings.oltp_sql_dir / f"{name}.sql"
        try:
            # As Windows' editors save it, with a mark at the beginning.
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise SchemaError(
                _("{path} is not in UTF-8, whatever the database is in: save it so").format(
                    path=path
                )
            ) from error
        except OSError as error:
            raise SchemaError(
                _("{path} cannot be read: {error}; see ETL_OLTP_SQL_DIR").format(
                    path=path, error=error
                )
            ) from error
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
                _(
                    "{name}.sql is no single SELECT that PostgreSQL understands: "
                    "{message_primary}; correct it (see ETL_OLTP_SQL_DIR)"
                ).format(name=name, message_primary=error.diag.message_primary)
            ) from error
        except (
            psycopg2.errors.UntranslatableCharacter,
            psycopg2.errors.CharacterNotInRepertoire,
            UnicodeEncodeError,
        ) as error:
            strange = ", ".join(sorted({c for c in text if not c.isascii()})[:5])
            raise SchemaError(
                _(
                    "{name}.sql holds a character that the OLTP's encoding has not (of {strange}): "
                    "write it without, or as chr() of its number"
                ).format(name=name, strange=strange)
            ) from error
        except psycopg2.errors.UndefinedColumn as error:
            if settings.oltp_sql_dir is None and _lacks_optional(error):
                raise SchemaError(
                    _(
                        "{name}.sql: {message_primary}; run `python -m pipeline init "
                        "--example-oltp`, which adds it"
                    ).format(name=name, message_primary=error.diag.message_primary)
                ) from error
            if settings.capture != "xid8":
                raise
            raise SchemaError(
                _(
                    "{name}.sql: {message_primary}; for ETL_CAPTURE=xid8 run "
                    "sql/oltp/captura_xid8.sql in the OLTP, or correct the query"
                ).format(name=name, message_primary=error.diag.message_primary)
            ) from error
        found = {column.name: column.type_code for column in cursor.description or ()}
    optional = OPTIONAL[name]
    for column, types in (_CONTRACT[name] | optional).items():
        if column == "version_1" and settings.capture == "full":
            continue
        if column not in found and column in optional:
            continue
        if column not in found:
            raise SchemaError(
                _(
                    "{name}.sql yields no column {column}: add it, as the comment in that file says"
                ).format(name=name, column=column)
            )
        if types and found[column] not in types:
            raise SchemaError(_of_another_type(connection, name, column, found[column], types))
    versions = tuple(sorted(c for c in found if c.startswith("version_")))
    if settings.capture == "full":
        # They only tell verify what is still to come: what is of no use is left out.
        versions = tuple(c for c in versions if _VERSIONS.get(found[c]) == "xid")
    for column in versions:
        _check_version(connection, name, column, found[column], settings.capture)
    kept = (*_CONTRACT[name], *optional, *FOR_BOOK.get(name, ()), *versions)
    read = {c: found[c] for c in kept if c in found}
    if not _FLOATS.keys().isdisjoint(read.values()):
        text = _with_every_digit(text, read).as_string(connection)
        found = read
    wall_clock = found.get("fecha") in _WALL_CLOCKS
    return Query(name, text, tuple(found), versions, settings.capture, wall_clock)


def _lacks_optional(error: psycopg2.Error) -> bool:
    """Whether the example's tables are of a release that had not these columns."""
    told = error.diag.message_primary or ""
    return any(column in told for columns in OPTIONAL.values() for column in columns)


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
    remedy = _("cast it there")
    if allowed is _INTEGERS and found not in _NUMBERS:
        remedy = _(
            "make a number of it there that stays the same, and keep the key beside it in "
            "a column of another name: ('x' || left(md5({column}::text), "
            "15))::bit(60)::bigint AS {column}"
        ).format(column=column)
    return _(
        "{name}.sql yields {column} as {connection}, but must yield {allowed}: {remedy}"
    ).format(
        name=name,
        column=column,
        connection=_type_name(connection, found),
        allowed=_(" or ").join(sorted(allowed.values())),
        remedy=remedy,
    )


def _type_name(connection: Connection, oid: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT format_type(%s, NULL)", (oid,))
        row = cursor.fetchone()
    return str(row[0]) if row else _("a type with oid {oid}").format(oid=oid)


def _check_version(
    connection: Connection, name: str, column: str, found: int, capture: str
) -> None:
    wanted = _VERSION_TYPES[capture]
    if _VERSIONS.get(found) != wanted:
        raise SchemaError(
            _(
                "{name}.sql yields {column} as {connection}, but ETL_CAPTURE={capture} wants "
                "{wanted}: {version_remedies}"
            ).format(
                name=name,
                column=column,
                connection=_type_name(connection, found),
                capture=capture,
                wanted=wanted,
                version_remedies=_(_VERSION_REMEDIES[capture]),
            )
        )
