"""What some rows of a table say: words of types and states, signs of quantities, and counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg2 import sql
from psycopg2.extras import RealDictCursor

from pipeline.base.database import call
from pipeline.base.sql_files import read_sql
from pipeline.oltp.drafting.lines import Field, kind_of_place
from pipeline.oltp.drafting.words import type_named

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.drafting.lines import Lines
    from pipeline.oltp.drafting.tables import Table

# Of a larger table some of its pages are looked at: so much of it, in bytes.
_SAMPLE = 16 << 20
_WORDS = 60
_COUNTS = (
    *("filas", "suma", "negativas", "positivas", "con_precio", "con_costo"),
    *("sin_fecha", "sin_producto", "sin_codigo"),
)
_SIZE = """
SELECT coalesce(sum(pg_relation_size(p.relid)), pg_relation_size(%(table)s::regclass))
FROM pg_partition_tree(%(table)s::regclass) AS p
"""


@dataclass(frozen=True)
class Group:
    """Rows that say the same of what they are, in one word or, of places, in two."""

    words: tuple[str | None, ...]
    rows: int
    sum: Any
    negative: int
    positive: int
    priced: int
    costed: int
    dateless: int
    without_product: int
    without_code: int

    @property
    def type(self) -> str | None:
        """Which type its one word names."""
        return type_named(self.words[0] or "") if len(self.words) == 1 else None


@dataclass(frozen=True)
class Signs:
    """What was seen of a table's rows; nothing, with `readable` false, where nobody may look."""

    readable: bool
    groups: list[Group] = field(default_factory=list)
    states: dict[str, list[str]] = field(default_factory=dict)
    whole: bool = True

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return sum(group.rows for group in self.groups)

    @property
    def dateless(self) -> int:
        """How many of them have no date."""
        return sum(group.dateless for group in self.groups)

    @property
    def is_signed(self) -> bool:
        """Whether what leaves is negative there."""
        return any(g.negative for g in self.groups) and any(g.positive for g in self.groups)


def look_at(shop: Connection, lines: Lines) -> Signs:
    """Some rows of that table with their headers: at most a scan of the header's table."""
    named = [lines.table, *(join.link.table for join in lines.joins)]
    if not all(table.readable for table in named):
        return Signs(readable=False)
    sample, whole = _sampled(shop, lines.table)
    source = sql.SQL(source_of(lines, sample))
    words = words_sql(lines)
    slots = {
        "words": sql.SQL(f"ARRAY[{', '.join(words)}]::text[]"),
        "quantity": sql.SQL(f"d.{lines.quantity.quoted}"),
        "price": sql.SQL(lines.price.sql if lines.price else "NULL"),
        "cost": sql.SQL(lines.cost.sql if lines.cost else "NULL"),
        "moment": sql.SQL(lines.moment.sql),
        "product": sql.SQL(f"d.{lines.product.column.quoted}"),
        "code": sql.SQL(f"d.{lines.code.quoted}" if lines.code else "NULL"),
        "source": source,
        "limit": sql.Literal(_WORDS),
    }
    with shop.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(sql.SQL(read_sql("oltp", "muestra_signos.sql")).format(**slots))
        groups = [Group(tuple(r["palabras"]), *(r[name] for name in _COUNTS)) for r in cursor]
    states = {}
    for name in words_sql(lines) if lines.places else ():
        # Of all places, not only of those that something was moved between.
        link = lines.places[0] if lines.places else None
        if link:
            alias = name.partition(".")[0]
            states[name] = _words(shop, name, sql.SQL(f"{link.table.quoted} AS {alias}"))
    for state in lines.states:
        if state.column.kind == "text":
            states[state.text] = _words(shop, state.text, source)
    return Signs(True, groups, states, whole)


def words_sql(lines: Lines) -> list[str]:
    """What tells the type of a row: a word, or what its two places are; nothing: its table."""
    if lines.places:
        kinds = [kind_of_place(link.table) for link in lines.places]
        return [Field(a, kind).text for a, kind in zip("oh", kinds, strict=True) if kind]
    return [lines.type.text] if lines.type else []


def source_of(lines: Lines, line_table: str) -> str:
    """What follows FROM: the line, its header, and what else it needs."""
    return "\n".join([line_table, *(join.sql for join in lines.joins)])


def _sampled(shop: Connection, table: Table) -> tuple[str, bool]:
    """The table as `d`, or some of its pages, and whether it is the whole."""
    with shop.cursor() as cursor:
        cursor.execute(_SIZE, {"table": table.quoted})
        size = int((cursor.fetchone() or (0,))[0] or 0)
    if size <= _SAMPLE:
        return f"{table.quoted} AS d", True
    return f"{table.quoted} AS d TABLESAMPLE SYSTEM ({100 * _SAMPLE / size:.6f})", False


def _words(shop: Connection, column: str, source: sql.SQL) -> list[str]:
    found = call(
        shop,
        sql.SQL(
            "SELECT array_agg(w.word) FROM (SELECT {column} AS word FROM {source}"
            " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {limit}) AS w WHERE w.word IS NOT NULL"
        ).format(column=sql.SQL(column), source=source, limit=sql.Literal(_WORDS)),
    )
    return list(found or [])
