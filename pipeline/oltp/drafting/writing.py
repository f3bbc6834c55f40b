"""movimientos.sql as a draft: a column of the contract each, with where it is from and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.oltp.drafting.choice import BY_SIGN, type_of
from pipeline.oltp.drafting.lines import Field
from pipeline.oltp.drafting.signs import source_of, words_sql
from pipeline.oltp.drafting.words import (
    BRANCH,
    DONE,
    EVENTS,
    GOOD,
    PLACES,
    TEN,
    UNDONE,
    has,
    rank,
    words_of,
)
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.oltp.drafting.choice import Choice, Part
    from pipeline.oltp.drafting.signs import Group
    from pipeline.oltp.drafting.tables import Column, Link, Tables

_KIND_SQL = {"integer": "bigint", "text": "text", "uuid": "uuid"}


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


def movements(choice: Choice, tables: Tables, version: str) -> list[list[Yielded]]:
    """What each table of the draft yields; they are put together by UNION ALL."""
    several = len(choice.parts)
    whole = all(
        len(part.lines.key) == 1 and part.lines.key[0].kind == "integer" for part in choice.parts
    )
    return [
        _part(part, number, several, whole, choice, tables, version)
        for number, part in enumerate(choice.parts)
    ]


def _part(
    part: Part,
    number: int,
    several: int,
    whole: bool,
    choice: Choice,
    tables: Tables,
    version: str,
) -> list[Yielded]:
    lines = part.lines
    types, quantity = _types(part)
    price, cost = _money(part)
    apart = several > 1

    def kept_apart(alias: str, key: Sequence[Column]) -> str:
        """An id that no other table's row has."""
        named = [f"{alias}.{column.quoted}" for column in key]
        texts = [Field(alias, column).text for column in key]
        if len(named) == 1 and not apart:
            return named[0]
        if whole and len(named) == 1:
            return f"{several} * {named[0]}" + (f" + {number}" if number else "")
        said = " || '-' || ".join(texts)
        return f"{literal(lines.table.name + ':')} || {said}" if apart else said

    found = [
        Yielded("id_movimiento", kept_apart("d", lines.key), _("its key")),
        types,
        _product(part, choice.code),
        *_branches(part, choice, tables),
        quantity,
        price,
        cost,
        Yielded("fecha", lines.moment.sql, _named(lines.moment.column)),
        _void(part),
    ]
    found += _beside(part, apart)
    if lines.header and (not apart or (whole and lines.header.key.kind == "integer")):
        found.append(
            Yielded("id_documento", kept_apart("t", [lines.header.key]), _of(lines.header))
        )
    if lines.number and not apart:
        found.append(Yielded("documento", lines.number.text, _named(lines.number.column)))
    if version:
        for place, alias in enumerate(["d", *(join.alias for join in lines.joins)], 1):
            found.append(Yielded(f"version_{place}", f"{alias}.{version}", ""))
    return found


def _product(part: Part, code: Column | None) -> Yielded:
    """The product's key, or its code where lines of the past have lost that."""
    column = part.lines.product.column
    if code is None:
        return Yielded("id_producto", f"d.{column.quoted}", _of(part.lines.product))
    lost = sum(group.without_product for group in part.signs.groups)
    why = _("{column} is empty in {rows} rows").format(column=column.name, rows=lost)
    return Yielded("id_producto", f"d.{code.quoted}", why)


def from_clause(part: Part) -> str:
    """FROM and what is joined."""
    return f"FROM {source_of(part.lines, f'{part.lines.table.quoted} AS d')}"


def _named(column: Column) -> str:
    return _("by its name")


def _of(link: Link) -> str:
    if link.declared:
        return _("foreign key to {table}").format(table=link.table.label)
    return _("its name is that of {table}").format(table=link.table.label)


def _types(part: Part) -> tuple[Yielded, Yielded]:
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


def _among(column: str, words: Iterable[str]) -> str:
    said = [literal(word) for word in words]
    if len(said) == 1:
        return f"{column} = {said[0]}"
    return f"{column} IN ({', '.join(said)})" if said else "false"


