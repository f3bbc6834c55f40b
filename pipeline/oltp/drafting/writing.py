"""movimientos.sql as a draft: a column of the contract each, with where it is from and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.oltp.drafting.choice import type_of
from pipeline.oltp.drafting.lines import Field
from pipeline.oltp.drafting.signs import source_of, words_sql
from pipeline.oltp.drafting.typing_rows import (
    KIND_SQL,
    Yielded,
    among,
    branch_column,
    by_name,
    classes,
    kind_of,
    literal,
    of_link,
    types_of,
    where,
)
from pipeline.oltp.drafting.words import (
    DONE,
    EVENTS,
    GOOD,
    UNDONE,
    has,
    words_of,
)
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.oltp.drafting.choice import Choice, Part
    from pipeline.oltp.drafting.signs import Group
    from pipeline.oltp.drafting.tables import Column, Link, Tables


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
    types, quantity = types_of(part)
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
        Yielded("fecha", lines.moment.sql, by_name(lines.moment.column)),
        _void(part),
    ]
    found += _beside(part, apart)
    if lines.header and (not apart or (whole and lines.header.key.kind == "integer")):
        found.append(
            Yielded("id_documento", kept_apart("t", [lines.header.key]), of_link(lines.header))
        )
    if lines.number and not apart:
        found.append(Yielded("documento", lines.number.text, by_name(lines.number.column)))
    if version:
        for place, alias in enumerate(["d", *(join.alias for join in lines.joins)], 1):
            found.append(Yielded(f"version_{place}", f"{alias}.{version}", ""))
    return found


def _product(part: Part, code: Column | None) -> Yielded:
    """The product's key, or its code where lines of the past have lost that."""
    column = part.lines.product.column
    if code is None:
        return Yielded("id_producto", f"d.{column.quoted}", of_link(part.lines.product))
    lost = sum(group.without_product for group in part.signs.groups)
    why = _("{column} is empty in {rows} rows").format(column=column.name, rows=lost)
    return Yielded("id_producto", f"d.{code.quoted}", why)


def from_clause(part: Part) -> str:
    """FROM and what is joined."""
    return f"FROM {source_of(part.lines, f'{part.lines.table.quoted} AS d')}"


def branch_table(choice: Choice, tables: Tables) -> Link | None:
    """The table of the branches, by whose key the movements name them."""
    for part in choice.parts:
        if part.lines.places:
            column = branch_column(part)
            place = part.lines.places[0]
            link = tables.link(place.table, column) if column else None
            return link or place
        if part.lines.branch:
            return part.lines.branch[1]
    return None


def _branches(part: Part, choice: Choice, tables: Tables) -> list[Yielded]:
    table = branch_table(choice, tables)
    kind = KIND_SQL[table.key.kind] if table else "bigint"
    lines = part.lines
    if lines.places and table:
        own = classes(part)["own"]
        one, other = words_sql(lines)
        here, there = among(one, own), among(other, own)
        origin, end = where(part)
        why = of_link(lines.places[0])
        return [
            Yielded("id_sucursal", f"CASE WHEN {here} THEN {origin} ELSE {end} END", why),
            Yielded("id_sucursal_destino", f"CASE WHEN {here} AND {there} THEN {end} END", why),
        ]
    fits = lines.branch and table and lines.branch[1].table is table.table
    if not (lines.branch and fits):
        return [Yielded("id_sucursal", f"NULL::{kind}", _("no column of a branch"))]
    alias, link = lines.branch
    found = [Yielded("id_sucursal", f"{alias}.{link.column.quoted}", of_link(link))]
    if lines.to and len(choice.parts) == 1:
        alias, link = lines.to
        found.append(Yielded("id_sucursal_destino", f"{alias}.{link.column.quoted}", of_link(link)))
    return found


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
        return [kind_of(word or "") for word in group.words] == ["supplier", "own"]
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
        return f"({among(state.text, done)}) IS NOT TRUE"
    return f"coalesce({among(state.text, undone)}, false)" if undone else ""


def _beside(part: Part, apart: bool) -> list[Yielded]:
    """What may be left out: the line that is returned, its amount, whether tax is within."""
    lines = part.lines
    found = []
    if lines.origin and not apart:
        found.append(Yielded("id_origen", f"d.{lines.origin.column.quoted}", of_link(lines.origin)))
    total = lines.total
    if total and not apart and (total.column.name == "importe" or lines.price is None):
        told = total.sql if total.column.name == "importe" else f"abs({total.sql})"
        found.append(Yielded("importe", told, by_name(total.column)))
    price = lines.price or total
    words = set(words_of(price.column.name)) if price else set()
    if not apart and words & {"excl", "net", "neto", "sin"}:
        found.append(Yielded("precio_con_impuesto", "false", _("the price's name says so")))
    elif not apart and words & {"incl", "con", "bruto", "gross"}:
        found.append(Yielded("precio_con_impuesto", "true", _("the price's name says so")))
    return found
