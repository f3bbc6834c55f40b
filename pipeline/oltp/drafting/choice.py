"""Of the tables that may hold movements, those that the draft is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.oltp.drafting.lines import Lines, find_lines
from pipeline.oltp.drafting.signs import Group, Signs, look_at
from pipeline.oltp.drafting.words import ADJUSTMENT, COMES, GOES, LOSS, has, words_of

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.drafting.tables import Column, Tables

# So many tables are looked into: the cost is bounded however many there are.
LOOKED_AT = 12
# What a table's name alone may say of all of its rows.
_ALONE = ("VENTA", "ENTRADA_MERCANCIA", "DEVOLUCION_VENTA", "DEVOLUCION_COMPRA")
_ENTERS = frozenset(["ENTRADA_MERCANCIA", "AJUSTE_ENTRADA", COMES])
_LEAVES = frozenset(["VENTA", "AJUSTE_SALIDA", GOES])
_SUMMED = (
    *("sum", "negative", "positive", "priced", "costed"),
    *("dateless", "without_product", "without_code"),
)
BY_SIGN = "por el signo"


@dataclass(frozen=True)
class Part:
    """A table that the draft reads, and what was seen of it."""

    lines: Lines
    signs: Signs

    @property
    def types(self) -> set[str]:
        """The types that its words name."""
        return {group.type for group in self.signs.groups if group.type}

    @property
    def code(self) -> Column | None:
        """What says the product, where its key was emptied when a product was deleted."""
        groups, code = self.signs.groups, self.lines.code
        lost = any(group.without_product for group in groups)
        kept = not any(group.without_code for group in groups)
        return code if lost and kept and len(self.lines.key) == 1 else None

    @property
    def is_ledger(self) -> bool:
        """Whether goods both come and go in it."""
        if self.lines.places:
            return True
        if not self.lines.type:
            return False
        if not self.signs.rows:
            return self.lines.named is None
        both = bool(self.types & _ENTERS and self.types & _LEAVES)
        return both or (len(self.types) > 1 and self.signs.is_signed)


@dataclass(frozen=True)
class Choice:
    """What the draft reads, and what else looked like movements, the likeliest first."""

    parts: list[Part]
    others: list[Part]

    @property
    def code(self) -> Column | None:
        """What says the product, where the only table's key of it is empty in some rows."""
        return self.parts[0].code if len(self.parts) == 1 else None


def choose(shop: Connection, tables: Tables) -> Choice:
    """A ledger of all movements, else a table a type, as UNION ALL has them."""
    parts = [_sorted_out(Part(one, look_at(shop, one))) for one in find_lines(tables)[:LOOKED_AT]]
    # One with rows before one without, since systems have tables that a shop does not use.
    parts.sort(key=lambda part: (not part.signs.rows, -part.lines.score))
    ledgers = [part for part in parts if part.is_ledger]
    alone = [part for part in parts if part not in ledgers and part.lines.named in _ALONE]
    if ledgers and (ledgers[0].signs.rows or not any(part.signs.rows for part in alone)):
        chosen = ledgers[:1]
    else:
        chosen = _one_a_type(alone) or parts[:1]
    return Choice(chosen, [part for part in parts if part not in chosen])


def _sorted_out(part: Part) -> Part:
    """Without a column of types none of whose words names any."""
    lines, signs = part.lines, part.signs
    if lines.places or not lines.type or not signs.rows or part.types:
        return part
    if signs.is_signed and lines.named is None:
        return part
    summed = replace(lines, type=None, kinds=None)
    rows = sum(group.rows for group in signs.groups)
    group = Group(
        (),
        rows,
        *(sum(getattr(group, name) for group in signs.groups) for name in _SUMMED),
    )
    return Part(summed, replace(signs, groups=[group]))


def _one_a_type(parts: list[Part]) -> list[Part]:
    chosen: dict[str, Part] = {}
    for part in parts:
        first = next(iter(chosen.values()), part)
        same = part.lines.product.table is first.lines.product.table
        if same and part.lines.named and part.lines.named not in chosen:
            chosen[part.lines.named] = part
    return [chosen[name] for name in _ALONE if name in chosen]


def type_of(part: Part, group: Group) -> tuple[str | None, bool]:
    """Which type such rows are of, BY_SIGN where each row's sign says; and whether to turn it.

    A sale that is negative leaves, so it is turned round; what was brought back, which is then
    positive, becomes a negative sale, which is understood as a return.
    """
    named = group.type if group.words else part.lines.named
    turned = group.sum < 0
    if named == COMES:
        money = group.costed or (group.priced and not part.lines.cost)
        return ("ENTRADA_MERCANCIA" if money else "AJUSTE_ENTRADA"), turned
    if named == GOES:
        return ("VENTA" if group.priced else "AJUSTE_SALIDA"), turned
    if named == "TRASLADO" and not part.lines.to:
        return (BY_SIGN if part.signs.is_signed else None), False
    if named == ADJUSTMENT:
        if group.negative and group.positive:
            return BY_SIGN, False
        lost = group.negative or has(words_of(group.words[0] or ""), LOSS)
        return ("AJUSTE_SALIDA" if lost else "AJUSTE_ENTRADA"), turned
    return named, turned and named != "CONTEO"
