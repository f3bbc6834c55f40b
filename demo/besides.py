"""What a shop does besides selling and buying: returns, breakage, counts, transfers, freight.

The measures are those of a supermarket: about one line in a hundred comes back, two per cent of
the sales are lost, nearly all of it fresh, and each shelf is counted every few weeks.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from demo.catalogue import BRANCHES, Product
from demo.documents import (
    COUNT,
    CREDIT_NOTE,
    CUSTOMER_RETURN,
    FREIGHT,
    RECEIPT,
    SALE,
    SHRINKAGE,
    SUPPLIER_RETURN,
    SURPLUS,
    TRANSFER,
    Document,
    Line,
)

if TYPE_CHECKING:
    from demo.trade import Shop

_RETURNED, _CREDITED = 0.009, 0.0015
_SENT_BACK, _FOUND = 0.35, 0.12
_FRESH = ("Frutas", "Verduras", "Panadería", "Carnes y embutidos", "Lácteos y huevos")
_FRESH_A_DAY, _BROKEN = 6, 0.25
# What comes by lorry, whose freight is billed apart.
_BY_LORRY = ("Limpieza", "Bebés y mascotas")
_MOST_SENT = 3
_MISCOUNTED, _LACKING = 0.14, 0.8


def before_opening(shop: Shop, rng: random.Random, day: datetime) -> list[Document]:
    """Between the branches, to the supplier, and the freight of what came the day before."""
    documents = list(_freight(shop, day))
    documents += _transfers(shop, day)
    if rng.random() < _SENT_BACK:
        documents += _to_supplier(shop, rng, day)
    return documents


def after_closing(shop: Shop, rng: random.Random, day: datetime) -> list[Document]:
    """What customers brought back, what was thrown away, and on Sundays a count."""
    documents = list(_from_customers(shop, rng, day))
    for branch in BRANCHES:
        documents += _losses(shop, rng, day, branch)
    if rng.random() < _FOUND:
        documents += _found(shop, rng, day)
    if day.weekday() == 6:
        documents += _counts(shop, rng, day)
    return documents


def _from_customers(shop: Shop, rng: random.Random, day: datetime) -> Iterator[Document]:
    for document in shop.recent(SALE, day):
        for line in document.lines:
            chance = rng.random()
            assert line.quantity is not None and line.price is not None
            moment = day + timedelta(minutes=rng.randint(9 * 60, 21 * 60))
            # A line is in three days' memory, and comes back once.
            if chance < _RETURNED / 3 and line.number not in shop.given_back:
                back = Decimal(1) if line.quantity > 1 else line.quantity
                shop.given_back.add(line.number)
                shop.put(document.branch, line.product, back)
                given = Line(line.product, back, price=line.price, origin=line.number)
                yield Document(CUSTOMER_RETURN, moment, document.branch, (given,))
            elif chance > 1 - _CREDITED / 3:
                amount = _money(line.price * line.quantity * Decimal("0.2"))
                if amount:
                    given = Line(line.product, None, price=amount)
                    yield Document(CREDIT_NOTE, moment, document.branch, (given,))


def _to_supplier(shop: Shop, rng: random.Random, day: datetime) -> Iterator[Document]:
    received = [d for d in shop.recent(RECEIPT, day) if d.branch]
    if not received:
        return
    document = rng.choice(received)
    line = rng.choice(document.lines)
    back = min(Decimal(rng.randint(1, 4)), shop.shelf[document.branch or 0, line.product])
    if back > 0 and line.number not in shop.given_back:
        shop.given_back.add(line.number)
        shop.put(document.branch, line.product, -back)
        given = Line(line.product, back, cost=line.cost, origin=line.number)
        yield Document(SUPPLIER_RETURN, day + timedelta(hours=8), document.branch, (given,))


def _freight(shop: Shop, day: datetime) -> Iterator[Document]:
    """Two per cent of a delivery's value, by value; what rounding leaves is on the last line."""
    for document in shop.recent(RECEIPT, day, days=1):
        categories = {shop.by_id[line.product].category.name for line in document.lines}
        if not categories <= set(_BY_LORRY):
            continue
        values = [
            line.quantity * line.cost for line in document.lines if line.quantity and line.cost
        ]
        whole = _money(sum(values, Decimal(0)) * Decimal("0.02"))
        shares = [_money(value * Decimal("0.02")) for value in values]
        shares[-1] += whole - sum(shares)
        lines = tuple(
            Line(line.product, None, cost=share, origin=line.number)
            for line, share in zip(document.lines, shares, strict=True)
        )
        yield Document(FREIGHT, day + timedelta(hours=9), document.branch, lines)


