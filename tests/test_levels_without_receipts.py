"""A shop whose system keeps levels and sales, and nothing of what comes in: six weeks of it."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from adjusting_shop import DAY, INITIAL, AdjustingShop
from oracle_closings import end_of_day
from shop_database import Shop

pytestmark = pytest.mark.one_postgres

PRODUCTS = (1, 2, 3)
WEEKS = 6


class Levels:
    """Its stock records: sales take from them, whoever receives or finds goods writes over them."""

    def __init__(self, it: AdjustingShop) -> None:
        self.it, self.chance = it, random.Random(7)
        self.level = dict.fromkeys(PRODUCTS, Decimal(0))
        # What there was at each snapshot.
        self.seen: dict[tuple[int, float], Decimal] = {}
        self.sales: list[tuple[int, int, Decimal, float]] = []

    def write(self, product: int, quantity: Decimal) -> None:
        """Somebody writes what there is."""
        self.level[product] = quantity
        self.it.level(product, quantity)

    def sell(self, product: int, quantity: int, day: float) -> None:
        """A sale at its time, if there is as much."""
        if self.level[product] < quantity:
            return
        (line,) = self.it.shop.sale(INITIAL + day * DAY, (product, quantity, 9))
        self.sales.append((line, product, Decimal(quantity), day))
        self.write(product, self.level[product] - quantity)

    def trade(self, day: int) -> None:
        """A day: deliveries on Sundays, sales all day, now and then something breaks."""
        if day % 7 == 6:
            for product in PRODUCTS:
                self.write(product, self.level[product] + self.chance.randint(5, 40))
        for hour in range(9, 20, 2):
            product = self.chance.choice(PRODUCTS)
            self.sell(product, self.chance.randint(1, 4), day + hour / 24)
        if self.chance.random() < 0.2:
            product = self.chance.choice(PRODUCTS)
            self.write(product, max(self.level[product] - 1, Decimal(0)))

    def read(self, day: float, *, compare: bool = False) -> None:
        """A window of the night, and what there was then."""
        self.it.read(day, unseen=not compare)
        self.seen |= {(product, day): stock for product, stock in self.level.items()}

    def undo_a_sale(self, now: float) -> None:
        """The till deletes one of the last days, and puts its goods back."""
        line, product, quantity, day = self.sales.pop(-5)
        self.it.shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", line)
        self.write(product, self.level[product] + quantity)
        # Once it is known it never was.
        self.seen |= {
            (other, then): stock + quantity
            for (other, then), stock in self.seen.items()
            if other == product and day < then < now
        }


def test_its_stock_is_right_on_every_day(shop: Shop):
    it = AdjustingShop(shop)
    shop.till("UPDATE productos SET costo_referencia = id_producto * 2")
    levels = Levels(it)
    for product in PRODUCTS:
        levels.write(product, Decimal(20))
    levels.read(0.1, compare=True)
    for day in range(7 * WEEKS):
        levels.trade(day)
        levels.read(day + 0.95, compare=day % 7 == 6 and day != 20)
        if day == 20:
            levels.undo_a_sale(day + 0.96)
            levels.read(day + 0.97)
            it.repair(day + 0.98)
        if day == 35:
            it.close_books(end_of_day((INITIAL + 25 * DAY).date(), "UTC"))
    wrong = {
        (product, day): (it.stock(product, day), stock)
        for (product, day), stock in levels.seen.items()
        if it.stock(product, day) != stock
    }
    assert not wrong
    assert it.clean()
    # Each product began with what there was, at the cost that the shop knows of it.
    assert not shop.olap_rows("SELECT id_movimiento FROM dw.kardex WHERE costo_promedio = 0")
    began = shop.olap_rows("SELECT DISTINCT id_producto FROM dw.kardex WHERE id_movimiento < -2^61")
    assert len(began) == len(PRODUCTS)
