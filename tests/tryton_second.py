"""A second company in the same Tryton: its own warehouse, money and costs, and the same products.

It works in dollars. Tryton's locations are no company's, so it also keeps goods in the first one's
depot, where they are its own.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from proteus import Model


def prepare(trade: Any, first: Any) -> Any:
    """The company, as a trade of its own with the products, parties and places of the first."""
    trade.company = trade._company("USD")
    for name in ("euro", "dollar", "supplier", "customer", "term", "lost", "out", "road", "source",
                 "products", "freight"):  # fmt: skip
        setattr(trade, name, getattr(first, name))
    trade.category = Model.get("product.category")(first.category.id)
    trade.book_in(trade.category)
    for product in first.products.values():
        template = Model.get("product.template")(product.template.id)
        template.cost_price_method = "average"
        template.save()
        assert not template.products[0].cost_price
    trade.shop = first.shop.duplicate({"name": "Branch abroad", "code": "WH3"})[0]
    trade.shop.reload()
    trade.depot = first.depot
    warehouses = (trade.shop, trade.depot)
    trade.store = {w.id: w.storage_location for w in warehouses}
    trade.input = {w.id: w.input_location for w in warehouses}
    trade.places = [*first.places, trade.shop]
    return trade


def day(trade: Any, number: int, day: date) -> None:
    """What happens on the day so many days after the first."""
    if number % 15 == 2:
        trade.buy(day, trade.shop, [("milk", "24", f"1.{40 + number}00")], trade.dollar)
    if number % 15 == 3:
        trade.buy(
            day, trade.depot, [("milk", "7", "0.9700"), ("cheese", "3", "9.1000")], trade.euro
        )
    if number % 6 == 4:
        trade.sell(day, trade.shop, [("milk", "2", "3.1000")])
    if number == 17:
        trade.transfer(day, "milk", 5, 0)
    if number == 21:
        trade.take_back(day, trade.sold)
    if number == 26:
        trade.count(day, "milk", "-1")
    if number == 35:
        lots = {"A33": 4, "X35": 5}  # of lots that the first has, too
        trade.order(day, "yogurt", 9, "1.1000", lots)
    if number == 36:
        trade.order(day, "milk", 8, "1.9000")
    if number == 37:
        trade.send_back(day, trade.bought)
    if number == 50:
        trade.freight_of(day, "6.0000")
