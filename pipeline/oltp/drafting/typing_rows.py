"""What tells a movement's type, in a draft: words, places, signs; and the quantity as it has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.oltp.drafting.choice import BY_SIGN, type_of
from pipeline.oltp.drafting.signs import words_sql
from pipeline.oltp.drafting.words import (
    BRANCH,
    PLACES,
    TEN,
    has,
    rank,
    words_of,
)
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.oltp.drafting.choice import Part
    from pipeline.oltp.drafting.tables import Column, Link

# How a key of that kind is written in SQL.
KIND_SQL = {"integer": "bigint", "text": "text", "uuid": "uuid"}


@dataclass(frozen=True)
class Yielded:
    """A column of a query: its expression, its name, and why it is taken to be that."""

    name: str
    sql: str
    why: str


def literal(value: str) -> str:
    """A text as SQL in ASCII."""
    plain = value.replace("'", "''")
    if value.isascii() and "\\" not in value:
        return f"'{plain}'"
    escaped = "".join(
        c if c.isascii() and c != "\\" else f"\\+{ord(c):06X}" if c != "\\" else "\\\\"
        for c in plain
    )
    return f"U&'{escaped}'"


def by_name(column: Column) -> str:
    return _("by its name")


def of_link(link: Link) -> str:
    if link.declared:
        return _("foreign key to {table}").format(table=link.table.label)
    return _("its name is that of {table}").format(table=link.table.label)


def types_of(part: Part) -> tuple[Yielded, Yielded]:
    """What tells the type, and the quantity as that type has it."""
    lines, signs = part.lines, part.signs
    amount = f"d.{lines.quantity.quoted}"
    signed = _("by its name") + _signs(part)
    if lines.places:
        told, why = _moved(part)
        return Yielded("tipo", told, why), Yielded("cantidad", amount, signed)
    if lines.type is None:
        kind, turned = (lines.named, False)
        if signs.groups:
            kind, turned = type_of(part, signs.groups[0])
        if kind is None:
            kind = BY_SIGN
        quantity = f"abs({amount})" if kind == BY_SIGN else f"-{amount}" if turned else amount
        told = _by_sign(amount) if kind == BY_SIGN else literal(kind)
        named = _("by the table's name") if lines.named else _("by the sign of the quantity")
        return Yielded("tipo", told, named), Yielded("cantidad", quantity, signed)
    return _by_words(part, amount, signed)


def _by_sign(amount: str) -> str:
    return f"CASE WHEN {amount} < 0 THEN 'AJUSTE_SALIDA' ELSE 'AJUSTE_ENTRADA' END"


def _by_words(part: Part, amount: str, signed: str) -> tuple[Yielded, Yielded]:
    """By a column of types: each word that was seen, and which quantities are turned round."""
    groups = part.signs.groups
    column = part.lines.type.text if part.lines.type else "NULL"
    told = {group.words[0]: (*type_of(part, group), group.rows) for group in groups}
    why = _("by its name; words: {words}").format(
        words=", ".join(f"{word!r} {rows}" for word, (_kind, _turned, rows) in told.items())
        or _("none was seen")
    )
    known = {word: row for word, row in told.items() if word is not None}
    plain = all(word in TEN and kind == word for word, (kind, _t, _rows) in known.items())
    if plain and not any(turned for _kind, turned, _rows in known.values()):
        return Yielded("tipo", column, why), Yielded("cantidad", amount, signed)
    whens = [
        f"WHEN {literal(word)} THEN {_by_sign(amount) if kind == BY_SIGN else literal(kind)}"
        for word, (kind, _turned, _rows) in known.items()
        if kind
    ]
    turns = [
        f"WHEN {literal(word)} THEN {f'abs({amount})' if kind == BY_SIGN else f'-{amount}'}"
        for word, (kind, turned, _rows) in known.items()
        if kind and (turned or kind == BY_SIGN)
    ]
    quantity = _case(column, turns, f"ELSE {amount}") if turns else amount
    said = _case(column, whens) if whens else "NULL::text"
    return Yielded("tipo", said, why), Yielded("cantidad", quantity, signed)


def _case(column: str, whens: Sequence[str], otherwise: str = "") -> str:
    inner = "".join(f"\n        {line}" for line in [*whens, *([otherwise] if otherwise else [])])
    return f"CASE{column and ' '}{column}{inner}\n    END"


def among(column: str, words: Iterable[str]) -> str:
    said = [literal(word) for word in words]
    if len(said) == 1:
        return f"{column} = {said[0]}"
    return f"{column} IN ({', '.join(said)})" if said else "false"


def classes(part: Part) -> dict[str, list[str]]:
    """The words of the places by what such a place is."""
    seen = next((part.signs.states[c] for c in words_sql(part.lines) if part.signs.states), [])
    return {kind: [word for word in seen if kind_of(word) == kind] for kind in PLACES}


def kind_of(word: str) -> str | None:
    return next((kind for kind, some in PLACES.items() if has(words_of(word), some)), None)


def _moved(part: Part) -> tuple[str, str]:
    """By where goods come from and where they go to, as the words of the places' kinds say."""
    by_kind = classes(part)
    why = _("by where from and where to; places: {words}").format(
        words=", ".join(f"{kind}: {' '.join(words)}" for kind, words in by_kind.items() if words)
        or _("none was seen")
    )
    if not by_kind["own"]:
        return "NULL::text", why
    one, other = words_sql(part.lines)
    here, there = among(one, by_kind["own"]), among(other, by_kind["own"])
    cases = [
        ("supplier", "ENTRADA_MERCANCIA", "DEVOLUCION_COMPRA"),
        ("customer", "DEVOLUCION_VENTA", "VENTA"),
        ("loss", "AJUSTE_ENTRADA", "AJUSTE_SALIDA"),
    ]
    whens = []
    for kind, enters, leaves in cases:
        if by_kind[kind]:
            whens.append(f"WHEN {among(one, by_kind[kind])} AND {there} THEN '{enters}'")
            whens.append(f"WHEN {here} AND {among(other, by_kind[kind])} THEN '{leaves}'")
    origin, end = where(part)
    whens.append(f"WHEN {here} AND {there} AND {origin} <> {end} THEN 'TRASLADO'")
    return _case("", whens), why


def where(part: Part) -> tuple[str, str]:
    """The branch of the place that goods come from and of that where they go to."""
    if part.lines.places is None:
        return "NULL", "NULL"
    place = part.lines.places[0]
    column = branch_column(part)
    name = column.quoted if column else place.key.quoted
    return f"o.{name}", f"h.{name}"


def branch_column(part: Part) -> Column | None:
    """The column of a place that names its warehouse."""
    place = part.lines.places[0].table if part.lines.places else None
    for column in place.columns.values() if place else ():
        words = [word for word in words_of(column.name) if word != "id"]
        if len(words) == 1 and rank(words, BRANCH) is not None and column.kind in KIND_SQL:
            return column
    return None


def _signs(part: Part) -> str:
    signs = part.signs
    if not signs.readable:
        return "; " + _("its rows may not be read by this account")
    if not signs.rows:
        return "; " + _("it has no rows")
    return "; " + _("of {rows} rows {above} above 0, {below} below").format(
        rows=signs.rows,
        above=sum(group.positive for group in signs.groups),
        below=sum(group.negative for group in signs.groups),
    )
