"""The shop's three queries: found, and their columns held against the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from pipeline.base.sql_files import read_sql
from pipeline.errors import SchemaError
from pipeline.oltp.own_ids import as_numbers, own_column
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg2.extensions import connection as Connection

    from pipeline.base.zone_rules import Rules
    from pipeline.settings import Settings

_INTEGERS = {20: "bigint", 21: "smallint", 23: "integer"}
# Of which the reader makes numbers: see own_ids.py.
_WORDS = {25: "text", 1042: "character", 1043: "character varying", 2950: "uuid"}
# In a cast: one to character keeps a single one.
_CASTS = {**_WORDS, 1042: "bpchar"}
_IDS = {**_INTEGERS, **_WORDS}
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
        "id_movimiento": _IDS,
        "tipo": _ANY,
        "id_producto": _IDS,
        "id_sucursal": _IDS,
        "cantidad": _NUMBERS,
        "precio_unitario": _NUMBERS,
        "costo_unitario": _NUMBERS,
        "fecha": _MOMENTS,
        "anulado": _BOOLEAN,
        "version_1": _ANY,
    },
    "productos": {
        "id_producto": _IDS,
        "codigo": _ANY,
        "nombre": _ANY,
        "categoria": _ANY,
        "version_1": _ANY,
    },
    "sucursales": {"id_sucursal": _IDS, "nombre": _ANY, "version_1": _ANY},
}

# The shop's own figure of its stock: a query that a shop may lack, and its columns.
LEVELS = "existencias"
_LEVELS: dict[str, dict[int, str]] = {"id_producto": _IDS, "existencias": _NUMBERS}

# What a query may lack: null then.
OPTIONAL: dict[str, dict[str, dict[int, str]]] = {
    "movimientos": {
        "id_origen": _IDS,
        "id_sucursal_destino": _IDS,
        "importe": _NUMBERS,
        "impuesto": _NUMBERS,
        "precio_con_impuesto": _BOOLEAN,
    },
    "productos": {
        "inventariable": _BOOLEAN,
        "activo": _BOOLEAN,
        "costo_referencia": _NUMBERS,
        "proveedor": _ANY,
    },
    "sucursales": {},
    LEVELS: {"id_sucursal": _IDS, "costo_referencia": _NUMBERS},
}

# What stands beside a movement, and is no part of what it is: read only where the query has it.
BESIDE: dict[str, dict[int, str]] = {"id_documento": _IDS, "documento": _ANY}

# What only a book asks for, when it is made: a load does not read them.
FOR_BOOK: dict[str, tuple[str, ...]] = {
    "movimientos": ("tipo_documento", "serie", "numero"),
    "productos": ("tipo_existencia", "unidad_medida"),
}

NAMES = tuple(_CONTRACT)


@dataclass(frozen=True)
class Query:
    """One of the shop's queries. `columns` are what it yields; `versions` are its
    row version columns, in order.

    `capture` is ETL_CAPTURE: whether those are of type xid ('xmin') or 'xid8'; with 'full' there
    may be none. `wall_clock` says that its fecha is a date or a timestamp without time zone. The
    OLAP alone makes moments of those, as it cuts its days, so that the two servers may have
    different rules for the shop's zone: what compares them here wants the OLAP's `rules`. `types`
    are the movements' types that the OLAP knows. `own` are its ids that are no numbers, each with
    its type: the shop's own stand in own_column() of each.
    """

    name: str
    text: str
    columns: tuple[str, ...]
    versions: tuple[str, ...]
    capture: str
    wall_clock: bool = False
    types: tuple[str, ...] = ()
    rules: Rules | None = None
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def id_column(self) -> str:
        """The column that names a row."""
        return next(iter(_CONTRACT.get(self.name, _LEVELS)))

    @property
    def columns_beside(self) -> list[str]:
        """What it has of BESIDE, and the shop's own ids where they are no numbers."""
        beside = [column for column in _beside(self.name) if column in self.columns]
        return [*beside, *(own_column(self.name, column) for column in self.own)]

    @property
    def columns_read(self) -> list[str]:
        """What a read of it yields, in its order; of OPTIONAL what is lacking is null."""
        if self.name == LEVELS:
            columns = ["id_producto", "id_sucursal", "existencias", "costo_referencia"]
            return [*columns, *self.columns_beside]
        columns = [column for column in _CONTRACT[self.name] if column != "version_1"]
        return [*columns, *OPTIONAL[self.name], *self.columns_beside]


def _beside(name: str) -> dict[str, dict[int, str]]:
    return BESIDE if name == "movimientos" else {}


def query_text(settings: Settings, name: str) -> str:
    """The text of one of the shop's queries; SchemaError where it cannot be read."""
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
            raise _unreadable(path, error) from error
    return text.rstrip().rstrip(";")


def has_query(folder: Path, name: str) -> bool:
    """Whether the folder has a query; SchemaError where this account may not look."""
    path = folder / f"{name}.sql"
    try:
        return path.exists()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> SchemaError:
    return SchemaError(
        _("{path} cannot be read: {error}; see ETL_OLTP_SQL_DIR").format(path=path, error=error)
    )


def load_query(connection: Connection, settings: Settings, name: str) -> Query:
    """Read the query `name` and hold its columns against the contract, before any row is read.

    Raises SchemaError naming the first column that is missing or of another type.
    """
    text = query_text(settings, name)
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
            if settings.oltp_sql_dir is None and _lacks_optional(name, error):
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
    optional = OPTIONAL[name] | _beside(name)
    contract = _CONTRACT.get(name, _LEVELS)
    for column, types in (contract | optional).items():
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
    kept = (*contract, *optional, *FOR_BOOK.get(name, ()), *versions)
    read = {c: found[c] for c in kept if c in found}
    own = {
        column: _CASTS[read[column]]
        for column, kinds in (contract | optional).items()
        if kinds is _IDS and read.get(column) in _WORDS
    }
    columns = tuple(found)
    if own or not _FLOATS.keys().isdisjoint(read.values()):
        floats = [column for column, kind in read.items() if kind in _FLOATS]
        text = as_numbers(name, text, list(read), floats, own).as_string(connection)
        columns = (*read, *(own_column(name, column) for column in own))
    wall_clock = found.get("fecha") in _WALL_CLOCKS
    return Query(name, text, columns, versions, settings.capture, wall_clock, own=own)


def load_levels(connection: Connection, settings: Settings) -> Query | None:
    """The shop's query of its stock, as load_query(); None where its folder has none.

    Its versions may be missing: then all of it is read each time.
    """
    folder = settings.oltp_sql_dir
    if folder is None or not has_query(folder, LEVELS):
        return None
    return load_query(connection, settings, LEVELS)


def _lacks_optional(name: str, error: psycopg2.Error) -> bool:
    """Whether the example's tables are of a release that had not these columns."""
    told = error.diag.message_primary or ""
    return any(column in told for column in OPTIONAL[name])


def _of_another_type(
    connection: Connection, name: str, column: str, found: int, allowed: dict[int, str]
) -> str:
    """What the column is, what it must be, and how to make that of it."""
    return _(
        "{name}.sql yields {column} as {connection}, but must yield {allowed}: {remedy}"
    ).format(
        name=name,
        column=column,
        connection=_type_name(connection, found),
        allowed=_(" or ").join(sorted(allowed.values())),
        remedy=_("cast it there"),
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