def _classes(part: Part) -> dict[str, list[str]]:
    """The words of the places by what such a place is."""
    seen = next((part.signs.states[c] for c in words_sql(part.lines) if part.signs.states), [])
    return {kind: [word for word in seen if _place(word) == kind] for kind in PLACES}


def _place(word: str) -> str | None:
    return next((kind for kind, some in PLACES.items() if has(words_of(word), some)), None)


def _moved(part: Part) -> tuple[str, str]:
    """By where goods come from and where they go to, as the words of the places' kinds say."""
    by_kind = _classes(part)
    why = _("by where from and where to; places: {words}").format(
        words=", ".join(f"{kind}: {' '.join(words)}" for kind, words in by_kind.items() if words)
        or _("none was seen")
    )
    if not by_kind["own"]:
        return "NULL::text", why
    one, other = words_sql(part.lines)
    here, there = _among(one, by_kind["own"]), _among(other, by_kind["own"])
    cases = [
        ("supplier", "ENTRADA_MERCANCIA", "DEVOLUCION_COMPRA"),
        ("customer", "DEVOLUCION_VENTA", "VENTA"),
        ("loss", "AJUSTE_ENTRADA", "AJUSTE_SALIDA"),
    ]
    whens = []
    for kind, enters, leaves in cases:
        if by_kind[kind]:
            whens.append(f"WHEN {_among(one, by_kind[kind])} AND {there} THEN '{enters}'")
            whens.append(f"WHEN {here} AND {_among(other, by_kind[kind])} THEN '{leaves}'")
    origin, end = _where(part)
    whens.append(f"WHEN {here} AND {there} AND {origin} <> {end} THEN 'TRASLADO'")
    return _case("", whens), why


def _where(part: Part) -> tuple[str, str]:
    """The branch of the place that goods come from and of that where they go to."""
    if part.lines.places is None:
        return "NULL", "NULL"
    place = part.lines.places[0]
    column = _branch_column(part)
    name = column.quoted if column else place.key.quoted
    return f"o.{name}", f"h.{name}"


def _branch_column(part: Part) -> Column | None:
    """The column of a place that names its warehouse."""
    place = part.lines.places[0].table if part.lines.places else None
    for column in place.columns.values() if place else ():
        words = [word for word in words_of(column.name) if word != "id"]
        if len(words) == 1 and rank(words, BRANCH) is not None and column.kind in _KIND_SQL:
            return column
    return None


def branch_table(choice: Choice, tables: Tables) -> Link | None:
    """The table of the branches, by whose key the movements name them."""
    for part in choice.parts:
        if part.lines.places:
            column = _branch_column(part)
            place = part.lines.places[0]
            link = tables.link(place.table, column) if column else None
            return link or place
        if part.lines.branch:
            return part.lines.branch[1]
    return None


def _branches(part: Part, choice: Choice, tables: Tables) -> list[Yielded]:
    table = branch_table(choice, tables)
    kind = _KIND_SQL[table.key.kind] if table else "bigint"
    lines = part.lines
    if lines.places and table:
        own = _classes(part)["own"]
        one, other = words_sql(lines)
        here, there = _among(one, own), _among(other, own)
        origin, end = _where(part)
        why = _of(lines.places[0])
        return [
            Yielded("id_sucursal", f"CASE WHEN {here} THEN {origin} ELSE {end} END", why),
            Yielded("id_sucursal_destino", f"CASE WHEN {here} AND {there} THEN {end} END", why),
        ]
    fits = lines.branch and table and lines.branch[1].table is table.table
    if not (lines.branch and fits):
        return [Yielded("id_sucursal", f"NULL::{kind}", _("no column of a branch"))]
    alias, link = lines.branch
    found = [Yielded("id_sucursal", f"{alias}.{link.column.quoted}", _of(link))]
    if lines.to and len(choice.parts) == 1:
        alias, link = lines.to
        found.append(Yielded("id_sucursal_destino", f"{alias}.{link.column.quoted}", _of(link)))
    return found


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


