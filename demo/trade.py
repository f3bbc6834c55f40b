"""A shop's days as documents: pure functions of a seed, a date and what is on the shelf."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from itertools import accumulate

from demo import besides
from demo.catalogue import BRANCHES, Product
from demo.documents import RECEIPT, SALE, Document, Line

_TICKETS_A_DAY = 102
_LINES = ((1, 2, 3, 4, 5, 6, 8, 11), (24, 24, 20, 13, 8, 6, 4, 1))
_UNITS = ((1, 2, 3, 4, 6, 12), (62, 20, 8, 4, 4, 2))
_MEAN_LINES, _MEAN_UNITS, _MEAN_KILOS = 2.9, 1.9, 1.28
_WEEKDAY = (0.85, 0.85, 0.9, 0.95, 1.15, 1.4, 1.1)
_PAYDAY = {15: 1.2, 16: 1.15, 30: 1.25, 31: 1.2, 1: 1.1}
_MONTH = {7: 1.1, 12: 1.3}
_SUMMER = {1: 1.0, 2: 1.0, 3: 0.8, 4: 0.3, 5: -0.3, 6: -0.8}
_SUMMER |= {7: -1.0, 8: -0.9, 9: -0.5, 10: 0.0, 11: 0.3, 12: 0.8}
_HOURS = (range(8, 22), (3, 4, 5, 6, 8, 7, 5, 4, 4, 6, 9, 10, 7, 3))
_BRANCH_SHARES = dict(zip(BRANCHES, (50, 30, 20), strict=True))
_VOIDED = 0.006
_REMEMBERED = timedelta(days=3)


@dataclass
class Shop:
    """What the shop knows: stock of each branch, last cost and price of each product, its habits.

    `awaited` are products that are on the shelf while their invoice is not typed
    in yet: they are sold all the same, and can fall below zero. `late` are those
    whose supplier's invoices are always typed in days after the goods came.
    `given_back` are lines of which something came back already, `number` the last
    line's.
    """

    seed: int
    products: list[Product]
    shelf: dict[tuple[int, int], Decimal]
    cost: dict[int, Decimal]
    price: dict[int, Decimal]
    awaited: set[int] = field(default_factory=set)
    late: set[int] = field(default_factory=set)
    given_back: set[int] = field(default_factory=set)
    number: int = 0
    _lately: list[Document] = field(default_factory=list)
    _untyped: list[tuple[datetime, Document]] = field(default_factory=list)

    def __post_init__(self) -> None:
        total = sum(product.share for product in self.products)
        self._demand = {
            p.id: p.share / total * _TICKETS_A_DAY * _MEAN_LINES * _mean_quantity(p)
            for p in self.products
        }
        self.by_id = {product.id: product for product in self.products}

    def put(self, branch: int | None, product: int, quantity: Decimal) -> None:
        """Put on a branch's shelf, or take off."""
        self.shelf[branch or next(iter(BRANCHES)), product] += quantity

    def demand(self, branch: int, product: Product) -> Decimal:
        """What a branch sells of it a day, on average."""
        return Decimal(self._demand[product.id] * _BRANCH_SHARES[branch] / 100)

    def days_left(self, branch: int, product: Product) -> Decimal:
        """For how many days a branch's shelf lasts."""
        return self.shelf[branch, product.id] / self.demand(branch, product)

    def recent(self, kind: str, day: datetime, days: int = 3) -> list[Document]:
        """The documents of a kind that the days before `day` brought."""
        return besides.last_days(self._lately, kind, day - timedelta(days=days))

    def remember(self, documents: list[Document]) -> None:
        """Documents of before, with their lines' numbers, as the tables have them."""
        self._lately += documents

    def opening(self, day: datetime, without: set[int]) -> list[Document]:
        """The first receipts, one for each category; `without` come only days later."""
        rng = random.Random(f"{self.seed}/opening")
        documents = []
        for stocked in _by_category(self.products):
            there = [p for p in stocked if p.id not in without]
            documents += self._delivered(rng, there, day.replace(hour=7), extra_days=5)
        self.awaited |= without
        for product in self.products:
            if product.id in without:
                self._hold_back(rng, product, day)
        return self._numbered(documents)

    def day(self, day: datetime) -> list[Document]:
        """What is typed in on a day that begins at `day`, in the order of typing."""
        rng = random.Random(f"{self.seed}/{day:%Y-%m-%d}")
        documents = self._held_back(day)
        documents += self._deliveries(rng, day)
        # Of their own luck, so that what is sold and bought does not depend on it.
        luck = random.Random(f"{self.seed}/besides/{day:%Y-%m-%d}")
        documents += besides.before_opening(self, luck, day)
        documents += self._tickets(rng, day)
        documents += besides.after_closing(self, luck, day)
        self._lately = [d for d in self._lately if d.moment >= day - _REMEMBERED]
        return self._numbered(documents)

    def _numbered(self, documents: list[Document]) -> list[Document]:
        """The same with their lines numbered on, and remembered."""
        numbered = []
        for document in documents:
            lines = []
            for line in document.lines:
                self.number += 1
                lines.append(replace(line, number=self.number))
            numbered.append(replace(document, lines=tuple(lines)))
        self._lately += numbered
        return numbered

    def late_receipt(self, day: datetime) -> Document | None:
        """The invoice of the product that is most below zero, dated five days before `day`."""
        lowest = {p.id: min(self.shelf[b, p.id] for b in BRANCHES) for p in self.products}
        worst = min(self.products, key=lambda p: lowest[p.id] * self.cost[p.id])
        if lowest[worst.id] >= 0:
            return None
        rng = random.Random(f"{self.seed}/late/{day:%Y-%m-%d}")
        branch = min(BRANCHES, key=lambda b: self.shelf[b, worst.id])
        line = self._receive(rng, worst, owed=-lowest[worst.id])
        assert line.quantity is not None
        self.put(branch, worst.id, line.quantity)
        moment = day - timedelta(days=5) + timedelta(hours=9, minutes=10)
        return self._numbered([Document(RECEIPT, moment, branch, (line,))])[0]

    def _deliveries(self, rng: random.Random, day: datetime) -> list[Document]:
        documents = []
        for stocked in _by_category(self.products):
            if day.weekday() not in stocked[0].category.visits:
                continue
            needed = [p for p in stocked if self._is_low(p)]
            for product in needed:
                if product.id in self.late:
                    self.awaited.add(product.id)
                    self._hold_back(rng, product, day)
            moment = day + timedelta(minutes=rng.randint(6 * 60 + 30, 10 * 60))
            came = self._delivered(rng, [p for p in needed if p.id not in self.late], moment)
            documents += came
            if came and rng.random() < 0.02:  # typed in twice, noticed, voided
                documents.append(replace(came[0], voided=True))
        return documents

    def _delivered(
        self, rng: random.Random, products: list[Product], moment: datetime, extra_days: int = 0
    ) -> list[Document]:
        """What the supplier brings to each branch, by what it sells."""
        lines: dict[int, list[Line]] = {branch: [] for branch in BRANCHES}
        for product in products:
            for branch, line in self._split(self._receive(rng, product, extra_days), product):
                lines[branch].append(line)
        return [Document(RECEIPT, moment, b, tuple(own)) for b, own in lines.items() if own]

    def _split(self, line: Line, product: Product) -> list[tuple[int, Line]]:
        """A receipt's line as the branches' own, whole packs to those with least; on the shelf."""
        assert line.quantity is not None
        pack = Decimal(5 if product.weighed else 6)
        parts = dict.fromkeys(BRANCHES, Decimal(0))
        while sum(parts.values()) < line.quantity:
            branch = min(BRANCHES, key=lambda b: self.days_left(b, product))
            parts[branch] += pack
            self.put(branch, product.id, pack)
        return [(b, replace(line, quantity=part)) for b, part in parts.items() if part]

    def _is_low(self, product: Product) -> bool:
        days = product.category.days_between_visits * 1.3
        shortest = min(self.days_left(branch, product) for branch in BRANCHES)
        return product.id not in self.awaited and shortest < days

    def _receive(
        self, rng: random.Random, product: Product, extra_days: int = 0, owed: Decimal = Decimal(0)
    ) -> Line:
        """Goods that came, at a cost that drifts; a price that it left behind follows."""
        gap = product.category.days_between_visits
        pack = 5 if product.weighed else 6
        wanted = Decimal(self._demand[product.id] * (gap * 2.5 + extra_days)) + owed
        quantity = (wanted / pack).to_integral_value(ROUND_CEILING) * pack
        change = rng.triangular(-0.02, 0.035, 0.01) * min(1.0, gap / 4)
        if rng.random() < 0.02:
            change += rng.uniform(0.05, 0.1)
        cost = _rounded(self.cost[product.id] * Decimal(1 + change), "0.0001")
        self.cost[product.id] = cost
        price, asked = self.price[product.id], asking_price(product, cost)
        if abs(asked - price) > max(price * Decimal("0.02"), Decimal("0.1")):
            self.price[product.id] = asked
        return Line(product.id, quantity, cost=cost)

    def _hold_back(self, rng: random.Random, product: Product, day: datetime) -> None:
        """Goods of today whose invoice will be typed in 3 to 9 days from now."""
        before = self.shelf.copy()
        moment = day + timedelta(minutes=rng.randint(7 * 60, 9 * 60))
        typed = day + timedelta(days=rng.randint(3, 9))
        for document in self._delivered(rng, [product], moment):
            self._untyped.append((typed, document))
        self.shelf = before

    def _held_back(self, day: datetime) -> list[Document]:
        due = [document for typed, document in self._untyped if typed <= day]
        self._untyped = [entry for entry in self._untyped if entry[0] > day]
        for document in due:
            for line in document.lines:
                assert line.quantity is not None
                self.put(document.branch, line.product, line.quantity)
                self.awaited.discard(line.product)
        return due

    def _tickets(self, rng: random.Random, day: datetime) -> list[Document]:
        season = _SUMMER[day.month]
        weights = [p.share * (1 + p.category.summer * season) for p in self.products]
        cumulated = list(accumulate(weights))
        busy = _WEEKDAY[day.weekday()] * _PAYDAY.get(day.day, 1.0) * _MONTH.get(day.month, 1.0)
        count = round(_TICKETS_A_DAY * busy * rng.uniform(0.93, 1.07))
        on_offer = set(rng.sample(range(len(self.products)), 4)) if day.weekday() >= 4 else set()
        hours, shares = _HOURS
        moments = sorted(
            day + timedelta(hours=hour, seconds=rng.randrange(3600))
            for hour in rng.choices(hours, shares, k=count)
        )
        documents = []
        for moment in moments:
            wanted = rng.choices(
                range(len(self.products)), cum_weights=cumulated, k=rng.choices(*_LINES)[0]
            )
            voided = rng.random() < _VOIDED
            (branch,) = rng.choices(list(_BRANCH_SHARES), list(_BRANCH_SHARES.values()))
            lines = tuple(
                line
                for index in dict.fromkeys(wanted)
                if (
                    line := self._sell(rng, self.products[index], branch, index in on_offer, voided)
                )
            )
            if lines:
                documents.append(Document(SALE, moment, branch, lines, voided))
        return documents

    def _sell(
        self, rng: random.Random, product: Product, branch: int, offered: bool, voided: bool
    ) -> Line | None:
        quantity = (
            Decimal(int(rng.triangular(150, 3000, 700))) / 1000
            if product.weighed
            else Decimal(rng.choices(*_UNITS)[0])
        )
        if self.shelf[branch, product.id] < quantity and product.id not in self.awaited:
            return None  # the shelf is empty
        if not voided:
            self.put(branch, product.id, -quantity)
        price = self.price[product.id]
        return Line(
            product.id, quantity, _rounded(price * Decimal("0.9"), "0.1") if offered else price
        )


def asking_price(product: Product, cost: Decimal) -> Decimal:
    """The price that leaves the category's margin, in steps of ten céntimos."""
    exact = cost / (1 - product.category.margin)
    return exact.quantize(Decimal("0.1"), ROUND_CEILING).quantize(Decimal("0.01"))


def _rounded(value: Decimal, step: str) -> Decimal:
    return value.quantize(Decimal(step), ROUND_HALF_UP)


def _mean_quantity(product: Product) -> float:
    return _MEAN_KILOS if product.weighed else _MEAN_UNITS


def _by_category(products: Iterable[Product]) -> list[list[Product]]:
    groups: dict[str, list[Product]] = {}
    for product in products:
        groups.setdefault(product.category.name, []).append(product)
    return list(groups.values())
