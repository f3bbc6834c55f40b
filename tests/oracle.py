"""The rules of DESIGN sections 6 and 7 and of MOVEMENTS.md replayed in plain Decimal.

Written from those pages alone and sharing no code with the product, so that the same mistake
is not made twice. It takes the OLTP as it stands and knows nothing of windows, retries or
order of arrival: whatever happened, the OLAP must equal the closed ledger plus one ordered
replay of what is not in it.

oracle_types has the table of types, oracle_entry what enters, oracle_rules the rules of state,
oracle_valuing a row of the ledger, oracle_closings what is closed and what is booked after it,
oracle_reversals at what a closed row is taken back, oracle_summaries the sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil
from typing import Any

from oracle_adjustments import adjusted
from oracle_closings import Entry, entries, kept, without_its_product
from oracle_entry import (
    LATEST_AFTER_SNAPSHOT,
    NO_BRANCH,
    as_line,
    in_scope,
    motives,
    reasons_to_reject,
)
from oracle_rows import (
    Adjustment,
    Books,
    InventoryRow,
    KardexRow,
    Line,
    Opening,
    Pricing,
    Product,
    Reject,
    Replay,
    Rules,
    State,
)
from oracle_rules import EXACT, round_six
from oracle_summaries import NO_CATEGORY, category, summaries
from oracle_types import RECEIPT, SALE
from oracle_valuing import value_product

__all__ = [
    "LATEST_AFTER_SNAPSHOT",
    "NO_BRANCH",
    "NO_CATEGORY",
    "RECEIPT",
    "SALE",
    "category",
    "in_scope",
    "opening_state",
    "reasons_to_reject",
    "replay",
    "round_six",
    "suggested_price",
]


def suggested_price(costo: Decimal, pricing: Pricing) -> Decimal | None:
    """C / (1 - margin) · (1 + tax), rounded up to the step exactly; None while C = 0."""
    margen, impuesto, redondeo = pricing
    assert margen is not None and impuesto is not None and redondeo is not None
    if costo == 0:
        return None
    price = Fraction(costo) / (1 - Fraction(margen)) * (1 + Fraction(impuesto))
    return ceil(price / Fraction(redondeo)) * redondeo


def opening_state(opening: Opening | None) -> State:
    """What a product starts from."""
    if opening is None:
        return State()
    existencias, costo = round_six(opening.existencias), round_six(opening.costo_promedio)
    return State(existencias, round_six(existencias * costo), costo)


def opening_branches(opening: Opening | None) -> dict[int, Decimal]:
    """Where a product's opening stands: whole, at branch 0."""
    if opening is None:
        return {}
    if opening.sucursales is None:
        return {NO_BRANCH: round_six(opening.existencias)}
    return {branch: round_six(stock) for branch, stock in opening.sucursales.items()}


def replay(
    movements: Iterable[Mapping[str, Any]],
    products: Mapping[int, Product],
    rules: Rules,
    openings: Mapping[int, Opening] | None = None,
    books: Books | None = None,
    limit: datetime | None = None,
    adjustments: Iterable[Adjustment] = (),
) -> Replay:
    """Value every movement that counts, in order, and sum up.

    With `books` the closed rows are what they are, and what is not in them is booked after them:
    see oracle_closings. `limit` is the end of the period that is about to be closed: a cost that
    is booked from then on is no part of a receipt before. `adjustments` are what the OLAP booked
    by itself.

    A movement is a row of the OLTP: id_movimiento, tipo, id_producto, id_sucursal, cantidad,
    precio_unitario, costo_unitario, fecha (aware), anulado, and where it has them id_origen,
    id_sucursal_destino, importe, id_documento. Raises ValueError on an id_movimiento given twice,
    which no OLTP can hold.
    """
    openings = openings or {}
    with localcontext(EXACT):
        books = books or Books()
        opened = {
            number: opening
            for number, opening in openings.items()
            if counts_as_stock(number, opening.fecha or rules.initial, products, books)
        }
        content, rejects, lines_of = sort_out(movements, products, rules, openings, books)
        content |= dict(adjusted(adjustments, products, openings, rules, books))
        to_value: dict[int, list[Entry]] = {n: [] for n in (*openings, *books.closed)}
        last = {number: closed.row.capa for number, closed in books.last.items()}
        for entry in entries(content, books):
            to_value.setdefault(entry.line.id_producto, []).append(entry)
            number = entry.line.id_movimiento
            last[number] = max(entry.capa, last.get(number, 0))
        ledgers: dict[int, list[KardexRow]] = {}
        inventory: dict[int, InventoryRow] = {}
        branches: dict[tuple[int, int], Decimal] = {}
        for id_producto, own in to_value.items():
            product = products.get(id_producto, Product(None, None, None))
            opening = opened.get(id_producto)
            state, stands = opening_state(opening), opening_branches(opening)
            closed = books.closed.get(id_producto, ())
            ledger = value_product(own, product, state, stands, closed, last, limit)
            state = ledger[-1].state if ledger else state
            ledgers[id_producto] = ledger
            if product.inventariable or state.existencias:
                branches |= {(id_producto, branch): stock for branch, stock in stands.items()}
            pricing = rules.pricing(id_producto, category(products, id_producto))
            cost = state.costo_promedio if product.inventariable else Decimal(0)
            price = suggested_price(cost, pricing)
            inventory[id_producto] = InventoryRow(*state, price)
        return Replay(
            rules, products, opened, ledgers, inventory, rejects,
            *summaries(ledgers, products, rules, books), branches,
            {n: told(r.movement, products, rules) for n, r in rejects.items()},
            Books(
                books.ends, books.closed, content, {**books.documents, **lines_of}, books.services
            ),
        )  # fmt: skip


def counts_as_stock(
    id_producto: int, when: datetime, products: Mapping[int, Product], books: Books
) -> bool:
    """ "What is no stock": as it is now, or as it was when the period of `when` was closed."""
    for end, services in zip(books.ends, books.services, strict=True):
        if when < end:
            return id_producto not in services
    return products.get(id_producto, Product(None, None, None)).inventariable


def sort_out(
    movements: Iterable[Mapping[str, Any]],
    products: Mapping[int, Product],
    rules: Rules,
    openings: Mapping[int, Opening],
    books: Books,
) -> tuple[dict[int, Line | None], dict[int, Reject], dict[int, int]]:
    """What each movement is now, None where it counts for nothing; the rejects; the documents."""
    rejects: dict[int, Reject] = {}
    content: dict[int, Line | None] = {}
    seen: dict[int, int | None] = {}
    for movement in movements:
        number = movement["id_movimiento"]
        if number in seen:
            raise ValueError(f"id_movimiento {number} twice")
        seen[number] = movement.get("id_documento")
        content[number] = None
        if not in_scope(movement, openings, rules.initial, rules.types):
            continue
        reasons = reasons_to_reject(movement, products, rules.snapshot, rules.types)
        if not reasons:
            content[number] = as_line(movement, rules.types)
            continue
        if movement["id_producto"] not in products:
            content[number] = without_its_product(movement, books)
        if content[number] is None:
            rejects[number] = Reject(movement, reasons)
    lines_of = {number: document for number, document in seen.items() if document is not None}
    return content | dict(kept(seen, books, openings)), rejects, lines_of


def told(movement: Mapping[str, Any], products: Mapping[int, Product], rules: Rules) -> str:
    """The one reason of a reject that is told: the first in the order of MOVEMENTS.md."""
    return next(motives(movement, products, rules.snapshot, rules.types))
