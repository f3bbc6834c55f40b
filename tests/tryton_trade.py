"""A small company that trades in a real Tryton: run by Tryton's own Python, not by the tests'.

`TRYTOND_CONFIG=… tryton_trade.py DATABASE` takes a request a line, as JSON, and answers each with a
line: what it was asked to do is done and committed by then. It drives Tryton as a user does, by
documents and their buttons, and keeps a book of what the documents say that it never reads from
Tryton's tables: the quantities, prices and rates that it typed itself.
"""

from __future__ import annotations

import json
import os
import random
import sys
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from proteus import Model, Wizard, config
from trytond import __version__
from trytond.exceptions import UserWarning as TrytonWarning
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, get_accounts
from trytond.modules.account_invoice.tests.tools import (
    create_payment_term,
    set_fiscalyear_invoice_sequences,
)
from trytond.modules.company.tests.tools import create_company, get_company
from trytond.modules.currency.tests.tools import get_currency

# The rate of the day: dollars, and the company's own money, for one unit of what rates are of.
FIRST_DAY = date(2026, 9, 1)
RATES = {FIRST_DAY: "1.25", FIRST_DAY + timedelta(days=25): "1.6"}
UNIT = {"milk": "Unit", "cheese": "Kilogram", "screws": "Unit", "flour": "Kilogram",
        "bread": "Unit", "lamp": "Unit"}  # fmt: skip
PRICES = {"milk": "1.2000", "cheese": "14.5000", "screws": "0.0333", "flour": "0.9000",
          "bread": "3.0000", "lamp": "30.0000"}  # fmt: skip
CENTI = Decimal("0.01")
# The button by which a shipment or a production is done; and that of goods for another warehouse,
# which 7.0 does not pack.
OLDEST = __version__.startswith("7.0.")
DONE = "done" if OLDEST else "do"
PACK = () if OLDEST else ("pack",)


def click(record: Any, *buttons: str) -> Any:
    """Press buttons, one after the other, as somebody who says yes to every warning."""
    result = None
    for button in buttons:
        while True:
            try:
                result = record.click(button)
                break
            except TrytonWarning as warning:
                Warned = Model.get("res.user.warning")
                Warned(user=settings.user, name=warning.name, always=True).save()
    return result


