"""Which tables may hold the shop's movements, and which of their columns say what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import permutations

from pipeline.oltp.drafting.tables import IDS, Column, Link, Table, Tables
from pipeline.oltp.drafting.words import (
    BRANCH,
    FLAG,
    FROM,
    GOOD,
    LINES,
    NO_DOCUMENT,
    PEOPLE,
    PLACE,
    PRODUCT,
    TO,
    VOID,
    has,
    rank,
    type_named,
    words_of,
    worth,
)

NUMBERS = ("number", "integer")
# A moment of its own, not only when the row was typed.
CERTAIN = 14
_SURE = 8
_ORDERS = ("order", "pedido", "orden")  # that are sales, where nothing says otherwise


@dataclass(frozen=True)
class Field:
    """A column of the line (`d`), of its header (`t`), or of a table that is joined."""

    alias: str
    column: Column

    @property
    def sql(self) -> str:
        """As a query names it."""
        cast = "::numeric" if self.column.type == "money" else ""
        return f"{self.alias}.{self.column.quoted}{cast}"

    @property
    def text(self) -> str:
        """Its value as text, which an enumeration or a number is not."""
        cast = "" if self.column.type in ("text", "varchar", "bpchar") else "::text"
        return f"{self.alias}.{self.column.quoted}{cast}"


@dataclass(frozen=True)
class Join:
    """A table that is joined as `alias`, by what a column of `owner`'s names, if it names one."""

    alias: str
    owner: str
    link: Link
    how: str = "INNER"

    @property
    def sql(self) -> str:
        """As a query says it."""
        link = self.link
        on = f"{self.alias}.{link.key.quoted} = {self.owner}.{link.column.quoted}"
        return f"{self.how} JOIN {link.table.quoted} AS {self.alias} ON {on}"


@dataclass
class Lines:
    """A table whose rows may be movements; what is None was not found.

    `named` is the type that its name tells; `code` is what a line itself says of its product.
    `places` are where goods come from and go to.
    """

    table: Table
    key: list[Column]
    quantity: Column
    product: Link
    header: Link | None
    moment: Field
    type: Field | None = None
    kinds: Join | None = None
    states: list[Field] = field(default_factory=list)
    price: Field | None = None
    cost: Field | None = None
    total: Field | None = None
    branch: tuple[str, Link] | None = None
    to: tuple[str, Link] | None = None
    places: tuple[Link, Link] | None = None
    origin: Link | None = None
    number: Field | None = None
    named: str | None = None
    code: Column | None = None

    @property
    def joins(self) -> list[Join]:
        """What a row of it needs beside."""
        places = zip(("o", "h"), self.places or (), strict=False)
        found = [Join("t", "d", self.header)] if self.header else []
        found += [Join(alias, "d", link) for alias, link in places]
        return found + ([self.kinds] if self.kinds else [])

    @property
    def score(self) -> int:
        """How much speaks for it, by names and foreign keys alone."""
        money = sum(5 for what in (self.price, self.cost, self.total) if what)
        told = 8 * bool(self.type) + 12 * bool(self.places) + 8 * bool(self.named)
        declared = 3 * self.product.declared + 3 * bool(self.header and self.header.declared)
        return worth(self.quantity.name, "quantity") + money + told + declared


def best(table: Table, what: str, *kinds: str) -> Column | None:
    """The column that its name makes `what`, of one of the kinds; of two equal the first."""
    found = [(worth(column.name, what), column) for column in table.of_kind(*kinds)]
    top = max((value for value, _column in found), default=0)
    return next((column for value, column in found if value == top > 0), None)


def is_product(table: Table) -> bool:
    """Whether its name and its columns are those of a catalogue."""
    if rank(table.words, PRODUCT) is None or has(table.words, LINES | NO_DOCUMENT):
        return False
    return bool(best(table, "name", "text") or best(table, "code", "text"))


def find_lines(tables: Tables) -> list[Lines]:
    """The tables whose rows may be movements, the likeliest first."""
    found = [lines for table in tables.all for lines in _lines(tables, table)]
    return sorted(found, key=lambda lines: -lines.score)


def _lines(tables: Tables, table: Table) -> Iterator[Lines]:
    quantity = best(table, "quantity", *NUMBERS)
    if not quantity or not table.keys or has(table.words, NO_DOCUMENT):
        return
    links = tables.links(table)
    goods = [link for link in links if link.table is not table and is_product(link.table)]
    goods = [link for link in goods if link.key.kind in IDS]
    if not goods:
        return
    product = min(goods, key=lambda link: (rank(link.table.words, PRODUCT) or 0, link.column.name))
    places = _places(tables, table, links)
    header, moment = _header(table, [link for link in links if link not in goods])
    if moment is None:
        return
    lines = Lines(table, [table.columns[name] for name in table.keys[0]], quantity, product,
                  header, moment, places=places)  # fmt: skip
    _describe(tables, lines, links)
    yield lines


