"""The shop's tables as its catalogue has them, and which column names a row of which table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg2.extras import RealDictCursor

from pipeline.base.sql_files import read_sql
from pipeline.oltp.drafting.words import ROLES, forms, words_of

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

_KINDS = {
    "integer": ("int2", "int4", "int8"),
    "number": ("numeric", "float4", "float8", "money"),
    "text": ("text", "varchar", "bpchar", "citext", "name"),
    "uuid": ("uuid",),
    "moment": ("timestamptz", "timestamp", "date"),
    "boolean": ("bool",),
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}
IDS = ("integer", "text", "uuid")


@dataclass(frozen=True)
class Column:
    """A column: its name, as SQL writes it, and what `kind` of value it holds ('' of no other)."""

    name: str
    quoted: str
    kind: str
    required: bool
    type: str


@dataclass
class Table:
    """A table with its columns by name, its keys (the primary one first), and its foreign keys."""

    schema: str
    name: str
    quoted: str
    readable: bool
    columns: dict[str, Column]
    keys: list[tuple[str, ...]] = field(default_factory=list)
    links: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """How it is called in a sentence."""
        return f"{self.schema}.{self.name}"

    @property
    def words(self) -> list[str]:
        """What its name is made of."""
        return words_of(self.name)

    def of_kind(self, *kinds: str) -> list[Column]:
        """Its columns of some kinds, in their order."""
        return [column for column in self.columns.values() if column.kind in kinds]


@dataclass(frozen=True)
class Link:
    """What a column names: a row of `table` by its `key`; `declared` by a foreign key."""

    column: Column
    table: Table
    key: Column
    declared: bool


def read_tables(connection: Connection, apart: Sequence[str]) -> list[Table]:
    """Every table of the database but those of the schemas `apart`; public's come first.

    Reads the catalogue alone, which any account may.
    """
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(read_sql("oltp", "catalogo.sql"), {"aparte": list(apart)})
        return [_table(row) for row in cursor]


def _table(row: dict[str, Any]) -> Table:
    columns = {
        name: Column(
            name, quoted, "text" if kind == "e" else _KIND_OF.get(base, ""), required, base
        )
        for name, quoted, base, kind, required in row["columns"] or ()
    }
    keys = [tuple(names) for names in row["keys"] or () if names]
    links = {name: (schema, table, key) for name, schema, table, key in row["links"] or ()}
    return Table(row["schema"], row["name"], row["quoted"], row["readable"], columns, keys, links)


class Tables:
    """All tables, and a way from a column to the one that it names.

    By its foreign key; where there is none by its name: `articulo` and `id_articulo` are of
    `articulos`, whose key is of the same kind.
    """

    def __init__(self, tables: Iterable[Table]) -> None:
        self.all = list(tables)
        self._by_place = {(table.schema, table.name): table for table in self.all}
        self._by_form: dict[str, list[Table]] = defaultdict(list)
        for table in self.all:
            # By its last word: `articulo` may also be of `catalogo_articulos`.
            for form in forms((table.words or [""])[-1]):
                self._by_form[form].append(table)

    def link(self, table: Table, column: Column) -> Link | None:
        """What that column of the table names, None where it names nothing that is there."""
        if declared := table.links.get(column.name):
            other = self._by_place.get(declared[:2])
            key = other.columns.get(declared[2]) if other else None
            return Link(column, other, key, True) if other and key else None
        if column.kind not in IDS or (column.name,) == (table.keys or [()])[0]:
            return None
        named = [word for word in words_of(column.name) if word not in ROLES]
        if not named:
            return None
        wanted = forms(named[-1])
        others = {id(o): o for form in wanted for o in self._by_form.get(form, ())}
        fits = [
            (len(named) - _common(named, other.words), other.schema != table.schema, n, other, key)
            for n, other in enumerate(others.values())
            if other is not table and (key := _key_of_kind(other, column))
        ]
        if not fits:
            return None
        _far, _schema, _n, other, key = min(fits, key=lambda fit: fit[:3])
        return Link(column, other, key, False)

    def links(self, table: Table) -> list[Link]:
        """Of all of its columns."""
        found = (self.link(table, column) for column in table.columns.values())
        return [link for link in found if link]


def _common(named: Sequence[str], words: Sequence[str]) -> int:
    """How many words of a column's name are in that of the table; of two equal the shorter."""
    said = set().union(*(forms(word) for word in words)) if words else set()
    return sum(1 for word in named if forms(word) & said) - max(0, len(words) - len(named))


def _key_of_kind(table: Table, column: Column) -> Column | None:
    """The one column by which that other table's rows are named, of the column's kind."""
    single = [table.columns[key[0]] for key in table.keys if len(key) == 1]
    alike = [key for key in single if key.name == column.name]
    return next((key for key in [*alike, *single] if key.kind == column.kind), None)
