"""Adjustments: the shop's own stock, booked here, as lines that the replay values like any other.

What is booked is given, as openings are; what of it remains, and whether it counts, is said here,
and what of a difference must not be booked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from oracle_closings import without_its_product
from oracle_entry import NO_BRANCH, signed
from oracle_rows import ZERO, Adjustment, Books, Line, Opening, Product, Rules
from oracle_rules import on_entry
from oracle_types import (
    COUNT,
    CREDIT_NOTE,
    LANDED_COST,
    SALE,
    SHRINKAGE,
    SUPPLIER_RETURN,
    SURPLUS,
    TRANSFER,
)

LARGEST = Decimal(10) ** 11
LEAVING = (SALE, SHRINKAGE, SUPPLIER_RETURN)


def adjusted(
    booked: Iterable[Adjustment],
    products: Mapping[int, Product],
    openings: Mapping[int, Opening],
    rules: Rules,
    books: Books,
) -> Iterator[tuple[int, Line | None]]:
    """What each adjustment is now, None where nothing is left of it or it does not count.

    Like a movement it is of a product of the catalogue, and dated from the initial date and its
    opening on; what undoes one makes it smaller, as if it had been so from the beginning.
    """
    booked = list(booked)
    for one in booked:
        if one.deshace is not None:
            continue
        left = one.cantidad + sum((b.cantidad for b in booked if b.deshace == one.number), ZERO)
        line = Line(
            one.number,
            SURPLUS if one.cantidad > 0 else SHRINKAGE,
            one.id_producto,
            one.id_sucursal,
            one.fecha,
            abs(left),
            *(None,) * 5,
        )
        opening = openings.get(one.id_producto)
        opened = opening.fecha if opening else None
        if one.id_producto not in products:
            yield (
                one.number,
                without_its_product(
                    {"id_movimiento": one.number, "id_producto": one.id_producto}, books
                ),
            )
        elif not left or one.fecha < max(rules.initial, opened or rules.initial):
            yield one.number, None
        else:
            yield one.number, line


def explained(
    rejects: Iterable[Mapping[str, Any]], product: int, branch: int | None
) -> Decimal | None:
    """By how much what waits will move a product's stock, in a branch or all; None: unknown."""
    total = ZERO
    for movement in rejects:
        if movement["id_producto"] != product:
            continue
        tipo, cantidad, _ = signed(movement)
        if tipo in (LANDED_COST, CREDIT_NOTE):
            continue
        moved = on_entry(cantidad)
        if tipo == COUNT or moved is None or abs(moved) >= LARGEST:
            return None
        here = movement["id_sucursal"] or NO_BRANCH
        if tipo == TRANSFER:
            there = movement["id_sucursal_destino"]
            if branch is None:
                continue
            if there is None:
                return None
            total += moved * ((there == branch) - (here == branch))
        elif branch in (None, here):
            total += -moved if tipo in LEAVING else moved
    return total


def remains(difference: Decimal, waits: Decimal) -> Decimal:
    """What of a difference must be left: as much as what waits moves that way."""
    if difference > 0:
        return min(max(waits, ZERO), difference)
    return max(min(waits, ZERO), difference)