def _transfers(shop: Shop, day: datetime) -> Iterator[Document]:
    """What a branch is out of and another has for more than a week."""
    for branch in BRANCHES:
        sent: dict[int, list[Line]] = {}
        for product in shop.products:
            if product.id in shop.awaited or shop.shelf[branch, product.id] > 0:
                continue
            source = max(BRANCHES, key=lambda b: shop.days_left(b, product))
            if shop.days_left(source, product) < 7 or len(sent.get(source, ())) == _MOST_SENT:
                continue
            quantity = _whole(shop.shelf[source, product.id] / 3, product)
            if quantity > 0:
                shop.put(source, product.id, -quantity)
                shop.put(branch, product.id, quantity)
                sent.setdefault(source, []).append(Line(product.id, quantity))
        for source, lines in sent.items():
            moment = day + timedelta(hours=7, minutes=30)
            yield Document(TRANSFER, moment, source, tuple(lines), destination=branch)


def _losses(shop: Shop, rng: random.Random, day: datetime, branch: int) -> Iterator[Document]:
    fresh = [p for p in shop.products if p.category.name in _FRESH]
    wasted = rng.sample(fresh, _FRESH_A_DAY)
    if rng.random() < _BROKEN:
        wasted.append(rng.choice([p for p in shop.products if p.category.name not in _FRESH]))
    lines = []
    for product in wasted:
        wanted = shop.demand(branch, product) * Decimal(rng.uniform(0.2, 0.9))
        quantity = min(_whole(wanted, product) or Decimal(1), shop.shelf[branch, product.id])
        if quantity > 0 and product.id not in shop.awaited:
            shop.put(branch, product.id, -quantity)
            lines.append(Line(product.id, quantity))
    if lines:
        yield Document(SHRINKAGE, day + timedelta(hours=22, minutes=5), branch, tuple(lines))


def _found(shop: Shop, rng: random.Random, day: datetime) -> Iterator[Document]:
    """A box that nobody knew of."""
    product, branch = rng.choice(shop.products), rng.choice(tuple(BRANCHES))
    if product.id in shop.awaited:
        return
    shop.put(branch, product.id, Decimal(2))
    moment = day + timedelta(hours=22, minutes=10)
    yield Document(SURPLUS, moment, branch, (Line(product.id, Decimal(2)),))


def _counts(shop: Shop, rng: random.Random, day: datetime) -> Iterator[Document]:
    """A shelf a week in each branch, after closing; what has no invoice yet is left out."""
    shelves = sorted({p.category.name for p in shop.products})
    name = shelves[day.toordinal() // 7 % len(shelves)]
    for branch in BRANCHES:
        counted = [p for p in shop.products if p.category.name == name]
        lines = tuple(
            Line(product.id, _counted(shop, rng, branch, product))
            for product in counted
            if product.id not in shop.awaited and shop.shelf[branch, product.id] >= 0
        )
        if lines:
            yield Document(COUNT, day + timedelta(hours=22, minutes=30), branch, lines)


def _counted(shop: Shop, rng: random.Random, branch: int, product: Product) -> Decimal:
    there = shop.shelf[branch, product.id]
    if rng.random() < _MISCOUNTED:
        step = Decimal(rng.choice((1, 1, 1, 2)))
        found = max(there - step, Decimal(0)) if rng.random() < _LACKING else there + step
        shop.put(branch, product.id, found - there)
        return found
    return there


def _whole(quantity: Decimal, product: Product) -> Decimal:
    step = Decimal("0.01") if product.weighed else Decimal(1)
    return quantity.quantize(step)


def _money(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def last_days(documents: Sequence[Document], kind: str, since: datetime) -> list[Document]:
    """The documents of a kind, not voided, whose moment is not before `since`."""
    return [d for d in documents if d.kind == kind and not d.voided and d.moment >= since]