class Trade:
    """The company, its book, and what may happen on a day."""

    def __init__(self) -> None:
        self.book: dict[int, dict[str, Any]] = {}
        self.gone: list[int] = []
        self.sold: list[tuple[Any, list[int]]] = []
        self.bought: list[tuple[Any, list[int]]] = []
        self.received: list[tuple[Any, int]] = []
        self.chance = random.Random(82)

    # What is there before the first day

    def prepare(self) -> None:
        """A company with two warehouses, six products, a supplier, a customer, two currencies."""
        create_company(currency=get_currency("EUR"))
        create_chart()
        self.company = get_company()
        years = FIRST_DAY - timedelta(days=1), FIRST_DAY + timedelta(days=200)
        year = set_fiscalyear_invoice_sequences(create_fiscalyear(today=years))
        click(year, "create_period")
        self._currencies()
        self._parties()
        self._places()
        accounts = get_accounts()
        Category = Model.get("product.category")
        self.category = Category(name="Account", accounting=True)
        self.category.account_expense = accounts["expense"]
        self.category.account_revenue = accounts["revenue"]
        self.category.save()
        self.food = Category(name="Food")
        self.food.save()
        self.products = {name: self._product(name) for name in UNIT}
        self._recipe()
        self._freight()

    def _currencies(self) -> None:
        Rate = Model.get("currency.currency.rate")
        self.euro, self.dollar = get_currency("EUR"), get_currency("USD")
        for currency in (self.euro, self.dollar):
            Rate.delete(list(currency.rates))
            currency.reload()
        Rate(currency=self.euro, date=FIRST_DAY - timedelta(days=400), rate=Decimal(2)).save()
        for day, rate in RATES.items():
            Rate(currency=self.dollar, date=day, rate=Decimal(rate)).save()

    def in_euro(self, amount: Decimal, currency: Any, day: date) -> Decimal:
        """At the rate of the day, unrounded."""
        if currency.id == self.euro.id:
            return amount
        rate = Decimal(RATES[max(d for d in RATES if d <= day)])
        return amount * 2 / rate

    def _parties(self) -> None:
        Party = Model.get("party.party")
        self.supplier, self.customer = Party(name="Supplier"), Party(name="Customer")
        for party in (self.supplier, self.customer):
            party.save()
        self.term = create_payment_term()
        self.term.save()

    def _places(self) -> None:
        Location = Model.get("stock.location")

        def one(**named: str) -> Any:
            (found,) = Location.find([(key, "=", value) for key, value in named.items()])
            return found

        self.shop = one(code="WH")
        self.depot = self.shop.duplicate({"name": "Depot", "code": "WH2"})[0]
        self.depot.reload()
        self.store = {w.id: w.storage_location for w in (self.shop, self.depot)}
        self.input = {w.id: w.input_location for w in (self.shop, self.depot)}
        self.lost, self.out = one(type="lost_found"), one(code="CUS")
        self.road, self.source = one(name="Transit"), one(code="SUP")
        self.workshop = one(type="production")
        # Where things lie: a shelf within the shop's storage.
        self.shelf = Location(name="Shelf", type="storage", parent=self.store[self.shop.id])
        self.shelf.save()

    def _product(self, name: str) -> Any:
        Unit = Model.get("product.uom")
        (unit,) = Unit.find([("name", "=", UNIT[name])])
        template = Model.get("product.template")(name=name.title(), default_uom=unit)
        template.type = "goods"
        template.cost_price_method = "average"
        template.list_price = Decimal(PRICES[name]) * 2
        template.purchasable = template.salable = True
        template.producible = name == "bread"
        template.account_category = self.category
        template.categories.append(Model.get("product.category")(self.food.id))
        if name == "cheese":
            (template.sale_uom,) = Unit.find([("symbol", "=", "g")])
        if name == "lamp":
            template.supply_on_sale = "always"
        (product,) = template.products
        product.cost_price = Decimal(0)
        product.suffix_code = name.upper()
        template.save()
        (product,) = template.products
        if name == "lamp":
            offer = Model.get("purchase.product_supplier")(template=template, party=self.supplier)
            offer.drop_shipment, offer.lead_time = True, timedelta(0)
            offer.save()
        return product

    def _recipe(self) -> None:
        self.bom = Model.get("production.bom")(name="Bread")
        ingredient = self.bom.inputs.new(product=self.products["flour"])
        ingredient.quantity = 0.6
        result = self.bom.outputs.new(product=self.products["bread"])
        result.quantity = 1
        self.bom.save()
        bread = self.products["bread"]
        bread.boms.append(Model.get("product.product-production.bom")(bom=self.bom))
        bread.save()

    def _freight(self) -> None:
        template = Model.get("product.template")(name="Freight", type="service")
        (template.default_uom,) = Model.get("product.uom").find([("name", "=", "Unit")])
        template.landed_cost, template.purchasable = True, True
        template.list_price = Decimal(10)
        template.account_category = self.category
        template.save()
        (self.freight,) = template.products

    # The book

    def note(self, move: Any, tipo: str, name: str, place: Any, day: date, **more: Any) -> int:
        """What a document's line says, under the number of its move."""
        self.book[move.id] = {
            "id_movimiento": move.id,
            "tipo": tipo,
            "producto": self.products[name].id,
            "sucursal": place.id,
            "fecha": day.isoformat(),
            **{key: str(value) for key, value in more.items() if value is not None},
        }
        return int(move.id)

    # What happens

    def buy(self, day: date, place: Any, lines: list[tuple[str, str, str]], currency: Any) -> Any:
        """A supplier's delivery: quantity and price in the product's unit, in that currency."""
        shipment = Model.get("stock.shipment.in")(supplier=self.supplier, warehouse=place)
        shipment.effective_date = day
        for name, quantity, price in lines:
            move = shipment.incoming_moves.new(product=self.products[name])
            move.from_location, move.to_location = self.source, self.input[place.id]
            move.quantity, move.unit_price = float(quantity), Decimal(price)
            move.currency = currency
        shipment.save()
        click(shipment, "receive", DONE)
        for name, quantity, price in lines:
            (move,) = (m for m in shipment.incoming_moves if m.product == self.products[name])
            more = {
                "precio": self.in_euro(Decimal(price), currency, day),
                "importe": self.in_euro(Decimal(quantity) * Decimal(price), currency, day),
            }
            self.note(move, "ENTRADA_MERCANCIA", name, place, day, cantidad=quantity, **more)
            self.received.append((shipment, move.id))
        return shipment

    def order(self, day: date, name: str, quantity: int, price: str) -> Any:
        """A purchase order of goods that arrive the same day; it can be returned."""
        order = Model.get("purchase.purchase")(party=self.supplier, warehouse=self.shop)
        order.payment_term, order.invoice_method, order.purchase_date = self.term, "manual", day
        line = order.lines.new(product=self.products[name])
        line.quantity, line.unit_price = quantity, Decimal(price)
        click(order, "quote", "confirm")
        shipment = Model.get("stock.shipment.in")(supplier=self.supplier, warehouse=self.shop)
        shipment.effective_date = day
        (waiting,) = order.moves
        shipment.incoming_moves.append(Model.get("stock.move")(waiting.id))
        shipment.save()
        click(shipment, "receive", DONE)
        (move,) = shipment.incoming_moves
        amount = Decimal(quantity) * Decimal(price)
        more = {"cantidad": quantity, "precio": price, "importe": amount}
        number = self.note(move, "ENTRADA_MERCANCIA", name, self.shop, day, **more)
        self.bought.append((order, [number]))
        return order

    def send_back(self, day: date) -> None:
        """The last order goes back whole, if nothing of it has before."""
        order, (first,) = self.bought.pop()
        wizard = Wizard("purchase.return_purchase", [order])
        wizard.execute("return_")
        (returned,) = Model.get("purchase.purchase").find([("state", "=", "draft")])
        returned.purchase_date = day
        click(returned, "quote", "confirm")
        (shipment,) = returned.shipment_returns
        shipment.effective_date = day
        shipment.save()
        click(shipment, "assign_force", DONE)
        (move,) = shipment.moves
        said = self.book[first]
        name = next(n for n, p in self.products.items() if p.id == said["producto"])
        more = {"cantidad": said["cantidad"], "precio": said["precio"], "origen": first}
        self.note(move, "DEVOLUCION_COMPRA", name, self.shop, day, **more)

    def sell(self, day: date, place: Any, lines: list[tuple[str, str, str]]) -> None:
        """A sale that is delivered the same day: quantity and price in the unit of sale."""
        sale = Model.get("sale.sale")(party=self.customer, warehouse=place)
        sale.payment_term, sale.invoice_method, sale.sale_date = self.term, "manual", day
        for name, quantity, price in lines:
            line = sale.lines.new(product=self.products[name])
            line.quantity, line.unit_price = float(quantity), Decimal(price)
        click(sale, "quote", "confirm")
        (shipment,) = sale.shipments
        shipment.effective_date = day
        shipment.save()
        click(shipment, "assign_force", "pick", "pack", DONE)
        ids = []
        for name, quantity, price in lines:
            (move,) = (m for m in shipment.outgoing_moves if m.product == self.products[name])
            ids.append(
                self.note(move, "VENTA", name, place, day, **self._told(name, quantity, price))
            )
        self.sold.append((sale, ids))

    def _told(self, name: str, quantity: str, price: str) -> dict[str, Any]:
        """In the product's unit, as Tryton rounds it, and its amount; cheese goes in grams."""
        amount = Decimal(quantity) * Decimal(price)
        if name != "cheese":
            return {"cantidad": quantity, "precio": price, "importe": amount}
        rounded = (Decimal(quantity) / 1000).quantize(CENTI, ROUND_HALF_UP)
        return {"cantidad": rounded, "precio": Decimal(price) * 1000, "importe": amount}

    def take_back(self, day: date) -> None:
        """A customer brings back the whole of a sale."""
        sale, ids = self.sold.pop(0)
        wizard = Wizard("sale.return_sale", [sale])
        wizard.execute("return_")
        (returned,) = Model.get("sale.sale").find([("state", "=", "draft")])
        returned.sale_date = day
        click(returned, "quote", "confirm")
        (shipment,) = returned.shipment_returns
        shipment.effective_date = day
        shipment.save()
        click(shipment, "receive", DONE)
        for first in ids:
            said = self.book[first]
            (move,) = (m for m in shipment.incoming_moves if m.product.id == said["producto"])
            name = next(n for n, p in self.products.items() if p.id == said["producto"])
            place = next(p for p in (self.shop, self.depot) if p.id == said["sucursal"])
            more = {key: said[key] for key in ("cantidad", "precio", "importe")} | {"origen": first}
            self.note(move, "DEVOLUCION_VENTA", name, place, day, **more)

    def count(self, day: date, name: str, difference: str) -> None:
        """A count of the shop's storage that finds so much more, or less, than is known."""
        inventory = Model.get("stock.inventory")(location=self.store[self.shop.id], date=day)
        line = inventory.lines.new(product=self.products[name])
        with settings.set_context(locations=[self.store[self.shop.id].id], stock_date_end=day):
            known = Decimal(str(Model.get("product.product")(self.products[name].id).quantity))
        line.quantity = float(max(known + Decimal(difference), Decimal(0)))
        changed = Decimal(str(line.quantity)) - known
        inventory.save()
        click(inventory, "confirm")
        if changed:
            ((move,),) = ([*line.moves] for line in inventory.lines)
            tipo = "AJUSTE_ENTRADA" if changed > 0 else "AJUSTE_SALIDA"
            self.note(move, tipo, name, self.shop, day, cantidad=abs(changed))

    def transfer(self, day: date, name: str, quantity: int, days: int) -> None:
        """From the shop to the depot; by the road, if it takes some days."""
        shipment = Model.get("stock.shipment.internal")()
        shipment.from_location = self.store[self.shop.id]
        shipment.to_location = self.store[self.depot.id]
        shipment.planned_start_date, shipment.planned_date = day, day + timedelta(days=days)
        move = shipment.moves.new(product=self.products[name])
        move.from_location, move.to_location = shipment.from_location, shipment.to_location
        move.quantity = quantity
        shipment.effective_start_date, shipment.effective_date = day, day + timedelta(days=days)
        shipment.save()
        click(shipment, "wait", "assign_force", *PACK, "ship", DONE)
        moves = sorted(shipment.moves, key=lambda m: m.id)
        by_road = len(moves) > 1
        for leg in moves:
            begins = leg.from_location == shipment.from_location
            source, target = (self.shop, self.road) if begins else (self.road, self.depot)
            if not by_road:
                target = self.depot
            on = day if begins else shipment.effective_date
            more = {"cantidad": quantity, "destino": target.id}
            self.note(leg, "TRASLADO", name, source, on, **more)

    def tidy(self, day: date, name: str, quantity: int) -> None:
        """From the storage to a shelf in it: nothing that anybody else needs to know."""
        shipment = Model.get("stock.shipment.internal")(planned_date=day, effective_date=day)
        shipment.from_location, shipment.to_location = self.store[self.shop.id], self.shelf
        move = shipment.moves.new(product=self.products[name], quantity=quantity)
        move.from_location, move.to_location = shipment.from_location, shipment.to_location
        shipment.save()
        click(shipment, "wait", "assign_force", DONE)

    def bake(self, day: date, loaves: int) -> None:
        """Flour becomes bread, at what the flour costs."""
        production = Model.get("production")(effective_date=day, effective_start_date=day)
        production.warehouse, production.location = self.shop, self.workshop
        production.product, production.bom = self.products["bread"], self.bom
        production.quantity = loaves
        click(production, "wait", "assign_force", "run", DONE)
        production.reload()
        (used,), (made,) = production.inputs, production.outputs
        flour = (Decimal("0.6") * loaves).quantize(CENTI)
        self.note(used, "AJUSTE_SALIDA", "flour", self.shop, day, cantidad=flour)
        # What Tryton says that a loaf cost is the document's own figure, as a price is.
        more = {"cantidad": loaves, "precio": made.unit_price}
        self.note(made, "AJUSTE_ENTRADA", "bread", self.shop, day, **more)

    def drop(self, day: date) -> None:
        """A lamp goes from the supplier to the customer, past the shop."""
        sale = Model.get("sale.sale")(party=self.customer, warehouse=self.shop)
        sale.payment_term, sale.invoice_method, sale.sale_date = self.term, "manual", day
        line = sale.lines.new(product=self.products["lamp"])
        line.quantity = 1
        click(sale, "quote", "confirm")
        requests = Model.get("purchase.request").find([("state", "=", "draft")])
        Wizard("purchase.request.create_purchase", requests)
        (order,) = Model.get("purchase.purchase").find([("state", "=", "draft")])
        order.payment_term, order.invoice_method = self.term, "manual"
        order.purchase_date = day
        for line in order.lines:
            line.unit_price = Decimal(20)
        click(order, "quote", "confirm")
        sale.reload()
        (shipment,) = sale.drop_shipments
        shipment.effective_date = day
        shipment.save()
        click(shipment, "ship", DONE)

    def freight_of(self, day: date, amount: str) -> None:
        """The last delivery's freight is billed: it makes what was delivered dearer."""
        shipment, _last = self.received[-1]
        invoice = Model.get("account.invoice")(type="in", party=self.supplier)
        invoice.payment_term, invoice.invoice_date = self.term, day
        line = invoice.lines.new(product=self.freight)
        line.quantity, line.unit_price = 1, Decimal(amount)
        click(invoice, "post")
        landed = Model.get("account.landed_cost")(allocation_method="value")
        landed.shipments.append(Model.get("stock.shipment.in")(shipment.id))
        landed.invoice_lines.append(Model.get("account.invoice.line")(invoice.lines[0].id))
        landed.save()
        wizard = click(landed, "post_wizard")
        wizard.execute("post")
        # By value, a price of four decimals each: what the form showed is what is added.
        moves = [i for s, i in self.received if s.id == shipment.id]
        whole = sum(Decimal(self.book[i]["importe"]) for i in moves)
        for number in moves:
            said = self.book[number]
            part = Decimal(amount) * Decimal(said["importe"]) / whole
            quantity = Decimal(said["cantidad"])
            price = (Decimal(said["importe"]) + part) / quantity
            price = price.quantize(Decimal("0.0001"), ROUND_HALF_UP)
            said |= {"precio": str(price), "importe": str(price * quantity)}

    def cancel_a_sale(self, back: int, delete: bool) -> None:
        """A sale's delivery is cancelled, the last but so many, and perhaps deleted as well."""
        sale, ids = self.sold.pop(-1 - back)
        (shipment,) = sale.shipments
        moves = [
            Model.get("stock.move")(m.id)
            for m in (*shipment.outgoing_moves, *shipment.inventory_moves)
        ]
        shipment = Model.get("stock.shipment.out")(shipment.id)
        click(shipment, "cancel")
        if OLDEST:  # There what is done has no such button: it was passed over, without a word.
            assert shipment.state == "done"
            for move in moves:
                click(move, "cancel")
        for number in ids:
            self.gone.append(self.book.pop(number)["id_movimiento"])
        if delete:
            Model.get("stock.move").delete(moves)

    def rename(self, name: str, to: str, language: str) -> None:
        """A product's name is typed anew, by somebody who works in that language."""
        with settings.set_context(language=language):
            template = Model.get("product.template")(self.products[name].template.id)
            template.name = to
            template.save()

    # A day, and what Tryton says

    def day(self, number: int) -> None:
        """What happens on the day so many days after the first."""
        day, chance = FIRST_DAY + timedelta(days=number), self.chance
        if number % 10 == 0:
            self.buy(day, self.shop, [
                ("milk", "60", "1.1500"), ("cheese", "12.5", "13.3333"),
                ("flour", "20", f"0.{chance.randint(70, 95)}00")], self.euro)  # fmt: skip
            self.buy(day, self.depot, [("milk", "10", "1.1200")], self.euro)
        if number % 10 == 3:
            self.buy(
                day, self.shop, [("screws", "1000", f"0.0{chance.randint(200, 400)}")], self.dollar
            )
        if number % 10 == 4:
            self.order(day, "milk", 12, f"1.{chance.randint(1000, 3000)}")
            self.bake(day, chance.randint(4, 9))
        if number % 4 == 0:
            grams = chance.choice([102, 251, 347, 498])
            self.sell(day, self.shop, [
                ("milk", str(chance.randint(1, 6)), "2.4000"), ("cheese", str(grams), "0.0290"),
                ("screws", str(chance.randint(1, 90)), "0.0700")])  # fmt: skip
        if number % 8 == 1:
            self.sell(day, self.depot, [("milk", "1", "2.3000")])
        if number % 10 == 9:
            self.sell(day, self.shop, [("bread", str(chance.randint(1, 4)), "6.0000")])
        if number % 14 == 6:
            self.count(day, "milk", str(chance.choice([-2, -1, 1, 3])))
            self.transfer(day, "milk", 3, chance.choice([0, 2]))
        if number % 14 == 13:
            self.count(day, "cheese", str(chance.choice(["-0.15", "0.08"])))
            self.tidy(day, "screws", 10)
        if number in (12, 31, 44):
            self.take_back(day)
        if number in (15, 35):
            self.send_back(day)
        if number in (21, 51):
            self.freight_of(day, "13.0000")
        if number in (25, 46):
            self.drop(day)
        if number == 40:
            self.rename("milk", "Leche", "es")
            self.rename("flour", "Harina", "es")
        if number == 43:
            self.rename("flour", "White flour", "en")
        if number == 28:  # which a window has seen
            self.cancel_a_sale(5, delete=False)
        if number == 48:  # which none has
            self.cancel_a_sale(0, delete=True)

    def stock(self) -> list[list[Any]]:
        """Tryton's own figure for each product and place of ours, all zones of a warehouse."""
        Product = Model.get("product.product")
        found = []
        for place in (self.shop, self.depot, self.road):
            with settings.set_context(
                locations=[place.id], stock_skip_warehouse=True, with_childs=True,
                stock_date_end=date(2030, 1, 1),
            ):  # fmt: skip
                found += [
                    [product.id, place.id, str(Product(product.id).quantity)]
                    for product in self.products.values()
                ]
        return found

    def names(self) -> dict[str, str]:
        """What each product is called where somebody works in Spanish."""
        Product = Model.get("product.product")
        with settings.set_context(language="es"):
            return {p.suffix_code: Product(p.id).name for p in self.products.values()}

    def costs(self) -> dict[str, str]:
        """Tryton's own average of each product, now."""
        Product = Model.get("product.product")
        return {str(p.id): str(Product(p.id).cost_price) for p in self.products.values()}

    def recompute(self) -> None:
        """What Tryton's nightly task does with costs."""
        (cron,) = Model.get("ir.cron").find(
            [("method", "=", "product.product|recompute_cost_price_from_moves")]
        )
        click(cron, "run_once")


def main() -> None:
    """Answer request by request until there are no more."""
    global settings
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed
    settings = config.set_trytond(database=sys.argv[1])
    trade = Trade()
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        if name == "book":
            answer: Any = list(trade.book.values())
        else:
            answer = getattr(trade, name)(*arguments)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