def _money(part: Part) -> tuple[Yielded, Yielded]:
    """The unit price and the unit cost; of one that is missing what stands for it."""
    lines, groups = part.lines, part.signs.groups
    alone = None if lines.type or lines.places else lines.named
    bought = alone in ("ENTRADA_MERCANCIA", "DEVOLUCION_COMPRA")
    total = lines.total.sql if lines.total else ""
    divided = f"abs({total} / nullif(d.{lines.quantity.quoted}, 0))" if total else ""
    priced = sum(group.priced for group in groups)
    costed = sum(group.costed for group in groups)
    count = _("; {rows} rows have one")
    price, cost = "NULL::numeric", "NULL::numeric"
    why_price = why_cost = _("no such column")
    if lines.price:
        price, why_price = lines.price.sql, _("by its name") + count.format(rows=priced)
    elif divided and not bought:
        price, why_price = divided, _("the line's amount by its quantity")
    if lines.cost:
        cost, why_cost = lines.cost.sql, _("by its name") + count.format(rows=costed)
        lacking = any(
            group.priced > 0 and group.costed < group.rows
            for group in groups
            if _receives(part, group)
        )
        if lacking and lines.price:
            cost, why_cost = f"coalesce({cost}, {price})", why_cost + "; " + _("else the price")
    elif alone in ("VENTA", "DEVOLUCION_VENTA"):
        pass
    elif lines.price:
        cost, why_cost = price, _("the only amount that a line has")
    elif divided:
        cost, why_cost = divided, _("the line's amount by its quantity")
    return Yielded("precio_unitario", price, why_price), Yielded("costo_unitario", cost, why_cost)


def _receives(part: Part, group: Group) -> bool:
    """Whether such rows are receipts, which need a cost."""
    if part.lines.places:
        return [_place(word or "") for word in group.words] == ["supplier", "own"]
    return type_of(part, group)[0] == "ENTRADA_MERCANCIA"


def _void(part: Part) -> Yielded:
    """What does not count: flags, moments and words of a state; a date that is still to come."""
    said, why = [], []
    for state in part.lines.states:
        told = _voided(part, state)
        if told:
            said.append(told)
            why.append(_state_why(part, state))
    moment = part.lines.moment
    if part.signs.dateless and set(words_of(moment.column.name)) & EVENTS:
        said.append(f"{moment.sql} IS NULL")
        why.append(_("{rows} have not happened yet").format(rows=part.signs.dateless))
    return Yielded("anulado", " OR ".join(said) or "false", "; ".join(why) or _("nothing says so"))


def _state_why(part: Part, state: Field) -> str:
    words = part.signs.states.get(state.text)
    if words is None:
        return _("by its name")
    return _("by its name; words: {words}").format(words=", ".join(map(repr, words)))


def _voided(part: Part, state: Field) -> str:
    words = set(words_of(state.column.name))
    if state.column.kind == "moment":
        return f"{state.sql} IS NOT NULL"
    if state.column.kind == "boolean":
        if words & GOOD:
            return f"{state.sql} IS NOT TRUE"
        return state.sql if state.column.required else f"coalesce({state.sql}, false)"
    seen = part.signs.states.get(state.text, [])
    done = [word for word in seen if words_of(word) and has(words_of(word)[:1], DONE)]
    undone = [word for word in seen if has(words_of(word), UNDONE)]
    if done:
        return f"({_among(state.text, done)}) IS NOT TRUE"
    return f"coalesce({_among(state.text, undone)}, false)" if undone else ""


def _beside(part: Part, apart: bool) -> list[Yielded]:
    """What may be left out: the line that is returned, its amount, whether tax is within."""
    lines = part.lines
    found = []
    if lines.origin and not apart:
        found.append(Yielded("id_origen", f"d.{lines.origin.column.quoted}", _of(lines.origin)))
    total = lines.total
    if total and not apart and (total.column.name == "importe" or lines.price is None):
        told = total.sql if total.column.name == "importe" else f"abs({total.sql})"
        found.append(Yielded("importe", told, _named(total.column)))
    price = lines.price or total
    words = set(words_of(price.column.name)) if price else set()
    if not apart and words & {"excl", "net", "neto", "sin"}:
        found.append(Yielded("precio_con_impuesto", "false", _("the price's name says so")))
    elif not apart and words & {"incl", "con", "bruto", "gross"}:
        found.append(Yielded("precio_con_impuesto", "true", _("the price's name says so")))
    return found