def _header(table: Table, links: Iterable[Link]) -> tuple[Link | None, Field | None]:
    """The document that a line is of, and where its date stands; a date of none: no document."""
    own = best(table, "moment", "moment")
    certain = own is not None and worth(own.name, "moment") >= CERTAIN
    fits: list[tuple[int, int, Link, Column]] = []
    for link in links:
        date = best(link.table, "moment", "moment")
        if link.table is table or date is None or has(link.table.words, PEOPLE | NO_DOCUMENT):
            continue
        if rank(link.table.words, PLACE) is not None:
            continue
        if certain and link.declared and not link.column.required:
            continue  # It is of some lines alone.
        value = worth(date.name, "moment") + 4 * link.declared + 4 * link.column.required
        value += 6 * bool(best(link.table, "type", "text")) + 4 * bool(_states(link.table, "t"))
        fits.append((value, -len(fits), link, date))
    if not fits:
        return None, Field("d", own) if own else None
    _value, _place, link, date = max(fits, key=lambda fit: fit[:2])
    if own and certain:
        return link, Field("d", own)
    return link, Field("t", date)


def _describe(tables: Tables, lines: Lines, links: list[Link]) -> None:
    """Everything that the line or else its header says."""
    header = lines.header.table if lines.header else None
    owners = [("d", lines.table), *([("t", header)] if header else [])]

    def field_of(what: str, *kinds: str) -> Field | None:
        for alias, table in owners:
            if column := best(table, what, *kinds):
                return Field(alias, column)
        return None

    def lines_own(what: str) -> Field | None:
        column = best(lines.table, what, *NUMBERS)
        return Field("d", column) if column and column is not lines.quantity else None

    lines.code = best(lines.table, "code", "text")
    lines.price, lines.cost = lines_own("price"), lines_own("cost")
    lines.total = lines_own("total")
    for taken in (lines.price, lines.cost):
        if lines.total and taken and lines.total.column is taken.column:
            lines.total = None
    if lines.price and lines.cost and lines.price.column is lines.cost.column:
        lines.price = None
    lines.type = field_of("type", "text")
    if lines.type is None:
        lines.kinds = _kinds(tables, owners)
        named = best(lines.kinds.link.table, "name", "text") if lines.kinds else None
        lines.type = Field("k", named) if named else None
    lines.states = [state for alias, table in owners for state in _states(table, alias)]
    numbers = [
        (worth(column.name, "number"), Field(alias, column))
        for alias, table in owners
        if (column := best(table, "number", "text", "integer"))
        and column.name not in {link.column.name for link in links}
    ]
    lines.number = max(numbers, key=lambda one: one[0])[1] if numbers else None
    lines.origin = next((one for one in links if one.table is lines.table and one.declared), None)
    names = " ".join([*lines.table.words, *(header.words if header else [])])
    lines.named = type_named(names)
    if lines.named is None and has(names.split(), _ORDERS):
        lines.named = "VENTA"
    _find_branches(tables, lines, owners)


def _kinds(tables: Tables, owners: list[tuple[str, Table]]) -> Join | None:
    """The table of the types' names, where a line or its header has the number of one."""
    for alias, table in owners:
        for link in tables.links(table):
            if worth(link.column.name, "type") > 0 and best(link.table, "name", "text"):
                return Join("k", alias, link, "LEFT")
    return None


def _find_branches(tables: Tables, lines: Lines, owners: list[tuple[str, Table]]) -> None:
    branches = [
        (alias, link)
        for alias, table in owners
        for link in tables.links(table)
        if rank(link.table.words, BRANCH) is not None
        and link.key.kind in IDS
        and link.table is not lines.product.table
        and not (lines.places and link in lines.places)
    ]
    going = [one for one in branches if TO & set(words_of(one[1].column.name))]
    staying = [one for one in branches if one not in going]
    lines.branch = next(iter(staying), None)
    if lines.branch:
        same = (one for one in going if one[1].table is lines.branch[1].table)
        lines.to = next(same, None)


def _states(table: Table, alias: str) -> list[Field]:
    """What says of a row that it does not count: a flag, a moment, a word."""
    flags = [column for column in table.of_kind("boolean", "moment") if _is_flag(column)]
    word = best(table, "state", "text")
    return [Field(alias, column) for column in [*flags, *([word] if word else [])]]


def _is_flag(column: Column) -> bool:
    words = set(words_of(column.name)) - FLAG
    return bool(words) and words <= (VOID | GOOD if column.kind == "boolean" else VOID)


def _places(tables: Tables, table: Table, links: list[Link]) -> tuple[Link, Link] | None:
    """The two columns of a move, where goods come from and where they go to."""
    for one, other in permutations(links, 2):
        if one.table is other.table and one.table is not table and _is_pair(one, other):
            return one, other
    ids = table.of_kind(*IDS)
    for start, end in permutations(ids, 2):
        named = words_of(start.name), words_of(end.name)
        if not (set(named[0]) <= FROM and set(named[1]) <= TO and all(named)):
            continue
        for place in tables.all:
            if rank(place.words, PLACE) is None or place.schema != table.schema:
                continue
            key = next((place.columns[k[0]] for k in place.keys if len(k) == 1), None)
            if key and key.kind == start.kind == end.kind and kind_of_place(place):
                return Link(start, place, key, False), Link(end, place, key, False)
    return None


def kind_of_place(table: Table) -> Column | None:
    """The column that says what a place is: a supplier, a shelf, a customer."""
    column = best(table, "type", "text")
    return column if column and worth(column.name, "type") >= _SURE else None


def _is_pair(one: Link, other: Link) -> bool:
    said, answered = set(words_of(one.column.name)), set(words_of(other.column.name))
    named = rank(one.table.words, PLACE) is not None and kind_of_place(one.table)
    return bool(named) and bool(said & FROM and answered & TO)
