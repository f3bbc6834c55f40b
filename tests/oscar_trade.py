"""A shop that sells with a real django-oscar: run by its own Python, not by the tests'.

`oscar_trade.py postgresql://user:password@host:port/database` takes a request a line, as JSON, and
answers each with a line. Orders are placed, shipped and cancelled by oscar's own code; what was
sold stands in a book that is never read from oscar's tables.
"""

from __future__ import annotations

import json
import os
import random
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, urlparse

import django
from django.conf import settings
from oscar import INSTALLED_APPS
from oscar.defaults import *  # noqa: F403

FIRST_DAY = datetime(2026, 9, 1, 12, tzinfo=UTC)
TAX = Decimal("0.18")


def configure(url: str) -> None:
    """Django as oscar's documentation sets it up, with the words of its example shop."""
    place = urlparse(url)
    oscar = {name: value for name, value in globals().items() if name.startswith("OSCAR_")}
    pipeline = {"Pending": ("Being processed", "Cancelled"), "Being processed": ("Cancelled",),
                "Cancelled": ()}  # fmt: skip
    oscar |= {"OSCAR_INITIAL_ORDER_STATUS": "Pending", "OSCAR_INITIAL_LINE_STATUS": "Pending",
              "OSCAR_ORDER_STATUS_PIPELINE": pipeline, "OSCAR_LINE_STATUS_PIPELINE": pipeline,
              "OSCAR_DEFAULT_CURRENCY": "PEN"}  # fmt: skip
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": place.hostname,
        "PORT": place.port,
        "USER": place.username,
        "PASSWORD": unquote(place.password or ""),
        "NAME": place.path.strip("/"),
        "ATOMIC_REQUESTS": True,
    }
    engine = "haystack.backends.simple_backend.SimpleEngine"
    settings.configure(
        SECRET_KEY="only for this test", SITE_ID=1, USE_TZ=True, TIME_ZONE="UTC",
        DATABASES={"default": database}, HAYSTACK_CONNECTIONS={"default": {"ENGINE": engine}},
        INSTALLED_APPS=list(INSTALLED_APPS),
        DEFAULT_AUTO_FIELD="django.db.models.AutoField", ROOT_URLCONF="oscar_trade",
        **oscar,
    )  # fmt: skip
    django.setup()


class Trade:
    """The shop, its book, and what may happen on a day."""

    def __init__(self) -> None:
        self.book: dict[int, dict[str, Any]] = {}
        self.open: list[Any] = []
        self.chance = random.Random(42)

    def prepare(self) -> None:
        """Oscar's tables, and three products of which the shop has some."""
        from django.core.management import call_command
        from oscar.core.loading import get_model

        call_command("migrate", verbosity=0)
        kind = get_model("catalogue", "ProductClass").objects.create(
            name="Goods", track_stock=True, requires_shipping=False
        )
        category = get_model("catalogue", "Category").add_root(name="Books")
        self.partner = get_model("partner", "Partner").objects.create(name="Depot")
        for sku, price in (("A-1", "10.00"), ("B-2", "3.33"), ("C-3", "7.50")):
            product = get_model("catalogue", "Product").objects.create(
                title=f"Product {sku}", product_class=kind, upc=f"775{sku}"
            )
            product.categories.add(category)
            get_model("partner", "StockRecord").objects.create(
                product=product, partner=self.partner, partner_sku=sku,
                price=Decimal(price), num_in_stock=1000,
            )  # fmt: skip

    def record(self, sku: str) -> Any:
        """The stock record of a SKU."""
        from oscar.core.loading import get_model

        return get_model("partner", "StockRecord").objects.get(partner_sku=sku)

    def order(self, day: int, lines: dict[str, int]) -> Any:
        """Somebody orders so many of each SKU, at today's price with its tax."""
        from oscar.apps.order.utils import OrderCreator
        from oscar.apps.partner.strategy import UK
        from oscar.apps.shipping.methods import Free
        from oscar.core.loading import get_model
        from oscar.core.prices import Price

        UK.rate = TAX
        basket = get_model("basket", "Basket").objects.create()
        basket.strategy = UK()
        for sku, quantity in lines.items():
            basket.add_product(self.record(sku).product, quantity)
        total = Price("PEN", basket.total_excl_tax, basket.total_incl_tax)
        shipping = Free().calculate(basket)
        placed = OrderCreator().place_order(
            basket, total, Free(), shipping, order_number=f"W{10000 + len(self.book)}-{day}",
            date_placed=FIRST_DAY + timedelta(days=day),
        )  # fmt: skip
        for line in placed.lines.all():
            price = self.record(line.partner_sku).price
            self.book[line.id] = {
                "sku": line.partner_sku, "cantidad": lines[line.partner_sku], "precio": str(price),
                "importe": str(price * lines[line.partner_sku]), "documento": placed.number,
                "fecha": placed.date_placed.isoformat(), "documento_id": placed.id,
            }  # fmt: skip
        self.open.append(placed)
        return placed

    def ship(self) -> None:
        """The oldest open order leaves the house."""
        from oscar.apps.order.processing import EventHandler

        EventHandler().consume_stock_allocations(self.open.pop(0))

    def cancel(self) -> None:
        """The newest open order is cancelled."""
        from oscar.apps.order.processing import EventHandler

        order = self.open.pop()
        EventHandler().cancel_stock_allocations(order)
        order.set_status("Cancelled")
        for line in order.lines.all():
            del self.book[line.id]

    def receive(self, sku: str, quantity: int) -> None:
        """Goods come in: somebody types the new figure over the old one."""
        record = self.record(sku)
        record.num_in_stock += quantity
        record.save()

    def drop(self, sku: str) -> None:
        """A product is deleted, with its stock record."""
        self.record(sku).product.delete()

    def day(self, number: int) -> None:
        """What happens on the day so many days after the first."""
        chance = self.chance
        skus = ["A-1", "B-2"] + ([] if number > 50 else ["C-3"])
        wanted = chance.sample(skus, chance.randint(1, len(skus)))
        self.order(number, {sku: chance.randint(1, 6) for sku in wanted})
        if number % 2 and self.open:
            self.ship()
        if number % 9 == 8:
            self.cancel()
        if number in (20, 40):
            self.receive("A-1", 25)
        if number == 50:
            while self.open:
                self.ship()
            self.drop("C-3")

    def stock(self) -> dict[str, int]:
        """Oscar's own figure of what is left to sell."""
        from oscar.core.loading import get_model

        records = get_model("partner", "StockRecord").objects.all()
        return {record.partner_sku: record.net_stock_level for record in records}


urlpatterns: list[Any] = []


def main() -> None:
    """Answer request by request until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed
    configure(sys.argv[1])
    trade = Trade()
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        answer = trade.book if name == "book" else getattr(trade, name)(*arguments)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
